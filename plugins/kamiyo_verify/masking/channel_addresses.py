"""The secret parts of a channel's address: Apprise's addresses are made of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

_SHORTEST = 6

# A digit, a capital after the first letter, an "@", or great length: "general" and "webhooks" are ordinary
# words that occur in reports, and reveal nothing.
_TOKEN = re.compile(r"(?=.*[0-9@])|.+[A-Z]|.{16}")


def secrets_of(address: str) -> Iterator[str]:
    """The parts of an address like "slack://T0K3N/B0T/s3cret/#channel" that are secrets by themselves.

    Apprise takes tokens as the host, as segments of the path, and as values in the query. A host with a dot
    is a real host. A text that is not an address is a secret as a whole, and has no parts.
    """
    try:
        parts = urlsplit(address.strip())
        user, password = parts.username or "", parts.password or ""
    except ValueError:
        return
    host = parts.netloc.rpartition("@")[2]
    steps = [*parts.path.split("/"), *parts.fragment.split("/"), user, password]
    if "." not in host and not host.startswith(("localhost", "[")):
        steps += [host, *host.split(":")]
    steps += [value for _, value in parse_qsl(parts.query)]
    if password:
        yield from dict.fromkeys((password, unquote(password)))
    for step in dict.fromkeys(steps):
        for written in dict.fromkeys((step, unquote(step))):
            if len(written) >= _SHORTEST and _TOKEN.match(written):
                yield written
