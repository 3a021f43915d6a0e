"""Find known values in a text whose escapes are undone: as text, in base64, and as bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from kamiyo_verify.masking.escapes import layers_of
from kamiyo_verify.masking.forms import as_base64, as_bytes, as_text, base64_cores, one_of

SHORT = 6
"""Shorter values occur inside many words: they are masked only as whole words."""

_LONG_RUN = 16
"""Few words are this long: most base64 is searched for only in runs of this many characters."""


class Search:
    """Searches for all values at once.

    Args:
        values: each with the name of its credential.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        plain: list[tuple[str, str]] = []
        encoded: list[tuple[str, str]] = []
        as_numbers: list[tuple[str, str]] = []
        for value, name in values.items():
            plain += [(pattern, name) for pattern in _as_text(value)]
            if len(value) >= SHORT:
                cores = base64_cores(value.encode("utf-8", "replace"))
                by_runs = min(map(len, cores)) >= _LONG_RUN
                (encoded if by_runs else plain).extend((pattern, name) for pattern in as_base64(value))
                as_numbers += [(pattern, name) for pattern in as_bytes(value)]
        self._plain = _Any(plain)
        self._numbers = _Any(as_numbers)
        # Most of a text is in no such run, and base64 of many values begins with every letter.
        self._runs, self._encoded = re.compile(f"[A-Za-z0-9+/_-]{{{_LONG_RUN},}}"), _Any(encoded)

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and name of each value."""
        spans = self._plain.spans(text, 0, len(text)) + self._numbers.spans(text, 0, len(text))
        for run in self._runs.finditer(text):
            spans += self._encoded.spans(text, run.start(), run.end())
        return spans


class _Any:
    """Searches for any of several patterns, each with the name of a credential."""

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        names: dict[str, str] = {}
        for pattern, name in patterns:
            names.setdefault(pattern, name)
        # The longest first, so that a value that is part of another one does not leave the rest visible.
        ordered, self.pattern = one_of(sorted(names, key=len, reverse=True))
        self._names = [names[pattern] for pattern in ordered]

    def spans(self, text: str, start: int, end: int) -> list[tuple[int, int, str]]:
        """Start, end and name of each value between these positions."""
        spans: list[tuple[int, int, str]] = []
        if self.pattern is None:
            return spans
        found = self.pattern.search(text, start, end)
        while found:
            spans.append((found.start(), found.end(), self._names[(found.lastindex or 1) - 1]))
            # Another value may begin within this one and end after it.
            found = self.pattern.search(text, found.start() + 1, end)
        return spans


def _as_text(value: str) -> Iterator[str]:
    for form in layers_of(value):
        if len(form) < SHORT:
            first, rest = re.escape(form[0]), re.escape(form[1:])
            yield rf"{first}(?<![A-Za-z0-9_]{first}){rest}(?![A-Za-z0-9_])"
        else:
            yield from as_text(form)
