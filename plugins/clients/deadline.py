"""How long one request may take, and what a timeout within less than that is worth."""

from __future__ import annotations

from collections.abc import Callable

from plugins.model.environment import Timeouts
from plugins.model.outcomes import NoAnswer, NoAnswerKind

_FAIR_SHARE = 0.5  # of the time for a request; silence for less says nothing about the platform


def seconds_allowed(origin: str, timeouts: Timeouts, remaining: Callable[[], float]) -> float:
    """Seconds for one request: those for an answer, or those that the item has left.

    Raises:
        NoAnswer: UNUSABLE, as there are none.
    """
    allowed = min(timeouts.answer, remaining())
    if allowed <= 0:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{origin} was not asked: its item has no time left", origin)
    return allowed


def fairly(lost: NoAnswer, allowed: float, wanted: float) -> NoAnswer:
    """The same, unless it is a timeout after so little time that it is no evidence: then UNUSABLE.

    Args:
        lost: what came of the request.
        allowed: seconds that it had.
        wanted: seconds that it would have had, had its item had time enough.
    """
    if lost.kind is not NoAnswerKind.TIMEOUT or allowed >= wanted * _FAIR_SHARE:
        return lost
    message = f"{lost.origin} was given only the {allowed:.1f} s that its item had left, and did not answer"
    return NoAnswer(NoAnswerKind.UNUSABLE, message, lost.origin)
