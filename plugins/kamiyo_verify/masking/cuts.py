"""Find the rest of a secret where a text was cut: its start before an ellipsis, its end after one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kamiyo_verify.masking.escapes import layers_of, torn_off
from kamiyo_verify.masking.forms import base64_cores, either_alphabet, either_case, one_of
from kamiyo_verify.masking.parts import secret_part

_CUT = 6
"""Fewest characters of a value next to an ellipsis that are masked."""

_BARE = 8
"""Likewise at the end of a text without an ellipsis, which may have been cut by its bytes."""

_CODED = 10
"""Likewise of a value in base64 or hex."""

_TELLING = 4
"""How many of these characters must be of the secret part: the host of an address is not secret."""

_MARK = re.compile(r"[ \t]*(?:…|\.\.\.)[ \t]*")
_TO_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a value is written.

    Attributes:
        name: of the credential.
        text: the whole value in this form.
        least: the fewest characters of it that are masked.
        secret: start and end of its secret part.
        pattern: builds the pattern for some of its characters.
        standard: normalizes a piece of a text to the spelling of `text`.
    """

    name: str
    text: str
    least: int
    secret: tuple[int, int]
    pattern: Callable[[str], str]
    standard: Callable[[str], str]

    def tells(self, begin: int, end: int) -> bool:
        """These characters include enough of the secret part to be masked."""
        first, last = self.secret
        return min(end, last) - max(begin, first) >= min(_TELLING, last - first)


class Cuts:
    """Finds the remaining parts of known values in a cut text.

    Args:
        values: each with the name of its credential.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        # The user beside a password is not secret, though the pair is a known value.
        whole = [value for value in values if not any(f"://{value}@" in other for other in values)]
        self._forms = [form for value in whole for form in _forms_of(values[value], value)]
        self._longest = max((len(form.text) for form in self._forms), default=0)
        able = [form for form in self._forms if len(form.text) > form.least]
        self._heads, self._by_head = _indexed(able, lambda form: form.text[: form.least])
        self._tails, self._by_tail = _indexed(able, lambda form: form.text[-form.least :])

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and name of each partial value, in a text whose escapes are undone."""
        if self._heads is None:
            return
        if "…" in text or "..." in text:
            marks = [*_MARK.finditer(text)]
            for number, mark in enumerate(marks):
                yield from self._before(text, mark.start(), 0)
                following = marks[number + 1].start() if number + 1 < len(marks) else len(text)
                yield from self._after(text, mark.end(), following)
        if self._heads.search(text, max(0, len(text) - self._longest - 10)):
            yield from self._before(text, len(text), _BARE)

    def _before(self, text: str, end: int, least: int) -> Iterator[tuple[int, int, str]]:
        """The start of a value before a cut, with the incomplete escape that may follow it."""
        floor = max(0, end - self._longest - 10)
        if self._heads is None or not self._heads.search(text, floor, end):
            return
        whole = floor + len(torn_off(text[floor:end]))
        found = self._heads.search(text, floor, whole)
        while found:
            begin = found.start()
            for form in self._by_head[(found.lastindex or 1) - 1]:
                kept = whole - begin
                enough = kept >= max(least, form.least) and form.tells(0, kept)
                if enough and form.text.startswith(form.standard(text[begin:whole])):
                    yield begin, end, form.name
                    return
            found = self._heads.search(text, begin + 1, whole)

    def _after(self, text: str, start: int, following: int) -> Iterator[tuple[int, int, str]]:
        """The end of a value after a cut, or a middle piece between two cuts."""
        limit = min(len(text), start + self._longest)
        if self._tails is None:
            return
        found = self._tails.search(text, start, limit)
        while found:
            end = found.end()
            for form in self._by_tail[(found.lastindex or 1) - 1]:
                size = len(form.text)
                enough = form.tells(size - (end - start), size)
                if enough and form.text.endswith(form.standard(text[start:end])):
                    yield start, end, form.name
                    return
            found = self._tails.search(text, found.start() + 1, limit)
        if _CUT <= following - start <= self._longest and following < len(text):
            piece = text[start:following]
            for form in self._forms:
                at = form.text.find(form.standard(piece))
                if at >= 0 and len(piece) >= form.least and form.tells(at, at + len(piece)):
                    yield start, following, form.name
                    return


def _forms_of(name: str, value: str) -> Iterator[_Form]:
    for form in layers_of(value):
        yield _Form(name, form, _CUT, secret_part(form), re.escape, str)
    if len(value) < _CUT:
        return
    for core in base64_cores(value.encode("utf-8", "replace")):
        yield _Form(name, core, _CODED, (0, len(core)), either_alphabet, _standard_base64)
    digits = value.encode("utf-8", "replace").hex()
    yield _Form(name, digits, _CODED, (0, len(digits)), either_case, str.lower)


def _standard_base64(text: str) -> str:
    return text.translate(_TO_STANDARD)


def _indexed(
    forms: Iterable[_Form], piece: Callable[[_Form], str]
) -> tuple[re.Pattern[str] | None, list[list[_Form]]]:
    """A pattern of a piece of each form, and the forms of each of its groups."""
    alike: dict[str, list[_Form]] = {}
    for form in forms:
        for pattern in _starting_plain(form, piece(form)):
            alike.setdefault(pattern, []).append(form)
    ordered, found = one_of(list(alike))
    return found, [alike[each] for each in ordered]


def _starting_plain(form: _Form, piece: str) -> Iterator[str]:
    """The patterns of a piece, each of which begins with a plain character."""
    first = form.pattern(piece[0])
    rest = "".join(form.pattern(char) for char in piece[1:])
    for each in first[1:-1] if first.startswith("[") else (first,):
        yield (re.escape(each) if len(each) == 1 else each) + rest
