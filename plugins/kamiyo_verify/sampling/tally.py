"""Count samples as they come in, in the order in which they were due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.model.outcomes import OWN_SIDE, NoAnswer, NoAnswerKind
from kamiyo_verify.model.words import Stopping
from kamiyo_verify.sampling.samples import FEWEST, SampleSet
from kamiyo_verify.sampling.senders import SampleResult

Settled = Callable[[float, bool, float], bool]
"""Takes the duration of a sample in ms, whether it is bad, and when it was due in seconds from the first;
returns whether enough is known now."""

_MOST_REFUSED = 5
"""Consecutive 429s, challenges, unsent requests, or lost answers from the start: more show nothing."""


@dataclass(slots=True)
class Tally:
    """The samples counted so far.

    A fast answer can arrive before a slow one that was due earlier. If samples were counted on arrival, the
    first ones would be the fast ones, and a rule that reads the samples would stop on those. So each sample
    is counted when all that were due before it have ended.

    Attributes:
        settled: the rule that may end the sampling; None lets it run to its end.
        began: when the first one was due, by `time.monotonic()`.
        enough: the rule is satisfied by all that is counted.
    """

    settled: Settled | None = None
    began: float = 0.0
    enough: bool = False
    durations_ms: list[float] = field(default_factory=list)
    first_byte_ms: list[float] = field(default_factory=list)
    connecting_ms: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    offsets_s: list[float] = field(default_factory=list)
    bad: int = 0
    unanswered: int = 0
    rate_limited: int = 0
    challenged: int = 0
    not_sent: int = 0
    unexpected: int = 0
    late: int = 0
    _refused_in_a_row: int = 0
    _ended: int = 0
    _ahead: dict[int, SampleResult] = field(default_factory=dict)
    _good: set[str] = field(default_factory=set)
    _doubtful: list[SampleResult] = field(default_factory=list)

    @property
    def ended(self) -> int:
        """How many have ended, counted or not yet."""
        return self._ended + len(self._ahead)

    @property
    def beside(self) -> int:
        """Samples answered with 3xx or 4xx that are not known to fail users."""
        return len(self._doubtful)

    @property
    def hopeless(self) -> str:
        """Why further requests would give no new information, or ""."""
        if self._refused_in_a_row >= _MOST_REFUSED:
            if self.not_sent:
                return f"every request {OWN_SIDE}"
            ours = "challenged by a firewall" if self.challenged else "answered 429"
            return f"every request is {ours}"
        if self.unanswered == len(self.paths) >= _MOST_REFUSED:
            return "no request is answered"
        return ""

    def take(self, result: SampleResult) -> None:
        """Count a sample that has ended, and those that only waited for it.

        Raises:
            Exception: the exception of the request, if it is not a NoAnswer.
        """
        self._ahead[result.number] = result
        while (following := self._ahead.pop(self._ended, None)) is not None:
            self._ended += 1
            self._count(following)

    def sample_set(self, wanted: int, took_s: float, ended: str) -> SampleSet:
        """Build the finished set."""
        parts = [f"{len(self.paths)} of {wanted} samples in {took_s:.0f} s, connection set-up left out"]
        of_these = f"{self.unanswered} without an answer, {self.unexpected} answered 3xx or 4xx"
        parts += [f"{self.bad} bad ({of_these})"] if self.bad else []
        parts += [f"{self.rate_limited} answered 429 and left out"] if self.rate_limited else []
        parts += [f"{self.challenged} challenged by a firewall and left out"] if self.challenged else []
        parts += [f"{self.not_sent} {OWN_SIDE} and left out"] if self.not_sent else []
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
            challenged=self.challenged,
            not_sent=self.not_sent,
            message="; ".join(parts),
            unanswered=self.unanswered,
            beside=self.beside,
            unexpected=self.unexpected,
            offsets_s=tuple(self.offsets_s),
            failed=tuple(self.failed),
            late=self.late,
            connecting_ms=tuple(self.connecting_ms),
            # Also if the rule did not end the sampling: it could have, and that is an interim analysis.
            stopping=Stopping.SEQUENTIAL if self.settled else Stopping.FIXED,
        )

    def _count(self, result: SampleResult) -> None:
        answer = result.answer
        if isinstance(answer, NoAnswer) and answer.kind is NoAnswerKind.CHALLENGED:
            self.challenged += 1
            self._refused_in_a_row += 1
        elif isinstance(answer, NoAnswer) and answer.kind is NoAnswerKind.LOCAL:
            self.not_sent += 1
            self._refused_in_a_row += 1
        elif isinstance(answer, NoAnswer):
            waited_ms = result.late_ms + result.waited_ms
            self.unanswered += 1
            self._refused_in_a_row = 0
            self._add(result, waited_ms, waited_ms, 0.0, bad=True)
        elif isinstance(answer, Exception):
            raise answer
        elif answer.status == 429:
            self.rate_limited += 1
            self._refused_in_a_row += 1
        else:
            self._refused_in_a_row = 0
            self._answered(result, answer)

    def _answered(self, result: SampleResult, answer: Answer) -> None:
        endpoint = result.path.partition("?")[0]
        unexpected = 300 <= answer.status < 500
        if unexpected and not self._is_known(endpoint, answer):
            self._doubtful.append(result)
            return
        if answer.status < 300 and endpoint not in self._good:
            self._good.add(endpoint)
            doubtful, self._doubtful = self._doubtful, []
            for earlier in doubtful:
                self._count(earlier)
        self.unexpected += unexpected
        before_ms = result.late_ms - answer.connecting_ms
        self._add(
            result,
            before_ms + answer.elapsed_ms,
            before_ms + answer.first_byte_ms,
            answer.connecting_ms,
            bad=unexpected or answer.status >= 500,
        )

    def _is_known(self, endpoint: str, answer: Answer) -> bool:
        """Return whether the request is known to be valid, so that 3xx or 4xx is a failure.

        4xx fails it once the service has answered any sample well, so that it is not our credential; 3xx only
        if this endpoint has answered well.
        """
        return endpoint in self._good or (bool(self._good) and answer.status >= 400)

    def _add(
        self,
        result: SampleResult,
        duration_ms: float,
        first_byte_ms: float,
        connecting_ms: float,
        *,
        bad: bool,
    ) -> None:
        self.paths.append(result.path)
        self.durations_ms.append(duration_ms)
        self.first_byte_ms.append(first_byte_ms)
        self.connecting_ms.append(connecting_ms)
        self.failed.append(bad)
        at_s = round(max(0.0, result.due - self.began), 3)
        self.offsets_s.append(at_s)
        self.bad += bad
        self.late += result.late_ms > 0
        if self.settled is not None:
            known = self.settled(duration_ms, bad, at_s)
            self.enough = known and len(self.paths) >= FEWEST
