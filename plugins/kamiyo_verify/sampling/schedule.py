"""When the next sample is due: evenly spaced, independent of answer times, within the rate limits."""

from __future__ import annotations

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.throttle import reset_in, retry_after

_RESERVE = 3
_RESERVED_PART = 5
"""One in five requests of the allowance, and at least three, are left to others with the same key."""


class Schedule:
    """The times at which requests are due. Only rate limits shift them; a slow answer never does.

    Args:
        began: when the first is due, by `time.monotonic()`.
        interval_s: seconds between two requests.
    """

    def __init__(self, began: float, interval_s: float) -> None:
        self.due = began
        self.limited = False
        """The next request waits for allowance, by the service's last answer."""
        self._interval_s = interval_s

    def sent(self) -> None:
        """Record that the request that was due is sent, and schedule the next one."""
        self.due += self._interval_s
        self.limited = False

    def heed(self, answer: Answer, monotonic: float, now: float) -> None:
        """Shift the next due time, if an answer reports a limit.

        Args:
            answer: of any status.
            monotonic: the current time, by `time.monotonic()`.
            now: the current Unix time in seconds.
        """
        wait_s = retry_after(answer.headers, now) if answer.status == 429 else allowance_in(answer, now)
        if wait_s is not None:
            self.limited = True
            self.due = max(self.due, monotonic + wait_s)


def allowance_in(answer: Answer, now: float) -> float | None:
    """Seconds until one more request is allowed; None while some of the allowance is left for us.

    The allowance refills evenly, and Reset is when it is full.
    """
    remaining = _count_in(answer, "x-ratelimit-remaining")
    reset = reset_in(answer.headers, now)
    limit = _count_in(answer, "x-ratelimit-limit") or 0
    if remaining is None or reset is None or remaining > max(_RESERVE, limit // _RESERVED_PART):
        return None
    return max(reset, 0.0) / max(limit - remaining, 1)


def _count_in(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
