"""Exact intervals for a share and for a quantile, and the sample sizes that they need.

Every bound is one-sided: with `confidence` 0.95 it is on the wrong side of the truth in at most 5 % of runs,
so that a verdict which rests on one bound is wrong that seldom. Two of them make an interval of 90 %.

Sources: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of
the binomial", Biometrika 26 (1934); H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., § 7.1.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache

from kamiyo_verify.judge.statistics.beta import log_tails
from kamiyo_verify.judge.statistics.method import (
    MOST,
    Method,
    check_counts,
    check_share,
    crossing,
    manageable,
)


def at_most(bad: float, total: float, share: float) -> float:
    """Return the probability of `bad` or fewer bad events in `total`, each bad with probability `share`."""
    if bad < 0:
        return 0.0
    if bad >= total or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    return math.exp(log_tails(bad + 1, total - bad, share)[1])


def at_least(bad: float, total: float, share: float) -> float:
    """Return the probability of `bad` or more bad events in `total`, each bad with probability `share`."""
    if bad <= 0 or share >= 1:
        return 1.0
    if bad > total or share <= 0:
        return 0.0
    return math.exp(log_tails(bad, total - bad + 1, share)[0])


@lru_cache(1 << 14)
def lower_bound(bad: float, total: float, confidence: float) -> float:
    """Return the lower bound of the true share of bad events, with that confidence (Clopper-Pearson).

    Raises:
        ValueError: the counts are invalid, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    if not bad:
        return 0.0
    bad, total = manageable(bad, total)
    return crossing(lambda share: at_least(bad, total, share) < 1.0 - confidence)


@lru_cache(1 << 14)
def upper_bound(bad: float, total: float, confidence: float) -> float:
    """Return the upper bound of the true share of bad events, with that confidence (Clopper-Pearson).

    Raises:
        ValueError: the counts are invalid, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    bad, total = manageable(bad, total)
    return crossing(lambda share: at_most(bad, total, share) > 1.0 - confidence)


def shows_below(bad: float, total: float, share: float, confidence: float) -> bool:
    """Return whether the true share lies below `share`, with that confidence.

    Raises:
        ValueError: the counts are invalid, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return at_most(*manageable(bad, total), share) <= 1.0 - confidence


def shows_above(bad: float, total: float, share: float, confidence: float) -> bool:
    """Return whether the true share lies above `share`, with that confidence.

    Raises:
        ValueError: the counts are invalid, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return at_least(*manageable(bad, total), share) <= 1.0 - confidence


EXACT = Method(lower_bound, upper_bound, shows_below, shows_above)
"""For a sample whose size was fixed before anyone saw the data."""


def quantile_bounds(
    samples: Sequence[float], quantile: float, confidence: float, method: Method = EXACT
) -> tuple[float | None, float | None]:
    """Return one-sided bounds of a quantile by order statistics, without assumptions on the distribution.

    Args:
        samples: independent of each other, in any order and unit.
        quantile: 0.95 for p95.
        confidence: confidence of each bound by itself.
        method: `ANYTIME` if a rule that saw the samples ended the sampling.

    Returns:
        The lower and the upper bound, in the unit of the samples; None if there are too few for a bound.

    Raises:
        ValueError: there is no sample, one is NaN, or a share is not between 0 and 1.
    """
    check_counts(0, len(samples), confidence)
    check_share(quantile)
    ordered = _in_order(samples)
    below, above = _ranks(len(ordered), 1.0 - quantile, confidence, method)
    return (None if below is None else ordered[below], None if above is None else ordered[above])


@lru_cache(1 << 14)
def _ranks(total: int, beyond: float, confidence: float, method: Method) -> tuple[int | None, int | None]:
    """Return the ranks of the samples that bound the quantile with this share beyond it."""

    def too_many(bad: int) -> bool:
        return not method.shows_below(bad, total, beyond, confidence)

    def enough(bad: int) -> bool:
        return method.shows_above(bad, total, beyond, confidence)

    below = bisect_left(range(total), 1, key=too_many)
    above = bisect_left(range(total + 1), 1, key=enough)
    return (total - above if above <= total else None, total - below if below else None)


def sample_quantile(samples: Sequence[float], quantile: float) -> float:
    """Return the smallest sample that at least this share of all samples does not exceed.

    Raises:
        ValueError: there is no sample, one is NaN, or the quantile is not between 0 and 1.
    """
    check_counts(0, len(samples), quantile)
    return _in_order(samples)[math.ceil(quantile * len(samples)) - 1]


@lru_cache(1 << 14)
def samples_needed(bad: int, share: float, confidence: float, method: Method = EXACT) -> int | None:
    """Return the smallest number of events with which `bad` bad ones show a true share below `share`.

    Without bad events, for `EXACT`, this is the "rule of three": ln(1 - confidence) / ln(1 - share), rounded
    up. None if no number up to the maximum (`method.MOST`) is enough.

    Raises:
        ValueError: `bad` is not a count, or a share is not between 0 and 1.
    """
    check_counts(bad, bad + 1, confidence)
    check_share(share)
    return first_count(bad + 1, None, lambda total: method.shows_below(bad, total, share, confidence))


def fewest_over(total: int, share: float, confidence: float, method: Method = EXACT) -> int | None:
    """Return the smallest number of bad events in `total` whose lower bound reaches `share`; None if none.

    Raises:
        ValueError: `total` is not a count, or a share is not between 0 and 1.
    """
    check_share(share)
    return first_count(0, total, lambda bad: method.lower_bound(bad, total, confidence) >= share)


def most_under(total: int, share: float, confidence: float, method: Method = EXACT) -> int | None:
    """Return the largest number of bad events in `total` whose upper bound is below `share`; None if none.

    Raises:
        ValueError: `total` is not a count, or a share is not between 0 and 1.
    """
    check_share(share)
    over = first_count(0, total, lambda bad: method.upper_bound(bad, total, confidence) >= share)
    most = total if over is None else over - 1
    return most if most >= 0 else None


def first_count(least: int, most: int | None, enough: Callable[[int], bool]) -> int | None:
    """Return the smallest integer from `least` to `most` for which, and above which, `enough` holds.

    None if there is none. Without `most`, the limit is the larger of `MOST` and a trillion times `least`.
    """
    right = least
    if most is None:
        limit = max(int(MOST), least * 10**12)
        while not enough(right):
            right *= 2
            if right > limit:
                return None
    elif enough(most):
        right = most
    else:
        return None
    left = least
    while left < right:
        middle = (left + right) // 2
        left, right = (left, middle) if enough(middle) else (middle + 1, right)
    return left


def _in_order(samples: Sequence[float]) -> list[float]:
    if any(math.isnan(sample) for sample in samples):
        raise ValueError("a sample is no number")
    return sorted(samples)
