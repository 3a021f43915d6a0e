"""Response times of one service, sampled at a pace that its rate limits allow."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from plugins.clients.answer import Answer
from plugins.clients.throttle import reset_in, wait_asked
from plugins.model.outcomes import NoAnswer, NoAnswerKind

_FEWEST = 20  # under so many even a true p95 has one sample above it
_RESERVE = 3  # requests of the allowance that are left for others with the same key
_MOST_REFUSED = 5  # 429 in a row, or silence from the start: more would teach nothing
_CHAINS = ("", "Ethereum", "BSC", "Polygon", "Arbitrum", "Optimism", "Base")
_PAGES, _SIZES, _AMOUNTS = 3, 100, 1_000


class Sampled(Protocol):
    """Any client that can ask for a path in one exchange."""

    def get_once(self, path: str) -> Answer:
        """One answer, or NoAnswer."""


@dataclass(frozen=True, slots=True)
class SampleSet:
    """What the samples showed. Connection set-up is in none of the durations.

    Attributes:
        durations_ms: to the last byte, in the order asked; where no answer came, the time waited for it.
        first_byte_ms: likewise, to the end of the headers.
        paths: what was asked, one for each duration.
        bad: how many were answered 500 or more, or not at all.
        total: how many count; one for each duration.
        rate_limited: how many were answered 429; they count in nothing else.
        message: how it went, in one sentence.
        unanswered: how many of `bad` had no answer at all.
        beside: how many were answered 3xx or 4xx, which measures nothing; they count in nothing else.
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

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> SampleSet:
        """A set from its JSON-safe form."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**fields)

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of `durations_ms`, by the nearest rank; raises as `timed`."""
        return _p95(self.timed.durations_ms)

    @property
    def first_byte_p95_ms(self) -> float:
        """The 95th percentile of `first_byte_ms`, by the nearest rank; raises as `timed`."""
        return _p95(self.timed.first_byte_ms)

    @property
    def taken(self) -> SampleSet:
        """Itself.

        Raises:
            NoAnswer: there are too few samples to say anything: rate limits, or nothing but 3xx and 4xx.
        """
        if self.total < _FEWEST:
            kind = NoAnswerKind.RATE_LIMITED if self.rate_limited else NoAnswerKind.UNUSABLE
            raise NoAnswer(kind, f"{self.total} samples where {_FEWEST} are the fewest: {self.message}")
        return self

    @property
    def timed(self) -> SampleSet:
        """Itself.

        Raises:
            NoAnswer: as of `taken`; or more than one in twenty samples is bad, and their times would pass for
                those of answers.
        """
        if self.taken.bad * 20 > self.total:
            message = (
                f"{self.bad} of {self.total} requests failed, so their times say nothing: {self.message}"
            )
            raise NoAnswer(NoAnswerKind.UNUSABLE, message)
        return self


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def sample(
    client: Sampled,
    urls: Iterable[str],
    requests: int,
    per_minute: int,
    seconds: float,
    stop: threading.Event,
) -> SampleSet:
    """Ask for one path after another, on a schedule that slow answers do not shift.

    It ends early when `stop` is set, when `seconds` have passed (the request under way may take one answer's
    time more), when the paths run out, or when the allowance is used up and not renewed in time.

    Args:
        client: asks; its `get_once` waits for no rate limit.
        urls: paths, all different, so that no cache answers twice.
        requests: the most to send.
        per_minute: the pace; 0 sends one as soon as the other is answered.
        seconds: for all of them.
        stop: ends the sampling from another thread.
    """
    samples = _Samples()
    began = time.monotonic()
    interval = 60 / per_minute if per_minute > 0 else 0.0
    due = began
    ended = ""
    for sent, path in enumerate(urls):
        if sent >= requests:
            break
        if due > began + seconds:
            ended = samples.why_late or "the time is up"
            break
        if stop.wait(max(0.0, due - time.monotonic())) or time.monotonic() > began + seconds:
            ended = "it was stopped" if stop.is_set() else "the time is up"
            break
        pause = samples.take(client, path)
        if samples.refused_in_a_row >= _MOST_REFUSED:
            ended = "every request is answered 429"
            break
        if samples.unanswered == len(samples.paths) >= _MOST_REFUSED:
            ended = "no request is answered"
            break
        due = max(due + interval, time.monotonic() + pause if pause else 0.0)
    return samples.told(requests, time.monotonic() - began, ended)


