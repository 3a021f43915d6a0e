"""The intervals against scipy's, and against what they promise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, quantile_test

from kamiyo_verify.judge.statistics.exact import (
    at_most,
    lower_bound,
    quantile_bounds,
    sample_quantile,
    samples_needed,
    upper_bound,
)

COUNTS = [
    (bad, total)
    for total in (1, 2, 7, 59, 120, 1_000, 100_000)
    for bad in sorted({0, 1, total // 100, total // 20, total // 2, total - 1, total})
]


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("bad", "total"), COUNTS)
def test_bounds_equal_scipys(bad: int, total: int, confidence: float) -> None:
    test = binomtest(bad, total, alternative="less")
    assert upper_bound(bad, total, confidence) == pytest.approx(
        test.proportion_ci(confidence, "exact").high, abs=1e-9
    )
    test = binomtest(bad, total, alternative="greater")
    assert lower_bound(bad, total, confidence) == pytest.approx(
        test.proportion_ci(confidence, "exact").low, abs=1e-9
    )


@pytest.mark.parametrize(("bad", "total"), COUNTS)
def test_two_bounds_make_clopper_and_pearsons_interval(bad: int, total: int) -> None:
    theirs = binomtest(bad, total).proportion_ci(0.95, "exact")
    assert lower_bound(bad, total, 0.975) == pytest.approx(theirs.low, abs=1e-9)
    assert upper_bound(bad, total, 0.975) == pytest.approx(theirs.high, abs=1e-9)


@settings(deadline=None)
@given(st.integers(1, 5_000), st.floats(0, 1), st.floats(0, 1))
def test_the_tail_equals_scipys(total: int, part: float, share: float) -> None:
    bad = round(part * total)
    assert at_most(bad, total, share) == pytest.approx(float(binom.cdf(bad, total, share)), abs=1e-9)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3])
def test_a_bound_is_wrong_no_more_often_than_it_says(share: float) -> None:
    """Over every possible outcome of 200 events, each weighed with its probability."""
    outcomes = [(bad, float(binom.pmf(bad, 200, share))) for bad in range(201)]
    too_low = sum(chance for bad, chance in outcomes if upper_bound(bad, 200, 0.95) < share)
    too_high = sum(chance for bad, chance in outcomes if lower_bound(bad, 200, 0.95) > share)
    assert too_low <= 0.05
    assert too_high <= 0.05


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200, unique=True), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantile_bounds_equal_scipys(samples: list[float], quantile: float) -> None:
    lower, upper = quantile_bounds(samples, quantile, 0.95)
    greater: Any = quantile_test(samples, p=quantile, alternative="greater")
    less: Any = quantile_test(samples, p=quantile, alternative="less")
    low, high = greater.confidence_interval(0.95).low, less.confidence_interval(0.95).high
    assert lower == (None if math.isnan(low) else low)
    assert upper == (None if math.isnan(high) else high)


def test_59_samples_bound_the_95th_percentile_and_58_do_not() -> None:
    assert quantile_bounds(range(59), 0.95, 0.95)[1] == 58
    assert quantile_bounds(range(58), 0.95, 0.95)[1] is None


@pytest.mark.parametrize(
    ("bad", "share", "needed"),
    [(0, 0.001, 2_995), (0, 0.05, 59), (1, 0.05, 93), (0, 0.5, 5)],
)
def test_samples_needed(bad: int, share: float, needed: int) -> None:
    assert samples_needed(bad, share, 0.95) == needed
    assert upper_bound(bad, needed, 0.95) <= share
    assert upper_bound(bad, needed - 1, 0.95) > share


def test_none_bad_is_the_rule_of_three_exactly() -> None:
    assert samples_needed(0, 0.001, 0.95) == math.ceil(math.log(0.05) / math.log(0.999))


def test_the_sample_quantile_is_a_sample() -> None:
    assert sample_quantile([4, 1, 3, 2], 0.5) == 2
    assert sample_quantile([5], 0.95) == 5


def test_infinite_samples_are_ordered_like_any() -> None:
    assert quantile_bounds([math.inf] * 10 + [1.0] * 190, 0.95, 0.95)[1] == math.inf


@pytest.mark.parametrize(("bad", "total"), [(-1, 3), (4, 3), (0, 0)])
def test_what_is_no_share_is_refused(bad: int, total: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        upper_bound(bad, total, 0.95)


@pytest.mark.parametrize("samples", [[], [1.0, math.nan]])
def test_what_are_no_samples_is_refused(samples: list[float]) -> None:
    with pytest.raises(ValueError, match="no "):
        quantile_bounds(samples, 0.95, 0.95)


def test_a_confidence_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples_needed(0, 0.1, 1.0)
