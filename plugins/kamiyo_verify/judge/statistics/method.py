"""Interval methods for a share: for a sample of fixed size, or for one that a rule may have ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Bound: TypeAlias = Callable[[float, float, float], float]
"""(bad, total, confidence) → a share. Counts may be fractions: dependent requests are worth fewer."""

Shows: TypeAlias = Callable[[float, float, float, float], bool]
"""(bad, total, share, confidence) → whether the counts show that the true share lies on a side of `share`."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method to judge counts.

    Attributes:
        lower_bound: returns the lower bound of the true share, with that confidence.
        upper_bound: returns the upper bound of the true share, with that confidence.
        shows_below: returns whether the true share lies below a share, with that confidence.
        shows_above: returns whether the true share lies above a share, with that confidence.
    """

    lower_bound: Bound
    upper_bound: Bound
    shows_below: Shows
    shows_above: Shows


MOST = 1e9
"""The maximum number of events of a sample. A larger sample is scaled down: its interval is wider than
necessary, and the arithmetic stays exact and fast."""


def manageable(bad: float, total: float) -> tuple[float, float]:
    """Scale counts down to `MOST` events, with the same share; return smaller counts unchanged."""
    return (bad, total) if total <= MOST else (bad / total * MOST, MOST)


def check_counts(bad: float, total: float, confidence: float) -> None:
    """Check that the counts can be judged.

    Raises:
        ValueError: the counts are invalid, or the confidence is not between 0 and 1.
    """
    if not 0 <= bad <= total or total in {0, math.inf}:
        raise ValueError(f"{bad} of {total} is no share of anything")
    check_share(confidence)


def check_share(share: float) -> None:
    """Check that a share is between 0 and 1, both excluded.

    Raises:
        ValueError: it is not.
    """
    if not 0 < share < 1:
        raise ValueError(f"{share} does not lie between 0 and 1")


def crossing(is_left: Callable[[float], bool], left: float = 0.0, right: float = 1.0) -> float:
    """Return the point where a predicate that holds from `left` on stops holding, to the last bit."""
    while left < (middle := (left + right) / 2) < right:
        left, right = (middle, right) if is_left(middle) else (left, middle)
    return right
