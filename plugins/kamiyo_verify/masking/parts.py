"""Find the parts of a credential that are secrets by themselves, and the secret part within it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

_SECRET_KEY = re.compile(r"secret|private|token|passw|credential|(?:^|[_-])key", re.IGNORECASE)
_SHORTEST = 8


def parts_of(value: str) -> Iterator[str]:
    """A value, its lines if it has several, the secrets in JSON, and the password of a URL."""
    yield value
    if value.startswith(("{", "[")):
        yield from _of_json(value)
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines)
    if "://" in value:
        try:
            parts = urlsplit(value)
        except ValueError:
            return
        if parts.password:
            yield from {parts.password, unquote(parts.password), f"{parts.username}:{parts.password}"}


def secret_part(value: str) -> tuple[int, int]:
    """Start and end of the secret part: an address's password, else its path; the name in an email."""
    scheme, mark, rest = value.partition("://")
    if mark:
        return _of_address(len(scheme) + 3, rest, len(value))
    local, at, host = value.rpartition("@")
    if at and "." in host and " " not in value:
        return 0, len(local)
    return 0, len(value)


def _of_json(value: str) -> Iterator[str]:
    """A key file as other tools write it, and the values whose keys mark them as secret."""
    try:
        content = json.loads(value)
    except (ValueError, RecursionError):
        return
    yield from {
        json.dumps(content),
        json.dumps(content, separators=(",", ":")),
        json.dumps(content, indent=2),
    }
    pending = [content]
    while pending:
        match pending.pop():
            case dict() as table:
                pending += table.values()
                for key, found in table.items():
                    if isinstance(found, str) and len(found) >= _SHORTEST and _SECRET_KEY.search(key):
                        yield from (found, *filter(lambda line: len(line) >= _SHORTEST, found.splitlines()))
            case list() as found:
                pending += found


def _of_address(begin: int, rest: str, end: int) -> tuple[int, int]:
    authority = rest.partition("/")[0]
    # A password may contain a slash once the escapes in the address are undone.
    user, _, password = rest.rpartition("@")[0].partition(":")
    if password and "/" not in user:
        return begin + len(user) + 1, begin + len(user) + 1 + len(password)
    if "@" in authority:
        return begin, begin + authority.rindex("@")
    path = begin + len(authority) + 1
    return (path, end) if path < end else (0, end)
