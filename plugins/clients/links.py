"""The Link header, by which Sentry and GitHub name the next page.

Source: RFC 8288, section 3; only what both of them write is read.
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
        """The value of a key of the address, or ""."""
        try:
            return parse_qs(urlsplit(self.url).query).get(key, [""])[0]
        except ValueError:
            return ""


def link(header: str, relation: str) -> Link | None:
    """The link of that relation, such as "next"; None where there is none."""
    for url, rest in _LINK.findall(header[:8_000]):
        parameters = dict(_PARAMETER.findall(rest))
        if relation in parameters.get("rel", "").split():
            return Link(url, parameters)
    return None
