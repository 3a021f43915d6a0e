"""Find whether an incomplete text ends in the beginning of a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kamiyo_verify.masking.escapes import layers_of, readings, torn_off
from kamiyo_verify.masking.forms import base64_cores

_SHORT = 6
_SPACING = 8
"""Most characters between two characters of a secret: hex separators, commas, a doubled quote."""

_PREFIXED = re.compile(r"0[xX](?=[0-9a-fA-F]{0,2}\Z|[0-9a-fA-F]{2})|[^\W_]")


class Begun:
    """Compares letters and digits alone, in either case: it may hold back too much, and never too little.

    Args:
        values: the secrets.
    """

    def __init__(self, values: Iterable[str]) -> None:
        forms = [form for value in values for form in _forms_of(value)]
        self._bare = sorted({bare for form in forms if (bare := _bare_text(form))})
        self._marks = {form[0] for form in forms if not form[0].isalnum()}
        self._longest = max(map(len, forms), default=0)

    def length(self, text: str) -> int:
        """How many characters at the end of the text may be the beginning of a secret."""
        if not self._longest:
            return 0
        tail = text[-6 * self._longest :]
        held = 0
        ends = dict.fromkeys((tail, torn_off(tail)))
        for reading in (reading for end in ends for reading in readings(end)):
            place = self._place(torn_off(reading.text))
            if place < len(reading.text):
                held = max(held, len(tail) - reading.origin(place, place + 1)[0])
        return max(held, len(tail) - min(map(len, ends)))

    def _place(self, text: str) -> int:
        """The position from which the text is held back."""
        found = _bare(text[-self._longest * _SPACING :])
        shift = max(0, len(text) - self._longest * _SPACING)
        letters = "".join(letter for letter, _ in found)
        longest = max((_overlap(form, letters) for form in self._bare), default=0)
        place = found[-longest][1] + shift if longest else len(text)
        if not longest or place > 0:
            while place > 0 and text[place - 1] in self._marks:
                place -= 1
        return place


def _forms_of(value: str) -> Iterator[str]:
    yield from layers_of(value)
    if len(value) >= _SHORT:
        for raw in (value.encode("utf-8", "replace"), value.encode("utf-16-le", "replace")):
            yield from base64_cores(raw)
        raw = value.encode("utf-8", "replace")
        yield raw.hex()
        yield ",".join(map(str, raw))


def _bare(text: str) -> list[tuple[str, int]]:
    """Letters and digits, each with its place; the 0x before a byte does not count."""
    return [
        (found.group().casefold()[:1], found.start())
        for found in _PREFIXED.finditer(text)
        if len(found.group()) == 1
    ]


def _bare_text(text: str) -> str:
    return "".join(letter for letter, _ in _bare(text))


def _overlap(form: str, text: str) -> int:
    """How many characters at the end of a text match the start of a form."""
    at = text.find(form[0], max(0, len(text) - len(form)))
    while at >= 0:
        if form.startswith(text[at:]):
            return len(text) - at
        at = text.find(form[0], at + 1)
    return 0
