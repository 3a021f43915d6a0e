"""The factor by which response times have grown: as often right as it says, and sharp enough to be of use."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import brunnermunzel, mannwhitneyu

from kamiyo_verify.judge.rules.effects import typical_slowdown
from kamiyo_verify.judge.statistics import shifts
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.judge.statistics.shifts import LOOKS, look_of, shift

LEVEL = 0.95
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def lognormal(sigma: float, median: float = 200.0) -> Draw:
    return lambda random, size: random.lognormal(math.log(median), sigma, size)


def in_whole_milliseconds(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    return np.ceil(random.lognormal(math.log(5), 0.4, size))


def heavy(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    return 100 * (1 + random.pareto(1.5, size))


DRAWS = {
    "lognormal": lognormal(0.4),
    "wide": lognormal(1.2),
    "heavy tail": heavy,
    "whole milliseconds": in_whole_milliseconds,
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_each_bound_is_wrong_in_one_of_twenty_runs_at_most(draw: Draw) -> None:
    random = np.random.default_rng(1)
    too_high = too_low = 0
    for _ in range(250):
        found = shift((1.5 * draw(random, 50)).tolist(), draw(random, 60).tolist(), LEVEL)
        assert found is not None
        too_high += found.lower > 1.5 * (1 + 1e-6)
        too_low += found.upper < 1.5 * (1 - 1e-6)
    assert max(too_high, too_low) <= 250 * 0.05 + 3 * math.sqrt(250 * 0.05 * 0.95)


def test_unequal_spreads_do_not_make_it_too_sure() -> None:
    """A small sample with a wide spread is where a plain rank test is wrong too often."""
    random = np.random.default_rng(2)
    wrong = 0
    for _ in range(250):
        after, before = random.lognormal(0, 1.0, 30), random.lognormal(0, 0.2, 300)
        found = shift(after.tolist(), before.tolist(), LEVEL)
        assert found is not None
        wrong += found.lower > 1
    assert wrong <= 250 * 0.05 + 3 * math.sqrt(250 * 0.05 * 0.95)


def test_looking_again_and_again_does_not_cheat() -> None:
    """Of runs at the line, those in which any look calls it over are no more than the bound allows."""
    random = np.random.default_rng(3)
    looks, runs = np.array(LOOKS), 200_000
    steps = random.standard_normal((runs, len(looks))) * np.sqrt(np.diff(looks, prepend=0))
    standardised = np.cumsum(steps, axis=1) / np.sqrt(looks)
    for error in (0.1, 0.05, 0.04, 0.01):
        critical = [NormalDist().inv_cdf(1 - error * part) for part in shifts._SPENT]
        assert np.mean((standardised >= critical).any(axis=1)) <= error


@pytest.mark.parametrize(("size", "before"), [(67, 67), (67, 300)])
def test_a_doubling_shows(size: int, before: int) -> None:
    """In 95 of 100 runs a true doubling is over the line of 50 %, while it is watched."""
    random = np.random.default_rng(4)
    shown = 0
    for _ in range(100):
        after = (2 * lognormal(0.4)(random, size)).tolist()
        found = typical_slowdown(after, lognormal(0.4)(random, before).tolist(), LEVEL, (ANYTIME, EXACT))
        shown += found.interval[0] is not None and found.interval[0] >= 1.5
    assert shown >= 95


def test_its_statistic_is_that_of_scipy() -> None:
    random = np.random.default_rng(5)
    after, before = np.sort(random.normal(0.6, 1, 40)), np.sort(random.normal(0, 0.5, 55))
    ours = shifts._statistic(after.tolist(), before.tolist(), 0.0)
    theirs = abs(float(brunnermunzel(after, before).statistic))
    assert ours == pytest.approx(theirs, rel=0.05)
    alike = np.sort(random.normal(0.9, 1, 55))
    u = mannwhitneyu(alike, after, alternative="two-sided", method="asymptotic", use_continuity=False)
    ours = shifts._statistic(alike.tolist(), after.tolist(), 0.0)
    assert abs(ours) <= -NormalDist().inv_cdf(float(u.pvalue) / 2) + 1e-9


def test_the_estimate_is_that_of_hodges_and_lehmann() -> None:
    random = np.random.default_rng(6)
    after, before = random.lognormal(1, 0.5, 41), random.lognormal(0, 0.5, 37)
    found = shift(after.tolist(), before.tolist(), LEVEL)
    assert found is not None
    assert found.factor == pytest.approx(float(np.median(np.divide.outer(after, before))), rel=1e-3)
    assert found.lower < found.factor < found.upper


def test_one_factor_is_plausible_where_it_is_true_and_not_where_few_requests_are_slow() -> None:
    random = np.random.default_rng(7)
    once = [shift((2 * heavy(random, 67)).tolist(), heavy(random, 300).tolist(), LEVEL) for _ in range(100)]
    assert sum(one is not None and one.plausible for one in once) >= 96
    mixed = lognormal(0.2)(random, 200)
    mixed[::3] *= 10
    found = shift(mixed.tolist(), lognormal(0.2)(random, 300).tolist(), LEVEL)
    assert found is not None
    assert not found.plausible


def test_where_no_one_factor_fits_the_medians_are_compared() -> None:
    random = np.random.default_rng(8)
    after, before = lognormal(0.2)(random, 300), lognormal(0.2)(random, 300)
    after[::3] *= 10
    found = typical_slowdown(after.tolist(), before.tolist(), LEVEL, (EXACT, EXACT))
    assert found.ratio == pytest.approx(float(np.median(after) / np.median(before)), rel=0.02)
    assert found.interval[0] is not None
    assert found.interval[0] < found.ratio


def test_a_watched_sample_is_read_to_its_last_look() -> None:
    times = [float(number) for number in range(1, 200)]
    assert shift(times[:29], times, LEVEL, watched=True) is None
    for size, read in ((30, 30), (66, 30), (67, 67), (119, 67), (199, 120)):
        found = shift(times[:size], times, LEVEL, watched=True)
        assert found is not None
        assert found.read == read
    assert look_of(10**9) == len(LOOKS) - 1


def test_too_few_samples_have_no_factor() -> None:
    assert shift([1.0] * 9, [1.0] * 100, LEVEL) is None
    assert shift([], [1.0] * 100, LEVEL) is None


@pytest.mark.parametrize("rest", [0.0, -1.0, math.inf, 1e300, 1e-300])
def test_odd_times_are_ordered_and_not_counted_as_numbers(rest: float) -> None:
    found = shift([200.0] * 40 + [rest], [100.0] * 40 + [rest], LEVEL)
    assert found is not None
    assert found.factor == pytest.approx(2, rel=1e-3)


def test_a_time_out_of_range_counts_as_twice_the_longest_or_half_of_the_shortest() -> None:
    now, then = [200.0, 260.0] * 20, [100.0, 120.0] * 20
    endless = shift([*now, *[math.inf] * 30], then, LEVEL)
    assert endless == shift([*now, *[520.0] * 30], then, LEVEL)
    assert endless != shift([*now, *[260.0] * 30], then, LEVEL)
    at_once = shift(now, [*then, *[0.0] * 30], LEVEL)
    assert at_once == shift(now, [*then, *[50.0] * 30], LEVEL)
    assert at_once != shift(now, [*then, *[100.0] * 30], LEVEL)


def test_what_took_no_time_has_no_factor() -> None:
    assert shift([1.0] * 40, [0.0] * 40, LEVEL) is None


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="no number"):
        shift([math.nan] * 40, [1.0] * 40, LEVEL)
    with pytest.raises(ValueError, match="between 0 and 1"):
        shift([1.0] * 40, [1.0] * 40, 1.0)


def test_it_takes_bounded_time() -> None:
    random = np.random.default_rng(9)
    many = [lognormal(0.4)(random, 100_000).tolist() for _ in range(2)]
    began = time.process_time()
    assert shift(many[0], many[1], LEVEL) is not None
    assert time.process_time() - began < 3


def test_the_looks_are_the_documented_ones_and_each_begins_with_its_last_sample() -> None:
    sizes = (30, 67, 120, 240, 480, 960, 1920, 3840)
    assert [look_of(size) for size in sizes] == [*range(len(sizes))]
    assert [look_of(size - 1) for size in sizes] == [None, *range(len(sizes) - 1)]


def test_the_looks_spend_the_allowed_error_that_was_simulated() -> None:
    """The wrong calls at all looks were simulated for these parts, of which the second is the largest."""
    assert len(shifts._SPENT) == len(LOOKS)
    assert sum(shifts._SPENT) == pytest.approx(1.14)
    assert [*shifts._SPENT[1:]] == sorted(shifts._SPENT[1:], reverse=True)
    assert all(0 < part < 0.5 for part in shifts._SPENT)
