"""Parse the Link header, which Sentry and GitHub use for pagination.

Source: RFC 8288, section 3; only the forms that both of them write are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

_LINK = re.compile(r'<([^<>]{1,2000})>((?:\s*;\s*[\w*-]+="?[^",;<>]*"?)*)')
_PARAMETER = re.compile(r';\s*([\w*-]+)="?([^",;<>]*)"?')


@dataclass(frozen=True, slots=True)
class Link:
    """One link of an answer."""

    url: str
    parameters: dict[str, str]

    def query(self, key: str) -> str:
        """The value of a key in the address's query, or ""."""
        try:
            return parse_qs(urlsplit(self.url).query).get(key, [""])[0]
        except ValueError:
            return ""


def link(header: str, relation: str) -> Link | None:
    """The link of that relation, such as "next"; None if there is none."""
    for url, rest in _LINK.findall(header[:8_000]):
        parameters = dict(_PARAMETER.findall(rest))
        if relation in parameters.get("rel", "").split():
            return Link(url, parameters)
    return None
