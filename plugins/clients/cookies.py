"""Cookies that an answer sets, read by the rules of browsers (RFC 6265, 5.2)."""

from __future__ import annotations

import httpx

_MOST = 50
_PREFIXES = ("__Host-", "__Secure-")


def cookies_set(headers: httpx.Headers) -> dict[str, str]:
    """Name and raw value of each, the last of a name; those that no header could carry back are left out."""
    found: dict[str, str] = {}
    for line in headers.get_list("set-cookie")[:_MOST]:
        name, equals, value = line.partition(";")[0].partition("=")
        name, value = name.strip(), value.strip()
        if equals and name and (name + value).isascii() and (name + value).isprintable():
            found[name] = value
    return found


def cookie_named(cookies: dict[str, str], name: str) -> tuple[str, str] | None:
    """Name and value of the cookie, with or without a prefix of https; None where it is missing or empty."""
    for prefix in (*_PREFIXES, ""):
        value = cookies.get(prefix + name)
        if value:
            return prefix + name, value
    return None
