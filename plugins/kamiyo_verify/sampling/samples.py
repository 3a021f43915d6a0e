"""The result of a sampling, and whether it has enough samples to be used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from kamiyo_verify.model.words import Stopping

FEWEST = 20
"""With fewer samples even a true p95 has at most one sample above it."""

FEWEST_BAD = 3
"""With this many samples, all of them bad, even a true error rate of 36 % would be a surprise (5 %)."""


@dataclass(frozen=True, slots=True)
class SampleSet:
    """The samples, in the order in which they were due.

    The durations exclude connection set-up. A request that was sent late, because every sender was still
    waiting for an answer, is timed from the time at which it was due: its users would have waited as well.

    Attributes:
        durations_ms: to the last byte; if no answer came, the time waited for it.
        first_byte_ms: likewise, to the end of the headers.
        paths: the requested path of each duration.
        bad: samples without an answer, with 500 or more, with 4xx where other samples are answered with 2xx,
            or with 3xx from an endpoint that answers with 2xx at other times.
        total: samples that count; one for each duration.
        rate_limited: samples answered with 429; they count in nothing else.
        challenged: samples that a firewall answered, to see whether a browser asks; likewise.
        not_sent: samples that failed on this machine, such as at its proxy; likewise.
        message: how the sampling went, in one sentence.
        unanswered: those of `bad` that had no answer at all.
        beside: samples answered with other 3xx or 4xx: whether that is correct is unknown, and they count in
            nothing else.
        late: samples that were sent late, and timed from when they were due.
        connecting_ms: name lookup, connection and TLS of each; 0 on a reused connection.
        stopping: SEQUENTIAL if a rule that reads the samples could end the sampling, else FIXED.
        unexpected: those of `bad` that were answered with 3xx or 4xx.
        offsets_s: when each was due, in seconds from the first; one for each of `failed`.
        failed: for each sample, whether it is bad.
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
    unexpected: int = 0
    offsets_s: tuple[float, ...] = ()
    failed: tuple[bool, ...] = ()
    challenged: int = 0
    not_sent: int = 0

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> SampleSet:
        """Restore a set from its JSON-safe form."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**{**fields, "stopping": Stopping(data.get("stopping", Stopping.FIXED))})

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of `durations_ms`, by the nearest rank; raises like `timed`."""
        return _p95(self.timed.durations_ms)

    @property
    def first_byte_p95_ms(self) -> float:
        """The 95th percentile of `first_byte_ms`, by the nearest rank; raises like `timed`."""
        return _p95(self.timed.first_byte_ms)

    @property
    def set_up_ms(self) -> tuple[float, ...]:
        """The set-up time of each connection that was opened, in ms."""
        return tuple(taken for taken in self.connecting_ms if taken)

    def by_path(self, durations: Sequence[float]) -> dict[str, tuple[float, ...]]:
        """Group durations, one for each sample, by the requested path without its query."""
        found: dict[str, list[float]] = {}
        for path, duration in zip(self.paths, durations, strict=True):
            found.setdefault(path.partition("?")[0], []).append(duration)
        return {path: tuple(values) for path, values in found.items()}

    @property
    def failures_by_path(self) -> dict[str, tuple[int, int]]:
        """Bad samples and all samples, by the requested path without its query."""
        found: dict[str, tuple[int, int]] = {}
        for path, failed in zip(self.paths, self.failed, strict=False):
            bad, total = found.get(path.partition("?")[0], (0, 0))
            found[path.partition("?")[0]] = (bad + failed, total + 1)
        return found

    @property
    def outcomes(self) -> tuple[int, ...]:
        """For each sample 1 if it is bad, else 0."""
        return tuple(map(int, self.failed))

    @property
    def taken(self) -> SampleSet:
        """The set itself if it has enough samples; a few are enough where every one of them is bad.

        Raises:
            NoAnswer: there are too few samples to use: rate limits, or nothing but 3xx and 4xx.
        """
        all_bad = self.bad == self.total >= FEWEST_BAD
        if self.total < FEWEST and not all_bad:
            kind = NoAnswerKind.RATE_LIMITED if self.rate_limited else NoAnswerKind.UNUSABLE
            kind = NoAnswerKind.CHALLENGED if self.challenged else kind
            kind = NoAnswerKind.LOCAL if self.not_sent else kind
            raise NoAnswer(kind, f"{self.total} samples where {FEWEST} are the fewest: {self.message}")
        return self

    @property
    def timed(self) -> SampleSet:
        """The set itself if its times can be used.

        Raises:
            NoAnswer: see `taken`.
            WrongAnswer: more than one in twenty samples is bad: their times would count as those of answers.
        """
        if self.taken.bad * 20 > self.total:
            raise WrongAnswer(
                f"{self.bad} of {self.total} requests failed, so their times say nothing: {self.message}"
            )
        return self


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
