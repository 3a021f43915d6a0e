"""When the next sample is due: evenly, whatever the answers take, and no faster than the limits allow."""

from __future__ import annotations

from plugins.clients.answer import Answer
from plugins.clients.throttle import reset_in, wait_asked

_RESERVE = 3
_RESERVED_PART = 5
"""One in five requests of the allowance, and no fewer than three, are left to others with the same key."""


class Schedule:
    """The moments at which requests are due. Only rate limits shift it: a slow answer never does.

    Args:
        began: when the first is due, by `time.monotonic()`.
        interval_s: between two.
    """

    def __init__(self, began: float, interval_s: float) -> None:
        self.due = began
        self.limited = False
        """The next one waits for allowance, by what the service told last."""
        self._interval_s = interval_s

    def sent(self) -> None:
        """The one that was due is on its way."""
        self.due += self._interval_s
        self.limited = False

    def heed(self, answer: Answer, monotonic: float, now: float) -> None:
        """Shift what is due, where an answer tells of a limit.

        Args:
            answer: of any status.
            monotonic: the moment, by `time.monotonic()`.
            now: the moment in seconds since 1970.
        """
        wait_s = wait_asked(answer.headers, now) if answer.status == 429 else allowance_in(answer, now)
        if wait_s is not None:
            self.limited = True
            self.due = max(self.due, monotonic + wait_s)


def allowance_in(answer: Answer, now: float) -> float | None:
    """How long one more of the allowance takes to come in; None while there is some for us.

    The buckets fill evenly, and Reset is when they are full.
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
