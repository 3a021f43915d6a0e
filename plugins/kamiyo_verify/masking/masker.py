"""Replace secrets in every output: known credentials in any form, and text that looks like a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from kamiyo_verify.masking.begun import Begun
from kamiyo_verify.masking.channel_addresses import secrets_of
from kamiyo_verify.masking.cuts import Cuts
from kamiyo_verify.masking.escapes import readings
from kamiyo_verify.masking.parts import parts_of
from kamiyo_verify.masking.search import Search
from kamiyo_verify.masking.shapes import without_shapes
from kamiyo_verify.model.notifications import Notifications
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.writing.text import safe_text

_SHORTEST = 3
"""A shorter value is not a secret, and masking it would make texts unreadable."""

_WORD = 120
"""Up to this many characters a text is likely to repeat, as keys, ids and the runbook's lines do."""

_WRITTEN = 64
"""The most characters in which one character of a value may be written, in layers of escapes."""

_NO_TEXT = frozenset({int, float, bool, type(None)})

T = TypeVar("T")


class HoldsSecrets(Protocol):
    """A source of credentials: an environment."""

    @property
    def secrets(self) -> Mapping[str, Credential]:
        """Each credential by its dotted key."""

    @property
    def notifications(self) -> Notifications:
        """The notification channels, whose addresses contain secrets."""


class Masker:
    """Replaces secrets in text and in JSON-safe data; makes text safe for every encoder.

    Args:
        spared: words of the report itself, such as the environment's name. A credential equal to one of them
            is not masked, as masking it would make the report unreadable.
    """

    def __init__(self, spared: Iterable[str] = ()) -> None:
        self._spared = {word.casefold() for word in spared}
        self._values: dict[str, str] = {}
        self._reach = 0
        self._search, self._cuts, self._begun = Search({}), Cuts({}), Begun({})
        self._remembered = lru_cache(maxsize=65_536)(self._masked)

    def learn(self, environment: HoldsSecrets) -> None:
        """Add every credential of an environment, in each form in which it may be written."""
        present = [one for one in environment.secrets.values() if one.present]
        self.learn_values({credential.name: credential.reveal() for credential in present})
        for channel in environment.notifications.channels:
            for part in secrets_of(channel.reveal()) if channel.present else ():
                self.learn_values({channel.name: part})

    def learn_values(self, values: Mapping[str, str]) -> None:
        """Add these values, by the names of their credentials."""
        for name, value in values.items():
            for part in parts_of(value.strip()):
                if len(part) >= _SHORTEST and part.casefold() not in self._spared:
                    self._values.setdefault(part, name)
        self._reach = _WRITTEN * max(map(len, self._values), default=0)
        self._search, self._cuts, self._begun = Search(self._values), Cuts(self._values), Begun(self._values)
        self._remembered.cache_clear()

    @property
    def values(self) -> tuple[str, ...]:
        """Each value that it knows, and each secret part of one: for a log that masks by itself."""
        return tuple(self._values)

    @property
    def known(self) -> int:
        """How many values it knows."""
        return len(self._values)

    def text(self, text: str) -> str:
        """The text with `[NAME]` for a known credential, and `***` for what looks like a secret."""
        return self._remembered(text) if len(text) <= _WORD else self._masked(text)

    def _masked(self, text: str) -> str:
        text = safe_text(text)
        return without_shapes(self._without(text, self._spans(text, cuts=True)))

    def values_in(self, text: str) -> str:
        """Like `text`, but masks known values only: for files whose own code may look like a secret."""
        return self._without(text, self._spans(text, cuts=False))

    def data(self, data: T) -> T:
        """JSON-safe data of the same shape, with the secrets in each string masked."""
        return self._data(data)  # type: ignore[return-value]

    def begun_in(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a known value."""
        place = len(text) - self._begun.length(text)
        # The part before it must not end within a complete value either.
        for begin, end, _ in sorted(self._spans(text, cuts=False), reverse=True):
            if begin < place < end:
                place = begin
        return len(text) - place

    def _spans(self, text: str, *, cuts: bool) -> Iterator[tuple[int, int, str]]:
        """Start, end and name of each known value, in every form in which it may be written."""
        if not self._values:
            return
        for reading in readings(text, self._reach):
            for begin, end, name in self._search.spans(reading.text):
                yield *reading.origin(begin, end), name
            if cuts:
                for begin, end, name in self._cuts.spans(reading.text):
                    yield *reading.origin(begin, end), name

    def _without(self, text: str, spans: Iterable[tuple[int, int, str]]) -> str:
        pieces: list[str] = []
        at, last = 0, (0, 0, "")
        for begin, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
            if begin < last[1]:
                last = (last[0], max(end, last[1]), last[2])
                continue
            if last[2]:
                pieces += [text[at : last[0]], f"[{last[2]}]"]
                at = last[1]
            last = (begin, end, name)
        if not last[2]:
            return text
        return "".join([*pieces, text[at : last[0]], f"[{last[2]}]", text[last[1] :]])

    def _data(self, data: object) -> object:
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, dict):
            text, within = self.text, self._data
            return {
                # Nearly all parts of a report are plain texts and numbers: no further call for these.
                text(key) if type(key) is str else within(key): (
                    value if type(value) in _NO_TEXT else text(value) if type(value) is str else within(value)
                )
                for key, value in data.items()
            }
        if isinstance(data, list):
            return [self._data(value) for value in data]
        return tuple(self._data(value) for value in data) if isinstance(data, tuple) else data
