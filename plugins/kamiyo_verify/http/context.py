"""Shared client settings: timeouts, evidence recorder, remaining time, and memory of limits and hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kamiyo_verify.http.hangs import Hangs
from kamiyo_verify.http.overlap.ahead import Ahead
from kamiyo_verify.http.repeats import RepeatableRequests
from kamiyo_verify.http.throttle import Throttle
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts

Record = Callable[[Exchange], None]
"""Records each exchange, also those that failed."""


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What the clients of a session share; every client takes one.

    Attributes:
        timeouts: `connect` bounds name lookup, connection and TLS; `answer` the whole of one request.
        record: called for every request.
        remaining: seconds that the current item has left.
        throttle: known rate limits of each origin.
        hangs: origins that are known to hang.
        repeats: stores the requests that are safe to send again.
        ahead: the answers that were asked for before their item's turn.
    """

    timeouts: Timeouts
    record: Record
    remaining: Callable[[], float]
    throttle: Throttle = field(default_factory=Throttle)
    hangs: Hangs = field(default_factory=Hangs)
    repeats: RepeatableRequests = field(default_factory=RepeatableRequests, repr=False)
    ahead: Ahead = field(default_factory=Ahead, repr=False)

    @classmethod
    def unrecorded(cls, timeouts: Timeouts, remaining: Callable[[], float]) -> ClientContext:
        """The context of a client whose requests are no evidence of a run."""
        return cls(timeouts, lambda _: None, remaining)

    def for_outside_systems(self) -> ClientContext:
        """The same with memories of its own: a hang or a request there says nothing about the platform."""
        return replace(self, hangs=Hangs(), repeats=RepeatableRequests())
