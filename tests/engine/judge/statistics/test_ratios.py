"""Ratios and differences of two samples: their bounds hold as often as they say, of whatever they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.judge.statistics.ratios import of_each, quantile_ratio, share_increase
from kamiyo_verify.judge.statistics.sequences import ANYTIME

Draw: TypeAlias = Callable[[np.random.Generator, int], NDArray[np.float64]]
LEVEL = 0.95


def lognormal(sigma: float, median: float = 1.0) -> Draw:
    return lambda random, size: random.lognormal(np.log(median), sigma, size)


def bimodal(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Half of all answers come from a cache, and there is nothing between the two."""
    return np.where(random.random(size) < 0.5, 1.0, 40.0) * random.uniform(0.9, 1.1, size)


def rounded(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Whole milliseconds, and so many ties."""
    return np.ceil(random.lognormal(1.5, 0.5, size))


PAIRS: dict[str, tuple[Draw, Draw]] = {
    "alike": (lognormal(0.5), lognormal(0.5)),
    "twice as slow": (lognormal(0.5, 2.0), lognormal(0.5)),
    "wider": (lognormal(1.2), lognormal(0.2)),
    "narrower": (lognormal(0.1, 3.0), lognormal(1.5)),
    "bimodal": (bimodal, bimodal),
    "bimodal now": (bimodal, lognormal(0.5)),
    "whole milliseconds": (rounded, rounded),
}


def true_quantile(draw: Draw, quantile: float) -> float:
    """By a large sample; the smallest value that this share does not exceed."""
    drawn = np.sort(draw(np.random.default_rng(99), 2_000_000))
    return float(drawn[int(np.ceil(quantile * len(drawn))) - 1])


@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_ratio_is_covered_as_often_as_it_says(pair: str, quantile: float) -> None:
    after, before = PAIRS[pair]
    truth = true_quantile(after, quantile) / true_quantile(before, quantile)
    random = np.random.default_rng(7)
    too_high = too_low = 0
    for _ in range(400):
        now, then = after(random, 80), before(random, 60)
        lower, upper = quantile_ratio(now.tolist(), then.tolist(), quantile, LEVEL)
        too_high += lower is not None and lower > truth * (1 + 1e-3)
        too_low += upper is not None and upper < truth * (1 - 1e-3)
    assert max(too_high, too_low) <= 0.05 * 400


@pytest.mark.parametrize(("times", "least", "most"), [(1.3, 1.0, 1.5), (5.0, 1.5, 9.0)])
def test_it_is_narrow_enough_to_be_of_use(times: float, least: float, most: float) -> None:
    """500 samples each tell 30 % more from 50 % more; 40 tell five times from either."""
    random = np.random.default_rng(8)
    size = 500 if times < 2 else 40
    inside = 0
    for _ in range(200):
        now, then = random.lognormal(np.log(times), 0.4, size), random.lognormal(0, 0.4, size)
        lower, upper = quantile_ratio(now.tolist(), then.tolist(), 0.5, LEVEL)
        inside += lower is not None and upper is not None and least < lower < upper < most
    assert inside >= 180


def test_too_few_samples_have_no_bound() -> None:
    assert quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, LEVEL) == (None, None)
    assert quantile_ratio([2.0] * 20, [1.0] * 20, 0.95, LEVEL) == (None, None)


def test_nothing_is_a_multiple_of_nothing() -> None:
    assert quantile_ratio([1.0] * 20, [0.0] * 20, 0.5, LEVEL) == (None, None)


def test_a_watched_sample_costs_some_width() -> None:
    now, then = [float(n) for n in range(100, 200)], [float(n) for n in range(50, 150)]
    given = quantile_ratio(now, then, 0.5, LEVEL)
    watched = quantile_ratio(now, then, 0.5, LEVEL, (ANYTIME, EXACT))
    assert None not in (*given, *watched)
    assert watched[0] < given[0] < 1.5 < given[1] < watched[1]  # type: ignore[operator]


@pytest.mark.parametrize(("after", "before"), [(0.1, 0.1), (0.3, 0.02), (0.02, 0.3), (0.001, 0.0)])
def test_an_increase_is_covered_as_often_as_it_says(after: float, before: float) -> None:
    random = np.random.default_rng(9)
    counts = zip(random.binomial(300, after, 1_000), random.binomial(80, before, 1_000), strict=True)
    bounds = [share_increase((int(now), 300), (int(then), 80), LEVEL) for now, then in counts]
    assert sum(lower > after - before for lower, _ in bounds) <= 50
    assert sum(upper < after - before for _, upper in bounds) <= 50


METHODS = {"fixed": EXACT, "watched": ANYTIME}


@pytest.mark.parametrize("after_method", METHODS)
@pytest.mark.parametrize("before_method", METHODS)
def test_each_sample_of_an_increase_is_bounded_by_its_own_method(
    after_method: str, before_method: str
) -> None:
    after, before = METHODS[after_method], METHODS[before_method]
    each = of_each(LEVEL)
    found = share_increase((30, 300), (4, 80), LEVEL, (after, before))
    assert found == (
        after.lower_bound(30, 300, each) - before.upper_bound(4, 80, each),
        after.upper_bound(30, 300, each) - before.lower_bound(4, 80, each),
    )
