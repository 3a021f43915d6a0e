"""Patterns of a secret in encodings that cannot be decoded without knowing where they begin."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

BETWEEN_BYTES = r"(?:00)?[\s:,._-]{0,2}(?:0[xX])?"


def as_text(value: str) -> Iterator[str]:
    """Patterns of a value as text, each of which begins with a plain character.

    A space may be written as a plus, as in form encoding; a quote may be doubled, as in SQL and CSV.
    """
    last = len(value) - 1
    for first in " +" if value[0] in " +" else value[0]:
        rest = (
            "[ +]" if char in " +" else f"{char}{char}?" if char in "'\"" and at != last else re.escape(char)
            for at, char in enumerate(value[1:], 1)
        )
        yield re.escape(first) + "".join(rest)


def as_base64(value: str) -> Iterator[str]:
    """Patterns of base64 of any text that contains the value, in both alphabets, of UTF-8 and of UTF-16."""
    for raw in (value.encode("utf-8", "replace"), value.encode("utf-16-le", "replace")):
        for core in base64_cores(raw):
            for first in {"+": "+-", "/": "/_"}.get(core[0], core[0]):
                yield re.escape(first) + "".join(map(either_alphabet, core[1:]))


def base64_cores(raw: bytes) -> Iterator[str]:
    """Base64 of bytes within other bytes, without boundary characters that also encode other bytes.

    The result depends on where the bytes begin within a group of three, so there are three results.
    """
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw + b"\0\0").decode()
        yield whole[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]


def as_bytes(value: str) -> Iterator[str]:
    """Patterns of the bytes in hex, in either case and with separators, and in decimal."""
    raw = value.encode("utf-8", "replace")
    pairs = [f"{byte:02x}" for byte in raw]
    rest = "".join(BETWEEN_BYTES + "".join(map(either_case, pair)) for pair in pairs[1:])
    for first in dict.fromkeys((pairs[0][0], pairs[0][0].upper())):
        yield first + either_case(pairs[0][1]) + rest
    numbers = r",\s{0,8}".join(map(str, raw))
    yield rf"{numbers[0]}(?<![0-9]{numbers[0]}){numbers[1:]}(?![0-9])"


def either_alphabet(char: str) -> str:
    """A pattern of a base64 character in its standard and its URL-safe alphabet."""
    return {"+": "[+-]", "/": "[/_]"}.get(char, char)


def either_case(digit: str) -> str:
    """A pattern of a hex digit in either case."""
    return f"[{digit}{digit.upper()}]" if digit.isalpha() else digit


def one_of(patterns: list[str]) -> tuple[list[str], re.Pattern[str] | None]:
    """Combine patterns that each begin with a plain character; also return them in the order of its groups.

    Patterns with the same first character are grouped, in the given order: a search then skips most text.
    """
    by_first: dict[str, list[str]] = {}
    for pattern in patterns:
        by_first.setdefault(pattern[:2] if pattern[0] == "\\" else pattern[0], []).append(pattern)
    branches = [
        f"{first}(?:{'|'.join(f'({pattern.removeprefix(first)})' for pattern in alike)})"
        for first, alike in by_first.items()
    ]
    ordered = [pattern for alike in by_first.values() for pattern in alike]
    return ordered, re.compile("|".join(branches)) if branches else None
