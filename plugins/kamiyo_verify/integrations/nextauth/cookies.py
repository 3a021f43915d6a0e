"""The names of NextAuth's cookies, derived from the site's own cookies."""

from __future__ import annotations

import re
from urllib.parse import unquote

_CSRF_NAME = re.compile(r"(?P<prefix>__Host-|__Secure-|)(?P<base>[\w.-]+)[.-]csrf-token")
SESSION_NAME = re.compile(r"[\w.-]*session-token(\.\d+)?")  # a long session has several cookies: ….0, ….1
_BASES = ("next-auth", "authjs")


def csrf_cookie(cookies: dict[str, str], token: str) -> tuple[str, str] | None:
    """Name and value of the CSRF cookie, "token|hash", under any name that the site gives it."""
    carrying = [one for one in cookies.items() if unquote(one[1].strip('"')).partition("|")[0] == token]
    known = [one for one in cookies.items() if one[1] and _CSRF_NAME.fullmatch(one[0])]
    return next(iter([*carrying, *known]), None)


def session_names(csrf_cookie: str) -> tuple[str, ...]:
    """The names of the session cookie, derived from the name of the CSRF cookie.

    By default, on https, the CSRF cookie has the prefix __Host- and the session cookie has __Secure-. Without
    a prefix (useSecureCookies: false) neither has one. For a custom name, all defaults are sent.
    """
    found = _CSRF_NAME.fullmatch(csrf_cookie)
    if found and found["base"] in _BASES:
        return (("__Secure-" if found["prefix"] else "") + f"{found['base']}.session-token",)
    return tuple(f"{prefix}{base}.session-token" for base in _BASES for prefix in ("", "__Secure-"))
