"""The deadline of one request, and whether a timeout within a shortened limit is evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from kamiyo_verify.model.outcomes import GIVEN_ONLY, NoAnswer, NoAnswerKind
from kamiyo_verify.model.settings import Timeouts

_FAIR_SHARE = 0.5  # of the time for a request; a timeout after less says nothing about the platform


def seconds_allowed(origin: str, timeouts: Timeouts, remaining: Callable[[], float]) -> float:
    """Seconds for one request: the answer timeout, or the item's remaining time if that is less.

    Raises:
        NoAnswer: UNUSABLE, as no time is left.
    """
    allowed = min(timeouts.answer, remaining())
    if allowed <= 0:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{origin} was not asked: its item has no time left", origin)
    return allowed


def fairly(lost: NoAnswer, allowed: float, wanted: float) -> NoAnswer:
    """The same problem; UNUSABLE instead if it is a timeout after too little time to be evidence.

    Args:
        lost: the failure of the request.
        allowed: seconds that it had.
        wanted: seconds that it would have had if its item had had enough time.
    """
    if lost.kind is not NoAnswerKind.TIMEOUT or allowed >= wanted * _FAIR_SHARE:
        return lost
    message = f"{lost.origin} {GIVEN_ONLY} {allowed:.1f} s that its item had left, and did not answer"
    return NoAnswer(NoAnswerKind.UNUSABLE, message, lost.origin)


@dataclass(slots=True)
class RequestDeadline:
    """The deadline and the connection state of one request.

    Attributes:
        until: when all of it must be over, by `time.monotonic()`.
        connect_s: most seconds for setting up a connection.
        fresh: the request opened its own connection.
        connected: the connection is established.
        connecting_ms: time for name lookup, connection and TLS; 0 on a reused connection.
    """

    until: float
    connect_s: float
    fresh: bool = False
    connected: bool = True
    connecting_ms: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds to the deadline.

        Raises:
            TimeoutError: no time is left.
        """
        return above_zero(self.until - time.monotonic())

    def left_to_connect(self) -> float:
        """Seconds for the current step of setting up a connection.

        Raises:
            TimeoutError: no time is left.
        """
        return above_zero(min(self.until, self.began + self.connect_s) - time.monotonic())

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Count the time inside the block as connection set-up."""
        self.fresh, self.connected = True, False
        started = time.monotonic()
        try:
            yield
            self.connected = True
        finally:
            self.connecting_ms += (time.monotonic() - started) * 1000


def above_zero(seconds: float) -> float:
    """Return the seconds.

    Raises:
        TimeoutError: none are left.
    """
    if seconds <= 0:
        raise TimeoutError("the time is up")
    return seconds


_current_deadline: ContextVar[RequestDeadline] = ContextVar("_current_deadline")


@contextmanager
def under_deadline(deadline: RequestDeadline) -> Iterator[RequestDeadline]:
    """Apply the deadline to everything that `wire.Backend` does in this thread."""
    token = _current_deadline.set(deadline)
    try:
        yield deadline
    finally:
        _current_deadline.reset(token)


def current_deadline() -> RequestDeadline:
    """Return the deadline of the request that this thread sends.

    Raises:
        LookupError: it sends none.
    """
    return _current_deadline.get()


def ms_since(began: float) -> float:
    """Milliseconds since a time of the monotonic clock."""
    return (time.monotonic() - began) * 1000
