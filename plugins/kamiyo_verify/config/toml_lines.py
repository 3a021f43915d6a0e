"""Find the line of each key in a TOML file, which `tomllib` does not provide."""

from __future__ import annotations

import re
from collections import Counter

from kamiyo_verify.config.mistakes import Loc

_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_OPENS = re.compile(r"=\s*\[\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")


def lines_of(text: str) -> dict[Loc, int]:
    """Return the line (from 1) of every table and key that begins a line, and of such rows of an array.

    Keys inside inline tables have no entry; the nearest is the line of their table.
    """
    found: dict[Loc, int] = {}
    rows: Counter[Loc] = Counter()
    table: Loc = ()
    open_quote, array = "", Loc()
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
            place = (*table, *_steps(key[1]))
            found.setdefault(place, number)
            # Rows are counted over all tables of the array's name, as those of [[a.b]] are.
            array = tuple(step for step in place if isinstance(step, str)) if _OPENS.search(line) else ()
            open_quote = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
        elif array and line.lstrip().startswith("{"):
            rows[array] += 1
            found.setdefault((*array, rows[array] - 1), number)
    return found


def _steps(dotted: str) -> Loc:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, dotted))
