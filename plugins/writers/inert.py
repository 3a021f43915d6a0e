"""Text that a target sent, made harmless: nothing that moves a cursor, hides, or goes on for ever."""

from __future__ import annotations

import re

# Control characters but tab and line feed, invisible ones, those that turn the direction of writing,
# halves of pairs, and what is no character at all.
_LIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def inert(text: str, limit: int = 600) -> str:
    r"""The text with live characters written out (`\x1b`), cut at `limit` characters, which it then says."""
    excess = len(text) - limit
    kept = text[:limit].rstrip() if excess > 0 else text
    shown = _LIVE.sub(_written_out, kept.replace("\r\n", "\n").replace("\t", "  "))
    return f"{shown}… ({excess:,} characters more)" if excess > 0 else shown


def one_line(text: str, limit: int = 300) -> str:
    """As `inert`, and on a single line."""
    return inert(" ".join(text.split()), limit)


def written_out_in_json(text: str) -> str:
    """JSON that means the same, with every live character as an escape: safe to print on a terminal."""
    return _LIVE.sub(_as_json_escape, text)


def _written_out(live: re.Match[str]) -> str:
    code = ord(live.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _as_json_escape(live: re.Match[str]) -> str:
    units = live.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
