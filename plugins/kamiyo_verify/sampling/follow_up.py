"""Follow-up samples: send failed requests again during a confirmation, each on a new connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.hangs import Hangs
from kamiyo_verify.http.throttle import retry_after
from kamiyo_verify.model.confirmation import FailingShare
from kamiyo_verify.model.outcomes import NOT_OF_THE_SERVICE, NoAnswer
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.sampling.schedule import allowance_in
from kamiyo_verify.sampling.senders import SampleResult, Senders

_AT_ONCE = 16
_POLL_S = 0.02
_MOST = 20_000
_OFTEN = 200
_SELDOM = 20
"""Judge every answer up to `_OFTEN`, then every twentieth: judging takes longer with more answers."""

_SILENT = 0
"""Used as the status if no answer came."""

Done = Callable[[str, FailingShare], bool]
"""Takes a sample's key and its share; returns whether more answers would give no new information."""


@dataclass
class _Series:
    request: httpx2.Request
    good: frozenset[int] = frozenset()
    bad: frozenset[int] = frozenset()
    began_at: str = ""
    began: float = 0.0
    sent: dict[int, float] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    done: bool = False
    due: float = 0.0

    @property
    def share(self) -> FailingShare:
        ended = sorted(self.statuses)
        return FailingShare(
            request=f"{self.request.method} {self.request.url.path}",
            began_at=self.began_at,
            offsets_s=tuple(round(self.sent[number] - self.began, 3) for number in ended),
            failed=tuple(_failed(self.statuses[number], self.good, self.bad) for number in ended),
        )


class FollowUp:
    """Samples several requests in turn, in a thread, at one fixed pace for all of them together.

    Each request uses a new connection, so that a load balancer can send it to any instance. A request has
    failed if it got no answer, a status of 500 or more, or a status that no passing try of its check got.

    Args:
        timeouts: of each request.
        per_minute: requests per minute, for all samples together.
        done: called after each answer; a request that is done is not sent again.
        hangs: records timeouts and answers, so that items need not detect a hang by themselves.
    """

    def __init__(self, timeouts: Timeouts, per_minute: float, done: Done, hangs: Hangs) -> None:
        self._timeouts = timeouts
        self._hangs = hangs
        self._interval_s = 60 / per_minute
        self._done = done
        self._series: dict[str, _Series] = {}
        self._order: dict[int, str] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._senders = Senders(self._send, _AT_ONCE)
        self._thread: threading.Thread | None = None
        self.exchanges: list[Exchange] = []

    def follow(self, request: httpx2.Request, good: frozenset[int], bad: frozenset[int] = frozenset()) -> str:
        """Begin to sample a request, if it is not sampled yet; return the key of its sample.

        Args:
            request: as it was sent when it failed.
            good: the known statuses of its answers in passing tries; if empty, every status below 400.
            bad: statuses with which it failed, such as a redirect that leads to itself.
        """
        key = f"{request.method} {request.url.copy_with(query=None)}"
        with self._lock:
            series = self._series.setdefault(key, _Series(request))
            series.good |= good
            series.bad |= bad
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="follow-up", daemon=True)
            self._thread.start()
        return key

    def share(self, key: str) -> FailingShare:
        """The failing share of the sample with that key, so far."""
        with self._lock:
            return self._series[key].share

    def is_done(self, key: str) -> bool:
        """More answers in that sample would give no new information."""
        with self._lock:
            return self._series[key].done

    def end(self) -> None:
        """Stop sending; requests under way are not awaited."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)
        self._senders.end()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._count(self._senders.outcome(_POLL_S))
            now = time.monotonic()
            if now < due:
                continue
            key = self._next()
            if key is None:
                continue
            with self._lock:
                series = self._series[key]
                if not series.sent:
                    series.began_at = datetime.now(UTC).isoformat(timespec="milliseconds")
                    series.began = now
                series.sent[self._senders.sent] = now
                self._order[self._senders.sent] = key
            self._senders.send(key, now)
            due = max(due + self._interval_s, now - self._interval_s)

    def _next(self) -> str | None:
        """The sample with the fewest answers, of those that are not done."""
        with self._lock:
            now = time.monotonic()
            open_ones = [
                key
                for key, one in self._series.items()
                if not one.done and len(one.sent) < _MOST and now >= one.due
            ]
            return min(open_ones, key=lambda key: len(self._series[key].sent), default=None)

    def _count(self, sampled: SampleResult | None) -> None:
        while sampled is not None:
            with self._lock:
                key = self._order.pop(sampled.number)
                series = self._series[key]
                series.due = time.monotonic() + _wait_s(sampled.answer)
                status = _status(sampled.answer)
                if status is not None:
                    series.statuses[sampled.number] = status
                count = len(series.statuses)
                if count < _OFTEN or count % _SELDOM == 0:
                    series.done = self._done(key, series.share)
            sampled = self._senders.outcome(0.0)

    def _send(self, key: str) -> Answer:
        request = self._series[key].request
        origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        seconds = self._timeouts.answer
        context = ClientContext(self._timeouts, self.exchanges.append, lambda: seconds, hangs=self._hangs)
        client = HttpClient(origin, context, of_platform=True)
        try:
            return client.repeat(request)
        finally:
            client.close()


def _wait_s(answer: Answer | Exception) -> float:
    """How long the service asks to wait, or until this caller's allowance renews: others need it too."""
    if isinstance(answer, Exception):
        return 0.0
    if answer.status == 429:
        return retry_after(answer.headers, time.time())
    return allowance_in(answer, time.time()) or 0.0


def _status(answer: Answer | Exception) -> int | None:
    """The status, or `_SILENT`; None if the answer says nothing about the service."""
    if isinstance(answer, NoAnswer):
        return None if answer.kind in NOT_OF_THE_SERVICE else _SILENT
    return None if isinstance(answer, Exception) or answer.status == 429 else answer.status


def _failed(status: int, good: frozenset[int], bad: frozenset[int]) -> bool:
    if status == _SILENT or status >= 500:
        return True
    return status not in good if good else status >= 400 or status in bad
