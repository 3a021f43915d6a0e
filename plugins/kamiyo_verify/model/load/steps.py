"""The result of a load run: what a platform answered while more and more users asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadStep:
    """One step of the load, without the time in which its users were started.

    Attributes:
        users: how many users asked at the same time.
        offered_per_s: the requests per second that these users send as long as every answer is quick.
        seconds: how long the step was measured.
        durations_ms: of every good answer: from the first byte sent to the last byte read.
        failed: answers with an error status other than 429, and requests without an answer.
        limited: answers with 429 (Too Many Requests).
        failures: how often each kind of failure occurred, such as {"503": 12, "no answer": 3}.
        late_ms: how late 95 of 100 requests were sent at most, because the machine that sent them was busy.
    """

    users: int
    offered_per_s: float
    seconds: float
    durations_ms: tuple[float, ...]
    failed: int = 0
    limited: int = 0
    failures: tuple[tuple[str, int], ...] = ()
    late_ms: float = 0.0

    @property
    def good(self) -> int:
        """The number of good answers."""
        return len(self.durations_ms)

    @property
    def total(self) -> int:
        """The number of requests that ended, with or without a good answer."""
        return self.good + self.failed + self.limited

    @property
    def throughput_per_s(self) -> float:
        """Good answers per second."""
        return self.good / self.seconds


@dataclass(frozen=True, slots=True)
class LoadRun:
    """A complete load run, its steps in order of growing load.

    Attributes:
        offered_per_s: the load of the last step that was planned; the run ends earlier where 429 comes.
        workers: the processes that sent the requests.
    """

    steps: tuple[LoadStep, ...]
    offered_per_s: float
    workers: int
