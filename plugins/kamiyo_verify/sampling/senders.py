"""Senders: a bounded number of threads, so that a slow answer does not delay the next request."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from kamiyo_verify.http.answer import Answer


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One request and its result.

    Attributes:
        number: in the order in which they were due, from 0.
        late_ms: from being due to being sent, if no sender was free; else 0.
        waited_ms: from being sent to its end.
        answer: the answer, the NoAnswer, or any other exception.
        due: when it was due, by `time.monotonic()`.
    """

    number: int
    path: str
    late_ms: float
    waited_ms: float
    answer: Answer | Exception
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class _Due:
    number: int
    path: str
    at: float
    held_up: bool


class Senders:
    """Sends requests without making its caller wait.

    A request for which no sender is free waits for one, and that wait is reported as `late_ms`. The time that
    our own machine takes to wake a free sender is not, because the service does not cause it.

    Args:
        ask: sends the request for a path.
        at_once: the most requests under way; threads are started as they are needed, up to this number.
    """

    def __init__(self, ask: Callable[[str], Answer], at_once: int) -> None:
        self._ask = ask
        self._at_once = at_once
        self._due: queue.SimpleQueue[_Due | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[SampleResult] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._sent = 0
        self._busy = 0

    @property
    def sent(self) -> int:
        """How many requests have been given to `send`."""
        return self._sent

    def send(self, path: str, due: float) -> None:
        """Request a path, now or as soon as a sender is free; `due` by `time.monotonic()`."""
        with self._lock:
            held_up = self._busy >= self._at_once
            self._busy += 1
            more = self._threads < min(self._busy, self._at_once)
            self._threads += more
        self._due.put(_Due(self._sent, path, due, held_up))
        self._sent += 1
        if more:
            threading.Thread(target=self._work, name="sender", daemon=True).start()

    def outcome(self, within_s: float) -> SampleResult | None:
        """The next request that has ended; None if none ends within that many seconds."""
        try:
            return self._done.get(timeout=max(0.0, within_s))
        except queue.Empty:
            return None

    def forget(self) -> int:
        """Drop the requests that have not been sent yet; return how many."""
        kept: list[_Due | None] = []
        dropped = 0
        while True:
            try:
                waiting = self._due.get_nowait()
            except queue.Empty:
                break
            if waiting is None or not waiting.held_up:
                kept.append(waiting)
            else:
                dropped += 1
        for waiting in kept:
            self._due.put(waiting)
        with self._lock:
            self._busy -= dropped
        self._sent -= dropped
        return dropped

    def end(self) -> None:
        """Stop the threads, each after its current request."""
        for _ in range(self._threads):
            self._due.put(None)

    def _work(self) -> None:
        while (due := self._due.get()) is not None:
            began = time.monotonic()
            late_s = max(0.0, began - due.at) if due.held_up else 0.0
            answer: Answer | Exception
            try:
                answer = self._ask(due.path)
            except Exception as problem:  # noqa: BLE001 - it is judged, or raised again, by who waits for it
                answer = problem
            waited_ms = (time.monotonic() - began) * 1000
            with self._lock:
                self._busy -= 1
            self._done.put(SampleResult(due.number, due.path, late_s * 1000, waited_ms, answer, due.at))
