"""Response times of one service, sampled on a schedule that does not wait for slow answers.

A loop that sends a request, waits, and sends the next one skips the requests that were due while it waited: a
stall of two seconds then shows as one slow answer among many fast ones ("coordinated omission", after Gil
Tene). Here each request has a time at which it is due, and is sent then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.sampling.samples import SampleSet
from kamiyo_verify.sampling.schedule import Schedule
from kamiyo_verify.sampling.senders import Senders
from kamiyo_verify.sampling.tally import Settled, Tally

AT_ONCE = 32
"""The most requests under way: as many as a stall of two seconds delays at 1,000 a minute. Further
requests that are due are sent as soon as one has ended."""

_POLL_S = 0.1
"""Seconds until a sampling reacts to `stop`."""

_SAY_EVERY_S = 1.0


class Sampled(Protocol):
    """A client that can GET a path in one exchange, from several threads."""

    def get_once(self, path: str) -> Answer:
        """Return one answer, or raise NoAnswer."""


def sample(
    client: Sampled,
    urls: Iterable[str],
    requests: int,
    per_minute: int,
    seconds: float,
    stop: threading.Event,
    *,
    settled: Settled | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> SampleSet:
    """Request one path after another, each when it is due.

    Sampling ends early when `stop` is set, when enough is known, when `seconds` have passed, when the paths
    run out, when the allowance is used up and not renewed in time, and when the first answers are all 429 or
    missing. Requests that are then under way are awaited and counted, unless `stop` is set.

    Args:
        client: sends the requests; its `get_once` does not wait for rate limits.
        urls: paths, all different, so that no cache answers twice.
        requests: the most to send.
        per_minute: requests per minute; 0 spreads all requests over `seconds`.
        seconds: for sending all of them.
        stop: ends the sampling from another thread.
        settled: called after each sample, in the order in which they were due.
        say: called at intervals with the progress.
    """
    began = time.monotonic()
    interval_s = 60 / per_minute if per_minute > 0 else seconds / requests
    senders, schedule = Senders(client.get_once, AT_ONCE), Schedule(began, interval_s)
    sampling = _Sampling(senders, schedule, Tally(settled, began), stop, say)
    try:
        ended = sampling.run(iter(urls), requests, began + seconds)
    finally:
        senders.end()
    return sampling.tally.sample_set(requests, time.monotonic() - began, ended)


class _Sampling:
    def __init__(
        self,
        senders: Senders,
        schedule: Schedule,
        tally: Tally,
        stop: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self.senders = senders
        self.tally = tally
        self._schedule = schedule
        self._stop = stop
        self._say = say
        self._say_at = time.monotonic()

    def run(self, urls: Iterable[str], requests: int, until: float) -> str:
        """Send and count; return why it ended before all were sent, or ""."""
        left = iter(urls)
        while True:
            ended = self._send(left, requests, until)
            if self.tally.hopeless:
                self.senders.forget()
            while self.tally.ended < self.senders.sent and not self._stop.is_set():
                self._await(_POLL_S)
            # The requests that were under way may have changed a result that was settled without them.
            if not (ended == _ENOUGH and not self.tally.enough):
                return ended

    def _send(self, urls: Iterable[str], requests: int, until: float) -> str:
        for path in urls:
            if self.senders.sent >= requests:
                break
            if ended := self._wait_until_due(until):
                return ended
            self.senders.send(path, self._schedule.due)
            self._schedule.sent()
        return ""

    def _wait_until_due(self, until: float) -> str:
        """Count results until the next request is due; return why none will be sent, or ""."""
        while True:
            if self._stop.is_set():
                return "it was stopped"
            if self.tally.hopeless:
                return self.tally.hopeless
            if self.tally.enough:
                return _ENOUGH
            if self._schedule.due > until or time.monotonic() > until:
                return "the allowance is used up" if self._schedule.limited else "the time is up"
            wait_s = self._schedule.due - time.monotonic()
            if wait_s <= 0:
                return ""
            self._await(min(wait_s, _POLL_S))

    def _await(self, within_s: float) -> None:
        result = self.senders.outcome(within_s)
        if result is None:
            return
        if isinstance(result.answer, Answer):
            self._schedule.heed(result.answer, time.monotonic(), time.time())
        self.tally.take(result)
        if time.monotonic() >= self._say_at:
            self._say_at = time.monotonic() + _SAY_EVERY_S
            self._say(f"{len(self.tally.paths)} samples, {self.tally.bad} bad")


_ENOUGH = "enough is known"
