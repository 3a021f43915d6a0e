"""Rate limits: how long a server asks to wait, and a memory of it that all callers of that server share."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

_SHORTEST_WAIT_S = 1.0
_LONGEST_WAIT_S = 86_400.0  # a day: the longest window of the limits; a longer wait means "give up"
_RESETS = (
    "x-ratelimit-reset-after",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "x-sentry-rate-limit-reset",
    "ratelimit-reset",
)
_A_MOMENT_S = 1e9  # from here on a number is a Unix time, not a number of seconds
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))
"""Below each number a Unix time is in so many units a second: seconds, or milli-, micro- or nanoseconds."""
_RESET_WITHIN = re.compile(r"(?:^|[;,\s])(?:t|reset)\s*=\s*(\d{1,9})(?=\s*(?:[;,]|$))")


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds to wait after a 429: by Retry-After, else until the limit resets, else one.

    Args:
        headers: of the answer; names are looked up in lower case.
        now: Unix time in seconds, against which a date is read.

    Returns:
        Between one second and a day; an invalid value counts as one second.
    """
    for name in ("retry-after", *_RESETS):
        seconds = _seconds(headers.get(name, "").strip(), now)
        if seconds is not None:
            return min(max(seconds, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)
    # The IETF's drafts have one header for everything: "limit=9, reset=5" in 7, '"name";r=0;t=5' from 8 on.
    waits = [float(found) for found in _RESET_WITHIN.findall(headers.get("ratelimit", "")[:400])]
    return min(max([*waits, _SHORTEST_WAIT_S]), _LONGEST_WAIT_S)


def reset_in(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the limit resets, by X-RateLimit-Reset and its variants; None if they give no time."""
    return _seconds(headers.get("x-ratelimit-reset", "").strip(), now)


def _seconds(text: str, now: float) -> float | None:
    """A header's seconds, Unix time or date, as seconds from now."""
    try:
        number = float(text[:40])
    except ValueError:
        pass
    else:
        if number != number:  # noqa: PLR0124 - "nan" is a float to Python
            return None
        if number < _A_MOMENT_S:
            return number
        return number / next((unit for below, unit in _UNITS if number < below), 1.0) - now
    for read in (parsedate_to_datetime, _iso):
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            return read(text[:80]).timestamp() - now
    return None


def _iso(text: str) -> datetime:
    """Read a date such as 2024-03-26T20:00:00Z; without a zone it is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Limit:
    until: float = 0.0
    in_a_row: int = 0
    tier: str = ""


class _Pace:
    """Token buckets, one for each caller, as a server with this limit has them.

    Args:
        per_minute: requests a minute.
        clock: seconds, monotonic.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: dict[int, tuple[float, float]] = {}  # requests left, and when they were counted

    def take(self, caller: int, *, within_s: float) -> float | None:
        """Take one request; return the seconds to wait before it, or None if they do not fit."""
        now = self._clock()
        left, counted_at = self._buckets.get(caller, (float(self.per_minute), now))
        left = min(self.per_minute, left + (now - counted_at) * self.per_minute / 60)
        wait_s = max(0.0, (1 - left) * 60 / self.per_minute)
        if wait_s >= within_s > 0 or (wait_s > 0 and within_s <= 0):
            self._buckets[caller] = (left, now)
            return None
        self._buckets[caller] = (left - 1, now)
        return wait_s


class Throttle:
    """Known rate limits of each origin and caller; one per session, shared by all its clients.

    While a limit is in force, each further request waits for its end, or gives up at once if the wait does
    not fit its time, so that many items do not each wait in vain. After repeated 429s a server gets no
    request for at least 1, 2, 4, 8 … seconds, even if it asks for a shorter wait.

    Args:
        exempt: paths without a rate limit. They neither wait nor report a limit to others.
        clock: seconds, monotonic.
        sleep: how to wait.
        paces: by origin, how many requests a minute each caller may send there, known before the first one:
            so many at once, and further ones evenly.
    """

    def __init__(
        self,
        exempt: frozenset[str] = frozenset({"/health", "/ready"}),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        paces: Mapping[str, int] | None = None,
    ) -> None:
        self._exempt = exempt
        self._clock = clock
        self._sleep = sleep
        self._limits: dict[tuple[str, int], _Limit] = {}
        self._paces = {origin: _Pace(per_minute, clock) for origin, per_minute in (paces or {}).items()}
        self._tiers: dict[tuple[str, int], str] = {}
        self._lock = threading.Lock()

    def admit(self, origin: str, caller: str, path: str, remaining_s: float) -> None:
        """Wait until the caller may send a request.

        Args:
            origin: of the request.
            caller: what the server distinguishes callers by, such as the key; only its hash is kept.
            path: of the request.
            remaining_s: seconds that its item has left.

        Raises:
            NoAnswer: RATE_LIMITED, as the wait does not fit.
        """
        name = self._name(origin, caller, path)
        with self._lock:
            limit = self._limits.get(name)
            wait = limit.until - self._clock() if limit else 0.0
        if limit is not None and wait > 0:
            if wait >= remaining_s:
                tier = f" (tier {limit.tier})" if limit.tier else ""
                raise NoAnswer(
                    NoAnswerKind.RATE_LIMITED,
                    f"{origin} asks to wait {wait:.0f} s{tier}, {max(remaining_s, 0):.0f} s are left for this"
                    " check",
                    origin,
                )
            self._sleep(wait)
            remaining_s -= wait
        pace = self._paces.get(origin)
        if pace is None or path.partition("?")[0] in self._exempt:
            return
        with self._lock:
            own = pace.take(name[1], within_s=remaining_s)
        if own is None:
            raise NoAnswer(
                NoAnswerKind.RATE_LIMITED,
                f"{origin} was not asked: our key may send {pace.per_minute} requests a minute, and its next"
                f" one comes later than in the {max(remaining_s, 0):.0f} s that are left",
                origin,
            )
        if own > 0:
            self._sleep(own)

    def limited(self, origin: str, caller: str, path: str, headers: Mapping[str, str]) -> None:
        """Record a 429."""
        wanted_s = retry_after(headers, time.time())
        with self._lock:
            limit = self._limits.setdefault(self._name(origin, caller, path), _Limit())
            wait = min(max(wanted_s, _SHORTEST_WAIT_S * 2.0 ** min(limit.in_a_row, 20)), _LONGEST_WAIT_S)
            limit.in_a_row += 1
            limit.until = max(limit.until, self._clock() + wait)
            limit.tier = readable(headers.get("x-ratelimit-tier", ""), longest=40)

    def answered(self, origin: str, caller: str, path: str) -> None:
        """Record that there was an answer: no limit is in force."""
        with self._lock:
            self._limits.pop(self._name(origin, caller, path), None)

    def note_tier(self, origin: str, caller: str, headers: Mapping[str, str]) -> None:
        """Record the tier that the server reports for the caller, from any answer of any status."""
        tier = readable(headers.get("x-ratelimit-tier", "").strip(), longest=40)
        if tier:
            with self._lock:
                self._tiers[self._name(origin, caller, "")] = tier

    def tier_of(self, origin: str, caller: str) -> str:
        """The tier that the server last reported for the caller; "" if it never reported one."""
        with self._lock:
            return self._tiers.get(self._name(origin, caller, ""), "")

    def _name(self, origin: str, caller: str, path: str) -> tuple[str, int]:
        bare = path.partition("?")[0]
        return origin, hash((caller, bare if bare in self._exempt else ""))
