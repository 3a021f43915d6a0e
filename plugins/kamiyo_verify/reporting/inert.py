"""Neutralise external text for reports: escape control characters and limit the length."""

from __future__ import annotations

import re

from kamiyo_verify.model.writing.text import LIVE, visible

_LIVE = re.compile(f"[{LIVE}]")


def inert(text: str, limit: int = 600) -> str:
    r"""Return the text with live characters escaped (`\x1b`), cut at `limit` characters: "…"."""
    excess = len(text) - limit
    kept = text[:limit].rstrip() if excess > 0 else text
    shown = visible(kept.replace("\r\n", "\n").replace("\t", "  "))
    return f"{shown} …" if excess > 0 else shown


def one_line(text: str, limit: int = 300) -> str:
    """Return the text as `inert` does, on a single line."""
    return inert(" ".join(text.split()), limit)
