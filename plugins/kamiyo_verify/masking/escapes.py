"""Undo escapes in a text: percent-encoding, JSON, HTML, shells, quoted-printable, and layers of them.

A text is read several times: as it is, and with its escapes undone once, twice, and so on. Each reading keeps
the original position of every character, so that a secret found in it can be replaced in the original text.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from html import unescape

_PASSES = 4
"""How many layers of escapes are undone, such as percent-encoding in JSON in HTML."""

_H = "[0-9a-fA-F]"
_NEXT = "[89abAB]" + _H


def _utf8(mark: str) -> str:
    """One UTF-8 character, or else one byte, each byte of it written as a mark and two hex digits."""
    two = f"{mark}[c-dC-D]{_H}{mark}{_NEXT}"
    three = f"{mark}[eE]{_H}(?:{mark}{_NEXT}){{2}}"
    four = f"{mark}[fF][0-7](?:{mark}{_NEXT}){{3}}"
    return f"{two}|{three}|{four}|{mark}{_H}{{2}}"


def _whole(pattern: str) -> re.Pattern[str]:
    """A pattern whose one group is all of it, so that it can split a text and keep what it found."""
    return re.compile(f"({pattern})")


_ESCAPES = _whole(
    "|".join(
        (
            f"%u{_H}{{4}}",
            _utf8("%"),
            rf"\\U{_H}{{8}}",
            rf"\\u\{{{_H}{{1,6}}\}}",
            rf"\\u[dD][89abAB]{_H}{{2}}\\u[dD][c-fC-F]{_H}{{2}}",
            rf"\\u{_H}{{4}}",
            _utf8(r"\\x"),
            r"\\[0-3][0-7]{2}",
            r"\\[nrtbf0]",
            r"\\[^A-Za-z0-9\r\n]",
            r"&#[0-9]{1,7};?",
            rf"&#[xX]{_H}{{1,6}};?",
            r"&[A-Za-z][A-Za-z0-9]{1,31};",
            r"'\\''",  # a quote within quotes, as a shell writes it
            r"""'"'"'""",
            r"\x00",  # UTF-16 read as bytes
            r"\x1b\[[0-9;]*m",  # colours that a highlighter inserted
            r"\n(?<=[A-Za-z0-9+/_-]{16}\n)",  # base64 in lines
            r"\r\n(?<=[A-Za-z0-9+/_-]{16}\r\n)",
        )
    )
)
_QUOTED_PRINTABLE = _whole(rf"=\r?\n|{_utf8('=')}")
_SOFT_BREAKS = _whole(r"=\r?\n")
_NULS = _whole(r"\x00")
_TORN = re.compile(
    rf"(?:(?:%{_H}?|\\x{_H}?)*(?:%(?:u{_H}{{0,3}})?|\\(?:[uU]\{{?{_H}{{0,7}}|x{_H}?|[0-7]{{0,2}})?)"
    rf"|&(?:#[xX]?[0-9a-fA-F]{{0,7}}|[A-Za-z][A-Za-z0-9]{{0,8}})?|={_H}?\r?|=\r?|\x1b(?:\[[0-9;]*)?|[%=]{_H}?|\\x{_H}?"
    r"|\b0[xX]?|'(?:\\'?|\"'?)?|'\"'\"?)\Z"
)
"""An incomplete escape at the end of a text."""

_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": ""}