@dataclass(slots=True)
class _Samples:
    durations_ms: list[float] = field(default_factory=list)
    first_byte_ms: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bad: int = 0
    unanswered: int = 0
    rate_limited: int = 0
    beside: int = 0
    refused_in_a_row: int = 0
    why_late: str = ""

    def take(self, client: Sampled, path: str) -> float:
        """Ask once; the result is how many seconds the server wants to be left alone, 0 for none."""
        began = time.monotonic()
        self.why_late = ""
        try:
            answer = client.get_once(path)
        except NoAnswer:
            waited = (time.monotonic() - began) * 1000
            self._count(path, waited, waited)
            self.bad += 1
            self.unanswered += 1
            return 0.0
        if answer.status == 429:
            self.rate_limited += 1
            self.refused_in_a_row += 1
            self.why_late = "the allowance is used up"
            return wait_asked(answer.headers, time.time())
        self.refused_in_a_row = 0
        if 300 <= answer.status < 500:
            self.beside += 1
        else:
            self._count(
                path, answer.elapsed_ms - answer.connecting_ms, answer.first_byte_ms - answer.connecting_ms
            )
            self.bad += answer.status >= 500
        return self._pause(answer)

    def _pause(self, answer: Answer) -> float:
        """0 while there is allowance; else about what one more of it takes to come in.

        The buckets fill evenly, and Reset is when they are full.
        """
        remaining = _count_in(answer, "x-ratelimit-remaining")
        reset = reset_in(answer.headers, time.time())
        if remaining is None or remaining > _RESERVE or reset is None:
            return 0.0
        self.why_late = "the allowance is used up"
        limit = _count_in(answer, "x-ratelimit-limit") or 0
        return max(reset, 0.0) / max(limit - remaining, 1)

    def _count(self, path: str, duration_ms: float, first_byte_ms: float) -> None:
        self.paths.append(path)
        self.durations_ms.append(duration_ms)
        self.first_byte_ms.append(first_byte_ms)

    def told(self, wanted: int, took_s: float, ended: str) -> SampleSet:
        """The finished set."""
        parts = [f"{len(self.paths)} of {wanted} samples in {took_s:.0f} s, connection set-up left out"]
        parts += [f"{self.bad} bad ({self.unanswered} without an answer)"] if self.bad else []
        parts += [f"{self.rate_limited} answered 429 and left out"] if self.rate_limited else []
        parts += [f"{self.beside} answered 3xx or 4xx and left out"] if self.beside else []
        parts += [f"ended early: {ended}"] if ended else []
        return SampleSet(
            tuple(self.durations_ms),
            tuple(self.first_byte_ms),
            tuple(self.paths),
            self.bad,
            len(self.paths),
            self.rate_limited,
            "; ".join(parts),
            self.unanswered,
            self.beside,
        )


def _count_in(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def exploit_urls(seed: int) -> Iterator[str]:
    """Distinct `/exploits?…` addresses without end in practice: pages, sizes, chains and least amounts.

    Args:
        seed: where to begin; with another seed for each run, no cache remembers the last one.
    """
    total = _PAGES * _SIZES * _AMOUNTS * len(_CHAINS)
    step = 1_299_709  # a prime, and so no divisor of `total`: each combination comes once
    for number in range(total):
        rest, chain = divmod((seed + number * step) % total, len(_CHAINS))
        rest, size = divmod(rest, _SIZES)
        amount, page = divmod(rest, _PAGES)
        query: dict[str, object] = {"page": page + 1, "page_size": size + 1, "min_amount": amount}
        yield "/exploits?" + urlencode(query | ({"chain": _CHAINS[chain]} if _CHAINS[chain] else {}))
