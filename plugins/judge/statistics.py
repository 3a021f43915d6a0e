"""Exact intervals for a share and for a quantile, and how many samples they take.

Every bound is one-sided: with `confidence` 0.95 it is on the wrong side of the truth in at most 5 % of runs,
so that a verdict which rests on one bound is wrong that seldom. Two of them make an interval of 90 %.

Sources: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of
the binomial", Biometrika 26 (1934); H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., § 7.1.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from plugins.judge.method import Method, check_counts, check_share, crossing

_REMEMBERED = 1 << 12


def at_most(bad: int, total: int, share: float) -> float:
    """The probability of `bad` or fewer bad events in `total` when each is bad with probability `share`."""
    if bad < 0:
        return 0.0
    if bad >= total or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    if bad > total * share:
        return 1.0 - _tail(total - bad - 1, total, 1.0 - share, share)
    return _tail(bad, total, share, 1.0 - share)


def lower_bound(bad: int, total: int, confidence: float) -> float:
    """The share of bad events that the true one exceeds, with that confidence (Clopper-Pearson).

    Raises:
        ValueError: these are no counts, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    if bad == 0:
        return 0.0
    return crossing(lambda share: 1.0 - at_most(bad - 1, total, share) < 1.0 - confidence)


def upper_bound(bad: int, total: int, confidence: float) -> float:
    """The share of bad events that the true one is below, with that confidence (Clopper-Pearson).

    Raises:
        ValueError: these are no counts, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    if bad == total:
        return 1.0
    return crossing(lambda share: at_most(bad, total, share) > 1.0 - confidence)


def shows_below(bad: int, total: int, share: float, confidence: float) -> bool:
    """Whether the true share lies below `share`, with that confidence: so few would come of it too seldom.

    Raises:
        ValueError: these are no counts, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return at_most(bad, total, share) <= 1.0 - confidence


def shows_above(bad: int, total: int, share: float, confidence: float) -> bool:
    """Whether the true share lies above `share`, with that confidence: so many would come of it too seldom.

    Raises:
        ValueError: these are no counts, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return at_most(total - bad, total, 1.0 - share) <= 1.0 - confidence


EXACT = Method(lower_bound, upper_bound, shows_below, shows_above)
"""For a sample whose size was settled before anyone looked."""


def quantile_bounds(
    samples: Sequence[float], quantile: float, confidence: float, method: Method = EXACT
) -> tuple[float | None, float | None]:
    """One-sided bounds of a quantile by order statistics; nothing is assumed of the distribution.

    Args:
        samples: independent of each other, in any order and unit.
        quantile: 0.95 for p95.
        confidence: of each bound by itself.
        method: `ANYTIME` where a rule that looked at the samples ended them.

    Returns:
        The lower and the upper bound, in the unit of the samples; None where there are too few for one.

    Raises:
        ValueError: there is no sample, one is no number, or a share is not between 0 and 1.
    """
    check_counts(0, len(samples), confidence)
    check_share(quantile)
    ordered = _in_order(samples)
    below, above = _ranks(len(ordered), 1.0 - quantile, confidence, method)
    return (None if below is None else ordered[below], None if above is None else ordered[above])


@lru_cache(_REMEMBERED)
def _ranks(total: int, beyond: float, confidence: float, method: Method) -> tuple[int | None, int | None]:
    """Which of the ordered samples are the bounds of the quantile that this share lies beyond."""

    def too_many(bad: int) -> bool:
        return not method.shows_below(bad, total, beyond, confidence)

    def enough(bad: int) -> bool:
        return method.shows_above(bad, total, beyond, confidence)

    below = bisect_left(range(total), 1, key=too_many)
    above = bisect_left(range(total + 1), 1, key=enough)
    return (total - above if above <= total else None, total - below if below else None)


def sample_quantile(samples: Sequence[float], quantile: float) -> float:
    """The smallest sample that at least this share of all samples does not exceed.

    Raises:
        ValueError: there is no sample, one is no number, or the quantile is not between 0 and 1.
    """
    check_counts(0, len(samples), quantile)
    return _in_order(samples)[math.ceil(quantile * len(samples)) - 1]


@lru_cache(_REMEMBERED)
def samples_needed(bad: int, share: float, confidence: float, method: Method = EXACT) -> int:
    """The smallest number of events with which `bad` bad ones show that the true share is below `share`.

    With none that is, for `EXACT`, the "rule of three": ln(1 - confidence) / ln(1 - share), rounded up.

    Raises:
        ValueError: `bad` is no count, or a share is not between 0 and 1.
    """
    check_counts(bad, bad + 1, confidence)
    check_share(share)

    def enough(total: int) -> bool:
        return method.shows_below(bad, total, share, confidence)

    bound = bad + 1
    while not enough(bound):
        bound *= 2
    return bisect_left(range(bound), 1, lo=bad + 1, key=enough)


def _tail(bad: int, total: int, share: float, rest: float) -> float:
    """`at_most` for `bad` at or below the mean, where the terms fall from `bad` downwards."""
    logarithm = (
        math.lgamma(total + 1)
        - math.lgamma(bad + 1)
        - math.lgamma(total - bad + 1)
        + bad * math.log(share)
        + (total - bad) * math.log(rest)
    )
    term = tally = 1.0
    for count in range(bad, 0, -1):
        term *= count / (total - count + 1) * rest / share
        tally += term
        if term < tally * 1e-17:
            break
    return min(1.0, math.exp(logarithm) * tally)


def _in_order(samples: Sequence[float]) -> list[float]:
    if any(math.isnan(sample) for sample in samples):
        raise ValueError("a sample is no number")
    return sorted(samples)
