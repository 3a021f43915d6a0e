"""Comparison of two samples: the ratio of a quantile, and the increase of a share.

Each sample gets its own bounds, at a confidence at which both hold jointly as often as required. Conclusions
from both then hold at least as often, whatever the two distributions are; for smooth ones they hold more
often. There are narrower intervals, which are approximate: R. M. Price, D. G. Bonett,
"Distribution-free confidence intervals for difference and ratio of medians", J. Statist. Comput. Simul. 72
(2002), 119–124.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kamiyo_verify.judge.statistics.exact import EXACT, quantile_bounds
from kamiyo_verify.judge.statistics.method import Method


def shared(confidence: float, statements: int) -> float:
    """Return the confidence that each of `statements` statements needs for this joint confidence."""
    return 1 - (1 - confidence) / statements


def of_each(confidence: float) -> float:
    """Return the confidence that each of two independent samples' bounds needs for this joint confidence."""
    return math.sqrt(confidence)


def quantile_ratio(
    after: Sequence[float],
    before: Sequence[float],
    quantile: float,
    confidence: float,
    methods: tuple[Method, Method] = (EXACT, EXACT),
) -> tuple[float | None, float | None]:
    """Return one-sided bounds of the ratio of a quantile of `after` to that of `before`.

    Args:
        after: durations, independent of each other and of those before, in one unit.
        before: likewise.
        quantile: 0.5 for the median.
        confidence: confidence of each bound by itself.
        methods: interval methods of the two samples.

    Returns:
        The lower and the upper bound; None for too few samples, or a division by 0.

    Raises:
        ValueError: a sample is empty or contains NaN, or a share is not between 0 and 1.
    """
    each = of_each(confidence)
    low, high = quantile_bounds(after, quantile, each, methods[0])
    low_before, high_before = quantile_bounds(before, quantile, each, methods[1])
    return (_over(low, high_before), _over(high, low_before))


def share_increase(
    after: tuple[float, float],
    before: tuple[float, float],
    confidence: float,
    methods: tuple[Method, Method] = (EXACT, EXACT),
) -> tuple[float, float]:
    """Return one-sided bounds of the increase of the share of bad events.

    Args:
        after: (bad, total) after the change.
        before: (bad, total) before it.
        confidence: confidence of each bound by itself.
        methods: interval methods of the two samples.

    Raises:
        ValueError: the counts are invalid, or the confidence is not between 0 and 1.
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