class Reading:
    """A text as it is, or with one more layer of escapes undone.

    Args:
        at: where the text begins in the original one, if it is a part of it.

    Attributes:
        text: the text to search.
    """

    __slots__ = ("_above", "_at", "_begins", "_escapes", "_tokens", "text")

    def __init__(
        self, text: str, above: Reading | None = None, escapes: re.Pattern[str] = _ESCAPES, *, at: int = 0
    ) -> None:
        self.text = text
        self._at = at
        self._above = above
        self._escapes = escapes
        self._tokens: list[tuple[int, int, int, int]] | None = None
        self._begins: list[int] = []

    def undone(self, escapes: re.Pattern[str] = _ESCAPES) -> Reading | None:
        """The next reading; None if no escape is left."""
        text = _all_undone(escapes, self.text)
        return None if text == self.text else Reading(text, self, escapes)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The position, in the original text, of these characters of this reading."""
        if self._above is None:
            return self._at + start, self._at + end
        return self._above.origin(self._before(start)[0], self._before(end - 1)[1] if end else 0)

    def _before(self, at: int) -> tuple[int, int]:
        """Start and end, in the previous reading, of the source of one character."""
        if self._tokens is None:
            self._tokens = [*self._found()]
            self._begins = [token[0] for token in self._tokens]
        index = bisect_right(self._begins, at) - 1
        if index < 0:
            return at, at + 1
        begin, end, above_begin, above_end = self._tokens[index]
        if begin <= at < end:
            return above_begin, above_end
        place = above_end + at - end
        return place, place + 1

    def _found(self) -> Iterator[tuple[int, int, int, int]]:
        """For each escape: start and end in this reading, start and end in the previous one."""
        shift = 0
        for found in self._escapes.finditer(self._above.text if self._above else ""):
            begin = found.start() + shift
            end = begin + len(_plain(found))
            yield begin, end, found.start(), found.end()
            shift = end - found.end()


def readings(text: str, reach: int = sys.maxsize) -> Iterator[Reading]:
    """The text as it is, and with its escapes undone layer by layer; quoted-printable likewise.

    Args:
        text: the original text.
        reach: the most characters that a value may take, however it is written: farther from the escapes of
            quoted-printable, of which a report has very few, the text is not read again.
    """
    first = Reading(text)
    yield from _layers(first)
    if "\0" in text:
        yield from _layers(first.undone(_NULS))
    if "=" in text:
        for part in _around(_QUOTED_PRINTABLE, text, reach):
            yield from _layers(part.undone(_SOFT_BREAKS))
            yield from _layers(part.undone(_QUOTED_PRINTABLE))


def layers_of(value: str) -> list[str]:
    """A value as it is, and with everything in it that looks like an escape undone too."""
    return list(dict.fromkeys(reading.text for reading in _layers(Reading(value)) if reading.text.strip()))


def torn_off(text: str) -> str:
    """The text without an incomplete escape at its end."""
    found = _TORN.search(text, max(len(text) - 12, 0))
    return text[: found.start()] if found else text


def _around(escapes: re.Pattern[str], text: str, reach: int) -> Iterator[Reading]:
    """The parts of a text that are near to such an escape."""
    begin, end = 0, -1
    for found in escapes.finditer(text):
        if end < found.start() - reach:
            if end >= 0:
                yield Reading(text[begin:end], at=begin)
            begin = max(0, found.start() - reach)
        end = min(len(text), found.end() + reach)
    if end >= 0:
        yield Reading(text[begin:end], at=begin)


def _layers(reading: Reading | None) -> Iterator[Reading]:
    for _ in range(_PASSES + 1):
        if reading is None:
            return
        yield reading
        reading = reading.undone()


def _all_undone(escapes: re.Pattern[str], text: str) -> str:
    """The text with every escape undone: without a call for each, as a report has hundreds of thousands."""
    pieces = escapes.split(text)
    if len(pieces) == 1:
        return text
    undone = {escape: _undone(escape) for escape in set(pieces[1::2])}
    pieces[1::2] = map(undone.__getitem__, pieces[1::2])
    return "".join(pieces)


def _plain(found: re.Match[str]) -> str:
    return _undone(found.group())


@lru_cache(maxsize=4_096)
def _undone(escape: str) -> str:
    """The character that an escape stands for; "" for an escape that only separates characters."""
    if escape[0] == "&":
        return unescape(escape if escape.endswith(";") else escape + ";")
    if escape in {"'\\''", "'\"'\"'"}:
        return "'"
    if escape[0] in "\0\x1b\n\r" or escape in {"=\n", "=\r\n"}:
        return ""
    marks = re.findall(rf"(?:%|\\x|=)({_H}{{2}})", escape)
    if marks:
        raw = bytes.fromhex("".join(marks))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    if escape[1] in "uU":
        digits = re.findall(f"{_H}+", escape[2:])
        return _characters([int(each, 16) for each in digits])
    if escape[1] in "0123" and len(escape) == 4:
        return chr(int(escape[1:], 8))
    return _LETTERS.get(escape[1], escape[1])


def _characters(units: list[int]) -> str:
    if len(units) == 2:
        return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be", "replace")
    return chr(units[0]) if units[0] < 0x110000 else ""
