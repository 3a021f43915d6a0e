"""What an interval for a share rests on: a sample of a given size, or one that a rule may have ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Bound: TypeAlias = Callable[[int, int, float], float]
"""(bad, total, confidence) → a share."""

Shows: TypeAlias = Callable[[int, int, float, float], bool]
"""(bad, total, share, confidence) → whether so many show that the true share lies on that side of `share`."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way of reading counts.

    Attributes:
        lower_bound: the share that the true one exceeds, with that confidence.
        upper_bound: the share that the true one is below, with that confidence.
        shows_below: the true share lies below this one, with that confidence.
        shows_above: the true share lies above this one, with that confidence.
    """

    lower_bound: Bound
    upper_bound: Bound
    shows_below: Shows
    shows_above: Shows


def check_counts(bad: int, total: int, confidence: float) -> None:
    """Refuse what cannot be judged.

    Raises:
        ValueError: these are no counts, or the confidence is not between 0 and 1.
    """
    if not 0 <= bad <= total or total == 0:
        raise ValueError(f"{bad} of {total} is no share of anything")
    check_share(confidence)


def check_share(share: float) -> None:
    """Refuse what is no share, or a certain one.

    Raises:
        ValueError: it does not lie between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"{share} does not lie between 0 and 1")


def crossing(is_left: Callable[[float], bool], left: float = 0.0, right: float = 1.0) -> float:
    """Where a predicate that holds from `left` on stops holding, to the last bit."""
    while left < (middle := (left + right) / 2) < right:
        left, right = (middle, right) if is_left(middle) else (left, middle)
    return right
