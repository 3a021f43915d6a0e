"""Make text from outside safe to show: escaped, bounded, and without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SECRET_KEYS = frozenset({"token", "key", "api_key", "secret", "password", "session", "code", "state"})
"""Query keys whose values are never shown."""

MASK = "***"
_LONGEST = 300
_LONGEST_ADDRESS = 2_000


def readable(text: str, longest: int = _LONGEST) -> str:
    r"""The text on one line, at most `longest` characters, with all that a terminal interprets escaped.

    Whitespace is folded; control characters, escape sequences, text-direction marks and lone surrogates are
    shown as `\x1b`, `\u202e` and so on.
    """
    folded = " ".join(text[: 8 * longest].split())
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in folded[: longest + 1]
    )
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def masked_url(url: str) -> str:
    """The address without user and password, and with the values of `SECRET_KEYS` masked."""
    try:
        parts = urlsplit(url[:_LONGEST_ADDRESS])
        host = parts.netloc.rpartition("@")[2]
        query = _masked_query(parts.query)
        fragment = _masked_query(parts.fragment) if "=" in parts.fragment else parts.fragment
    except ValueError:  # for example "Invalid IPv6 URL"; such an address could hide a secret
        return "(an unreadable address)"
    return readable(urlunsplit((parts.scheme, host, parts.path, query, fragment)), longest=_LONGEST_ADDRESS)


def _masked_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(key.lower() in SECRET_KEYS for key, _ in pairs):
        return query
    shown = [(key, MASK if key.lower() in SECRET_KEYS else value) for key, value in pairs]
    return urlencode(shown, safe="*", errors="replace")


def without(secrets: Iterable[str], text: str) -> str:
    """The text with every secret masked, the longest first, so that no part of one remains."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
