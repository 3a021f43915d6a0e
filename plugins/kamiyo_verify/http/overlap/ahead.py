"""Requests sent before their item's turn, so that a slow platform costs its longest chain, not the sum.

A check that only asks is rehearsed in a thread while other checks run: its requests are sent, and the answers
wait for it. The check itself runs in its turn as ever, and its client takes each answer that is there instead
of asking again, in the order asked. What a rehearsal may not do ends it; the check asks for the rest itself.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kamiyo_verify.model.outcomes import NoAnswer

if TYPE_CHECKING:
    import httpx2

    from kamiyo_verify.http.sending.sender import Sent

SLOW_MS = 100.0
"""Answers that take at least so long are worth asking for ahead; a faster platform is asked in turn."""

_LOOKED_AT = 3
_ENOUGH = 2
"""Answers of one origin by whose median it counts as slow: the latest three, at least two."""

_SIDE_BY_SIDE = 4
"""Most requests of rehearsals to one origin at the same time."""

_FRESH_S = 10.0
"""Seconds for which an answer counts as that of now; an older one is kept as evidence and asked for again."""

_CLEAR_OF_TIMEOUT = 2.0
"""How many times `_SIDE_BY_SIDE` typical answers fit into the time for one, even if they queue."""


class NotInRehearsal(BaseException):
    """A rehearsal came to something that it must leave to its check, such as a request that is not safe.

    It is no `Exception`, so that no check catches it.
    """


@dataclass(eq=False, slots=True)
class _Early:
    """A request of a rehearsal.

    Attributes:
        sent: how it ended; None while it is under way.
        keep: records it as evidence of the current item.
    """

    key: object
    keep: Callable[[Sent], object]
    done: threading.Event = field(default_factory=threading.Event)
    sent: Sent | None = None


class Rehearsal:
    """The requests that were sent ahead for one attempt at one item."""

    def __init__(self, ahead: Ahead) -> None:
        self.ahead = ahead
        self._early: list[_Early] = []
        self._lock = threading.Lock()
        self._over = False

    @contextmanager
    def asking(self, request: httpx2.Request, keep: Callable[[Sent], object]) -> Iterator[_Early]:
        """Register a request, for the length of its sending; the block sets `sent`.

        Raises:
            NotInRehearsal: the check's own turn has come.
        """
        early = _Early(_key(request), keep)
        with self._lock:
            if self._over or not self.ahead.is_open:
                raise NotInRehearsal
            self._early.append(early)
        try:
            yield early
        finally:
            early.done.set()

    def end(self) -> None:
        """Send nothing more: the check's turn has come. What is under way may still be claimed."""
        with self._lock:
            self._over = True

    def claim(self, request: httpx2.Request) -> Sent | None:
        """Take the oldest fresh result of the same request, and wait for it if it is under way; else None."""
        key = _key(request)
        with self._lock:
            early = next((one for one in self._early if one.key == key and not _stale(one.sent)), None)
            if early is None:
                return None
            self._early.remove(early)
        early.done.wait()  # ends in time: the request has a deadline of its own
        return early.sent

    def keep_rest(self) -> None:
        """Record each finished request that was not claimed as evidence of the current item."""
        with self._lock:
            early, self._early = self._early, []
        for one in early:
            if one.sent is not None:
                with suppress(NoAnswer):
                    one.keep(one.sent)


class Ahead:
    """What the clients of a process share about asking ahead; closed until something opens it.

    It is open while all goes well. From the first answer that is a 5xx or a 429, or does not come, everything
    is asked in its turn: then it must be clear what was asked when, and nothing may add to the trouble.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._current: Rehearsal | None = None
        self._latest: dict[str, deque[float]] = {}
        self._lanes: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Let rehearsals ask."""
        self.is_open = True

    def close(self) -> None:
        """Let no rehearsal ask any more."""
        self.is_open = False

    def turn(self, rehearsal: Rehearsal | None) -> None:
        """Set the rehearsal of the check that runs now, if it has one."""
        self._current = rehearsal

    def take(self) -> Rehearsal | None:
        """Return the rehearsal of the check that runs now, and forget it: its attempt is over."""
        rehearsal, self._current = self._current, None
        return rehearsal

    def claim(self, request: httpx2.Request) -> Sent | None:
        """Take a result of the current check's rehearsal, see `Rehearsal.claim`."""
        return self._current.claim(request) if self._current is not None else None

    def note(self, origin: str, sent: Sent) -> None:
        """Record how a request ended."""
        if not sent.good:
            self.close()
        with self._lock:
            self._latest.setdefault(origin, deque(maxlen=_LOOKED_AT)).append(sent.took_ms)

    def worth(self, answer_s: float) -> bool:
        """Whether asking ahead saves time: an origin is slow, and far from running into its time-out.

        Args:
            answer_s: the time for one answer.
        """
        if not self.is_open:
            return False
        with self._lock:
            typical = [statistics.median(last) for last in self._latest.values() if len(last) >= _ENOUGH]
        slowest = answer_s * 1000 / (_SIDE_BY_SIDE * _CLEAR_OF_TIMEOUT)
        return any(took >= SLOW_MS for took in typical) and all(took <= slowest for took in typical)

    def lane(self, origin: str) -> threading.Semaphore:
        """Bounds the requests of rehearsals to one origin."""
        with self._lock:
            return self._lanes.setdefault(origin, threading.Semaphore(_SIDE_BY_SIDE))


_rehearsal: ContextVar[Rehearsal | None] = ContextVar("_rehearsal", default=None)


def current_rehearsal() -> Rehearsal | None:
    """The rehearsal in this thread; None outside any."""
    return _rehearsal.get()


def in_turn(remaining: Callable[[], float]) -> Callable[[], float]:
    """The function that returns the seconds left, which only the check itself has: in a rehearsal it raises.

    Every client asks for them before it acts, except `HttpClient`, which knows rehearsals: so all the others,
    such as of a database or a WebSocket, end it.
    """

    def seconds() -> float:
        if current_rehearsal() is not None:
            raise NotInRehearsal
        return remaining()

    return seconds


@contextmanager
def rehearsing(rehearsal: Rehearsal) -> Iterator[None]:
    """Let the requests of this thread be those of a rehearsal, until `NotInRehearsal` ends it."""
    token = _rehearsal.set(rehearsal)
    try:
        yield
    finally:
        _rehearsal.reset(token)


def _key(request: httpx2.Request) -> object:
    """What makes two requests the same: method, address, headers and body."""
    return request.method, str(request.url), tuple(request.headers.raw), request.read()


def _stale(sent: Sent | None) -> bool:
    """A bad result counts however old it is: it is evidence of this item."""
    return sent is not None and sent.good and time.monotonic() - sent.began > _FRESH_S
