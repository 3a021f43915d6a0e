"""Estimate the factor by which response times grew: a rank-based shift of logarithms.

The estimate is the one of Hodges and Lehmann: the median of all ratios of a time after over a time before.
Its interval inverts a rank test: a factor is rejected if the times after are larger too often than the times
before multiplied by it. The variance is the larger one of Mann and Whitney's (equal distributions) and of
Brunner and Munzel's (any two), so that unequal spreads and ties do not make it too small.

It assumes that the deployment multiplied all times by one factor. `Shift.plausible` says whether that holds:
once the times before are multiplied by the factor, the two distributions may differ by no more than chance
explains (Kolmogorov and Smirnov, one in a hundred).

A watched sample is evaluated only at fixed looks: its first 30, 67, 120, 240 … times, each look with its part
of the allowed error, so that frequent looks do not add errors. Times after the last look are not used.

Sources: J. L. Hodges, E. L. Lehmann, "Estimates of location based on rank tests", Ann. Math. Statist. 34
(1963); E. Brunner, U. Munzel, "The nonparametric Behrens-Fisher problem", Biometrical J. 42 (2000);
K. K. G. Lan, D. L. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from kamiyo_verify.judge.statistics.method import check_share

LOOKS = (30, 67, 120, 240, 480, 960, 1920, 3840)
_SPENT = (0.04, 0.40, 0.36, 0.18, 0.08, 0.04, 0.02, 0.02)
"""The share of the allowed error at each look. The sum is 1.14: looks share samples, so their errors overlap,
and by simulation the total error is below the allowed one."""

FEWEST = 10
"""Samples on each side: with fewer, the normal approximation of a rank test is not good enough."""

_MOST = 2_000
"""Samples on each side: of a larger sample only every second, third … is used, to bound the time."""

_STEPS = 32
_DOUBT = 1.628
"""The critical value of the Kolmogorov-Smirnov statistic at 1 %."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A factor with one-sided bounds.

    Attributes:
        plausible: whether one factor explains the difference between the two samples.
        read: number of times after the deployment that were used: those of the last look.
    """

    factor: float
    lower: float
    upper: float
    plausible: bool
    read: int


def shift(
    after: Sequence[float], before: Sequence[float], confidence: float, *, watched: bool = False
) -> Shift | None:
    """Return the factor by which times grew; None if there are too few of them, or none above 0.

    Args:
        after: durations in the order taken, independent of each other and of those before, in one unit.
        before: likewise.
        confidence: confidence of each bound by itself, at all looks jointly.
        watched: whether a rule that saw the samples could end the sampling.

    Raises:
        ValueError: the confidence is not between 0 and 1, or a sample is NaN.
    """
    check_share(confidence)
    if any(math.isnan(one) for one in (*after, *before)):
        raise ValueError("a sample is no number")
    last = look_of(len(after)) if watched else None
    if watched and last is None:
        return None
    error = (1 - confidence) * (1.0 if last is None else _SPENT[last])
    read = tuple(after) if last is None else tuple(after[: LOOKS[last]])
    return _shift(read, tuple(before), error)


def look_of(samples: int) -> int | None:
    """Return the index of the last look of a sample of that size; None before the first."""
    looks = bisect_right(LOOKS, samples)
    return looks - 1 if looks else None


@lru_cache(64)
def _shift(after: tuple[float, ...], before: tuple[float, ...], error: float) -> Shift | None:
    if min(len(after), len(before)) < FEWEST:
        return None
    both = _logarithms(_thinned(after), _thinned(before))
    if both is None:
        return None
    now, then = both
    critical = NormalDist().inv_cdf(1 - error)
    factor = _where(now, then, 0.0)
    return Shift(
        factor=math.exp(factor),
        lower=math.exp(_where(now, then, critical)),
        upper=math.exp(_where(now, then, -critical)),
        plausible=_distance(now, then, factor) <= _DOUBT * math.sqrt(1 / len(now) + 1 / len(then)),
        read=len(after),
    )


def _thinned(sample: tuple[float, ...]) -> tuple[float, ...]:
    return sample[:: -(-len(sample) // _MOST)]


def _logarithms(after: Sequence[float], before: Sequence[float]) -> tuple[list[float], list[float]] | None:
    """Return the sorted logarithms of both samples; a time of 0 counts as half of the smallest time.

    None if no time is finite and above 0, or no more than half of the times of a sample are above 0.
    """
    finite = [one for one in (*after, *before) if 0 < one < math.inf]
    if not finite:
        return None
    least, most = min(finite) / 2, max(finite) * 2
    both = []
    for sample in (after, before):
        if 2 * sum(one > 0 for one in sample) <= len(sample):
            return None
        both.append(sorted(math.log(min(max(one, least), most)) for one in sample))
    return both[0], both[1]


def _where(now: Sequence[float], then: Sequence[float], critical: float) -> float:
    """Return the logarithm of the factor at which the standardised rank statistic falls to `critical`."""
    left, right = now[0] - then[-1] - 1, now[-1] - then[0] + 1
    for _ in range(_STEPS):
        middle = (left + right) / 2
        left, right = (middle, right) if _statistic(now, then, middle) > critical else (left, middle)
    return (left + right) / 2


def _statistic(now: Sequence[float], then: Sequence[float], shifted: float) -> float:
    """Return the excess over 1/2 of P(`now` > shifted `then`), in standard errors."""
    moved = [one + shifted for one in then]
    over, over_squared = _placements(now, moved)
    _, under_squared = _placements(moved, now)
    share = over / len(now)
    first = max(0.0, over_squared / len(now) - share**2) / len(now)
    second = max(0.0, under_squared / len(then) - (1 - share) ** 2) / len(then)
    alike = (len(now) + len(then) + 1) / (12 * len(now) * len(then))
    return (share - 0.5) / math.sqrt(max(first + second, alike))


def _placements(ones: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return sum and sum of squares of the share of `others` below each of `ones` (ties count 1/2)."""
    tally = squares = 0.0
    for one in ones:
        place = (bisect_left(others, one) + bisect_right(others, one)) / (2 * len(others))
        tally += place
        squares += place * place
    return tally, squares


def _distance(now: Sequence[float], then: Sequence[float], shifted: float) -> float:
    """Return the largest distance between the two distributions after shifting `then`; ties reduce it."""
    moved = [one + shifted for one in then]
    tolerance = 1e-6
    worst = 0.0
    for sample, other in ((now, moved), (moved, now)):
        for place, one in enumerate(sample):
            below, up_to = place / len(sample), (place + 1) / len(sample)
            least = bisect_left(other, one - tolerance) / len(other)
            most = bisect_right(other, one + tolerance) / len(other)
            worst = max(worst, least - up_to, below - most)
    return worst
