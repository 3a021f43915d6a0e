"""Cookies that an answer sets, read by the rules of browsers (RFC 6265, 5.2)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2


_MOST = 50
_EMPTY = frozenset({"", '""', "deleted"})


def cookies_set(headers: httpx2.Headers) -> dict[str, str]:
    """Name and raw value of each cookie, the last per name, without values that no header can send back."""
    return {name: value for name, value, _ in _cookies(headers)}


def cookies_kept(headers: httpx2.Headers) -> dict[str, str]:
    """The cookies that an answer sets, without those that it removes from the browser."""
    found: dict[str, str] = {}
    for name, value, attributes in _cookies(headers):
        if value in _EMPTY or _ended(attributes):
            found.pop(name, None)
        else:
            found[name] = value
    return found


def _cookies(headers: httpx2.Headers) -> Iterator[tuple[str, str, str]]:
    for line in headers.get_list("set-cookie")[:_MOST]:
        pair, _, attributes = line.partition(";")
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        if equals and name and (name + value).isascii() and (name + value).isprintable():
            yield name, value, attributes


def _ended(attributes: str) -> bool:
    """Whether the cookie ends at once; Max-Age wins over Expires (RFC 6265, 5.3)."""
    pairs = (one.partition("=") for one in attributes.split(";"))
    given = {key.strip().lower(): value.strip() for key, _, value in pairs}
    age = given.get("max-age", "")
    if age.removeprefix("-").isascii() and age.removeprefix("-").isdigit():
        return age.startswith("-") or not age.strip("0")
    try:
        parsed = parsedate_tz(given.get("expires", ""))
        return parsed is not None and mktime_tz(parsed) <= time.time()
    except (ValueError, OverflowError):
        return False
