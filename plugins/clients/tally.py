"""Counting samples as they come in, in the order in which they were due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from plugins.clients.answer import Answer
from plugins.clients.samples import FEWEST, SampleSet
from plugins.clients.senders import Asked
from plugins.model.outcomes import NoAnswer
from plugins.model.words import Stopping

Settled = Callable[[float, bool], bool]
"""Is told the duration of each sample in ms, and whether it is bad; says whether enough is known now."""

_MOST_REFUSED = 5  # 429 in a row, or silence from the start: more would teach nothing


@dataclass(slots=True)
class Tally:
    """What the samples come to so far.

    A fast answer overtakes a slow one that was due before it. Counted as they come, the samples at hand would
    be the fast ones, and a rule that looks at them would end on those. So each is counted when all that were
    due before it have ended.

    Attributes:
        settled: the rule that may end the sampling; None lets it run to its end.
        enough: the rule says so, of all that is counted.
    """

    settled: Settled | None = None
    enough: bool = False
    durations_ms: list[float] = field(default_factory=list)
    first_byte_ms: list[float] = field(default_factory=list)
    connecting_ms: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bad: int = 0
    unanswered: int = 0
    rate_limited: int = 0
    beside: int = 0
    late: int = 0
    _refused_in_a_row: int = 0
    _ended: int = 0
    _ahead: dict[int, Asked] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """How many have ended, counted or not yet."""
        return self._ended + len(self._ahead)

    @property
    def hopeless(self) -> str:
        """Why to go on would teach nothing, or ""."""
        if self._refused_in_a_row >= _MOST_REFUSED:
            return "every request is answered 429"
        if self.unanswered == len(self.paths) >= _MOST_REFUSED:
            return "no request is answered"
        return ""

    def take(self, asked: Asked) -> None:
        """Count one that has ended, and those that only waited for it.

        Raises:
            Exception: what it ended with, where that is neither an answer nor a NoAnswer.
        """
        self._ahead[asked.number] = asked
        while (following := self._ahead.pop(self._ended, None)) is not None:
            self._ended += 1
            self._count(following)

    def told(self, wanted: int, took_s: float, ended: str) -> SampleSet:
        """The finished set."""
        parts = [f"{len(self.paths)} of {wanted} samples in {took_s:.0f} s, connection set-up left out"]
        parts += [f"{self.bad} bad ({self.unanswered} without an answer)"] if self.bad else []
        parts += [f"{self.rate_limited} answered 429 and left out"] if self.rate_limited else []
        parts += [f"{self.beside} answered 3xx or 4xx and left out"] if self.beside else []
        parts += [f"{self.late} sent late and timed from when they were due"] if self.late else []
        parts += [f"ended early: {ended}"] if ended else []
        return SampleSet(
            durations_ms=tuple(self.durations_ms),
            first_byte_ms=tuple(self.first_byte_ms),
            paths=tuple(self.paths),
            bad=self.bad,
            total=len(self.paths),
            rate_limited=self.rate_limited,
            message="; ".join(parts),
            unanswered=self.unanswered,
            beside=self.beside,
            late=self.late,
            connecting_ms=tuple(self.connecting_ms),
            # Also where the rule did not end it: it could have, and that is a look at the samples.
            stopping=Stopping.SEQUENTIAL if self.settled else Stopping.FIXED,
        )

    def _count(self, asked: Asked) -> None:
        answer = asked.answer
        if isinstance(answer, NoAnswer):
            waited_ms = asked.late_ms + asked.waited_ms
            self.unanswered += 1
            self._refused_in_a_row = 0
            self._add(asked, waited_ms, waited_ms, 0.0, bad=True)
        elif isinstance(answer, Exception):
            raise answer
        elif answer.status == 429:
            self.rate_limited += 1
            self._refused_in_a_row += 1
        else:
            self._refused_in_a_row = 0
            self._answered(asked, answer)

    def _answered(self, asked: Asked, answer: Answer) -> None:
        if 300 <= answer.status < 500:
            self.beside += 1
            return
        before_ms = asked.late_ms - answer.connecting_ms
        self._add(
            asked,
            before_ms + answer.elapsed_ms,
            before_ms + answer.first_byte_ms,
            answer.connecting_ms,
            bad=answer.status >= 500,
        )

    def _add(
        self, asked: Asked, duration_ms: float, first_byte_ms: float, connecting_ms: float, *, bad: bool
    ) -> None:
        self.paths.append(asked.path)
        self.durations_ms.append(duration_ms)
        self.first_byte_ms.append(first_byte_ms)
        self.connecting_ms.append(connecting_ms)
        self.bad += bad
        self.late += asked.late_ms > 0
        if self.settled is not None:
            known = self.settled(duration_ms, bad)
            self.enough = known and len(self.paths) >= FEWEST
