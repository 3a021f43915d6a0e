"""What a sampling showed, and whether that is enough to say anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.words import Stopping

FEWEST = 20
"""Under so many even a true p95 has one sample above it."""


@dataclass(frozen=True, slots=True)
class SampleSet:
    """What the samples showed, in the order in which they were due.

    Connection set-up is in none of the durations. A request that was sent late, since every sender still
    waited for an answer, is timed from the moment at which it was due: its users would have waited as well.

    Attributes:
        durations_ms: to the last byte; where no answer came, the time waited for it.
        first_byte_ms: likewise, to the end of the headers.
        paths: what was asked, one for each duration.
        bad: how many were answered 500 or more, or not at all.
        total: how many count; one for each duration.
        rate_limited: how many were answered 429; they count in nothing else.
        message: how it went, in one sentence.
        unanswered: how many of `bad` had no answer at all.
        beside: how many were answered 3xx or 4xx, which measures nothing; they count in nothing else.
        late: how many were sent late, and timed from when they were due.
        connecting_ms: name lookup, connection and TLS of each; 0 on a connection that stood already.
        stopping: a rule that looked at the samples could end it, or their number was settled.
    """

    durations_ms: tuple[float, ...]
    first_byte_ms: tuple[float, ...]
    paths: tuple[str, ...]
    bad: int
    total: int
    rate_limited: int
    message: str
    unanswered: int = 0
    beside: int = 0
    late: int = 0
    connecting_ms: tuple[float, ...] = ()
    stopping: Stopping = Stopping.FIXED

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> SampleSet:
        """A set from its JSON-safe form."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**{**fields, "stopping": Stopping(data.get("stopping", Stopping.FIXED))})

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of `durations_ms`, by the nearest rank; raises as `timed`."""
        return _p95(self.timed.durations_ms)

    @property
    def first_byte_p95_ms(self) -> float:
        """The 95th percentile of `first_byte_ms`, by the nearest rank; raises as `timed`."""
        return _p95(self.timed.first_byte_ms)

    @property
    def set_up_ms(self) -> tuple[float, ...]:
        """The set-up of each connection that was opened."""
        return tuple(taken for taken in self.connecting_ms if taken)

    def by_path(self, durations: Sequence[float]) -> dict[str, tuple[float, ...]]:
        """Durations, one for each sample, by the path that was asked, without its query."""
        found: dict[str, list[float]] = {}
        for path, duration in zip(self.paths, durations, strict=True):
            found.setdefault(path.partition("?")[0], []).append(duration)
        return {path: tuple(values) for path, values in found.items()}

    @property
    def taken(self) -> SampleSet:
        """Itself.

        Raises:
            NoAnswer: there are too few samples to say anything: rate limits, or nothing but 3xx and 4xx.
        """
        if self.total < FEWEST:
            kind = NoAnswerKind.RATE_LIMITED if self.rate_limited else NoAnswerKind.UNUSABLE
            raise NoAnswer(kind, f"{self.total} samples where {FEWEST} are the fewest: {self.message}")
        return self

    @property
    def timed(self) -> SampleSet:
        """Itself.

        Raises:
            NoAnswer: as of `taken`; or more than one in twenty samples is bad, and their times would pass for
                those of answers.
        """
        if self.taken.bad * 20 > self.total:
            message = (
                f"{self.bad} of {self.total} requests failed, so their times say nothing: {self.message}"
            )
            raise NoAnswer(NoAnswerKind.UNUSABLE, message)
        return self


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
