"""Rate limits: how long a server asks to wait, and one memory of it for all who ask that server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from plugins.clients.readable import readable
from plugins.model.outcomes import NoAnswer, NoAnswerKind

_SHORTEST_WAIT_S = 1.0
_LONGEST_WAIT_S = 86_400.0  # a day: the longest window of the limits; whatever asks for more means "give up"
_A_MOMENT_S = 1e9  # from here on a number is a time since 1970, not a number of seconds


def wait_asked(headers: Mapping[str, str], now: float) -> float:
    """Seconds to wait after a 429: by Retry-After, else X-RateLimit-Reset, else one.

    Args:
        headers: of the answer; names are looked up in lower case.
        now: seconds since 1970, against which a date is read.

    Returns:
        Between one second and a day; what makes no sense counts as one second.
    """
    for name in ("retry-after", "x-ratelimit-reset"):
        seconds = _seconds(headers.get(name, "").strip(), now)
        if seconds is not None:
            return min(max(seconds, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)
    return _SHORTEST_WAIT_S


def reset_in(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the allowance is renewed, by X-RateLimit-Reset; None where that says nothing."""
    return _seconds(headers.get("x-ratelimit-reset", "").strip(), now)


def _seconds(text: str, now: float) -> float | None:
    """A header's seconds, moment or date, as seconds from now."""
    try:
        number = float(text[:40])
    except ValueError:
        pass
    else:
        if number != number:  # noqa: PLR0124 - "nan" is a float to Python
            return None
        return number - now if number >= _A_MOMENT_S else number
    try:
        return parsedate_to_datetime(text[:80]).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@dataclass(slots=True)
class _Limit:
    until: float = 0.0
    in_a_row: int = 0
    tier: str = ""


class Throttle:
    """What is known of the limits of each origin and caller; made once a session, used by all its clients.

    While a limit is in force, each further request waits for its end, or gives up at once where that does not
    fit its time, so that many items do not each wait in vain. A server that says 429 again and again is left
    alone for at least 1, 2, 4, 8 … seconds, however little it asks for.

    Args:
        exempt: paths that no limit applies to. They neither wait nor tell of a limit to others.
        clock: seconds, monotonic.
        sleep: how to wait.
    """

    def __init__(
        self,
        exempt: frozenset[str] = frozenset({"/health", "/ready"}),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._exempt = exempt
        self._clock = clock
        self._sleep = sleep
        self._limits: dict[tuple[str, int], _Limit] = {}
        self._lock = threading.Lock()

    def admit(self, origin: str, caller: str, path: str, remaining_s: float) -> None:
        """Wait until the caller may ask.

        Args:
            origin: whom it asks.
            caller: what the server tells callers apart by, such as the key; only its hash is kept.
            path: what it asks for.
            remaining_s: seconds that its item has left.

        Raises:
            NoAnswer: RATE_LIMITED, as the wait does not fit.
        """
        with self._lock:
            limit = self._limits.get(self._name(origin, caller, path))
            wait = limit.until - self._clock() if limit else 0.0
        if limit is None or wait <= 0:
            return
        if wait >= remaining_s:
            tier = f" (tier {limit.tier})" if limit.tier else ""
            raise NoAnswer(
                NoAnswerKind.RATE_LIMITED,
                f"{origin} asks to wait {wait:.0f} s{tier}, {max(remaining_s, 0):.0f} s are left",
                origin,
            )
        self._sleep(wait)

    def limited(self, origin: str, caller: str, path: str, headers: Mapping[str, str]) -> None:
        """Remember a 429."""
        asked = wait_asked(headers, time.time())
        with self._lock:
            limit = self._limits.setdefault(self._name(origin, caller, path), _Limit())
            wait = min(max(asked, _SHORTEST_WAIT_S * 2.0 ** min(limit.in_a_row, 20)), _LONGEST_WAIT_S)
            limit.in_a_row += 1
            limit.until = max(limit.until, self._clock() + wait)
            limit.tier = readable(headers.get("x-ratelimit-tier", ""), longest=40)

    def answered(self, origin: str, caller: str, path: str) -> None:
        """Remember that there was an answer: no limit is in force."""
        with self._lock:
            self._limits.pop(self._name(origin, caller, path), None)

    def _name(self, origin: str, caller: str, path: str) -> tuple[str, int]:
        bare = path.partition("?")[0]
        return origin, hash((caller, bare if bare in self._exempt else ""))
