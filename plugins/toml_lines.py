"""On which line of a TOML file each key stands. `tomllib` does not tell."""

from __future__ import annotations

import re
from collections import Counter

from plugins.mistakes import Loc

_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")


def lines_of(text: str) -> dict[Loc, int]:
    """The line (from 1) of every table and key that begins a line of its own.

    Keys inside inline tables have no entry: their table's line is the nearest.
    """
    found: dict[Loc, int] = {}
    rows: Counter[Loc] = Counter()
    table: Loc = ()
    open_quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
        elif header := _HEADER.match(line):
            table = _steps(header[2])
            if header[1] == "[[":
                rows[table] += 1
                table = (*table, rows[table] - 1)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_steps(key[1])), number)
            open_quote = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
    return found


def _steps(dotted: str) -> Loc:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, dotted))
