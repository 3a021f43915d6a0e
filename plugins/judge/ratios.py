"""Two samples against each other: how many times as large a quantile is, how much larger a share.

Each sample gets bounds of its own, at such a confidence that both hold together as often as was asked. What
follows from both then holds at least as often, whatever the two distributions are; for smooth ones it holds
more often than that. There are narrower intervals, which are approximate: R. M. Price, D. G. Bonett,
"Distribution-free confidence intervals for difference and ratio of medians", J. Statist. Comput. Simul. 72
(2002), 119–124.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from plugins.judge.method import Method
from plugins.judge.statistics import EXACT, quantile_bounds


def shared(confidence: float, statements: int) -> float:
    """The confidence of each of so many statements that all hold together with this one."""
    return 1 - (1 - confidence) / statements


def of_each(confidence: float) -> float:
    """The confidence of the bound of each of two independent samples that both hold with this one."""
    return math.sqrt(confidence)


def quantile_ratio(
    after: Sequence[float],
    before: Sequence[float],
    quantile: float,
    confidence: float,
    methods: tuple[Method, Method] = (EXACT, EXACT),
) -> tuple[float | None, float | None]:
    """One-sided bounds of a quantile of `after` over the same quantile of `before`.

    Args:
        after: durations, independent of each other and of those before, in one unit.
        before: likewise.
        quantile: 0.5 for the median.
        confidence: of each bound by itself.
        methods: how to read each of the two samples.

    Returns:
        The lower and the upper bound; None where there are too few samples for one, or division by 0.

    Raises:
        ValueError: a sample is empty or holds what is no number, or a share is not between 0 and 1.
    """
    each = of_each(confidence)
    low, high = quantile_bounds(after, quantile, each, methods[0])
    low_before, high_before = quantile_bounds(before, quantile, each, methods[1])
    return (_over(low, high_before), _over(high, low_before))


def share_increase(
    after: tuple[int, int],
    before: tuple[int, int],
    confidence: float,
    methods: tuple[Method, Method] = (EXACT, EXACT),
) -> tuple[float, float]:
    """One-sided bounds of the share of bad events after less that before.

    Args:
        after: how many were bad, and of how many.
        before: likewise.
        confidence: of each bound by itself.
        methods: how to read each of the two.

    Raises:
        ValueError: these are no counts, or the confidence is not between 0 and 1.
    """
    each = of_each(confidence)
    return (
        methods[0].lower_bound(*after, each) - methods[1].upper_bound(*before, each),
        methods[0].upper_bound(*after, each) - methods[1].lower_bound(*before, each),
    )


def _over(one: float | None, other: float | None) -> float | None:
    if one is None or other is None or other <= 0 or not math.isfinite(other):
        return None
    return one / other
