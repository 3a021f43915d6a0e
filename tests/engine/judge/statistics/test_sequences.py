"""Confidence sequences: against scipy, against what they promise, and against how soon they should decide."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import betainc, betaincc, betaln
from scipy.stats import expon, lognorm

from kamiyo_verify.judge.statistics import exact as statistics
from kamiyo_verify.judge.statistics import sequences
from kamiyo_verify.judge.statistics.sequences import (
    ANYTIME,
    ProportionSequence,
    evidence_above,
    evidence_below,
)
from kamiyo_verify.model.words import SloVerdict

MET, BREACHED, UNDECIDED = SloVerdict.MET, SloVerdict.BREACHED, SloVerdict.INSUFFICIENT_EVIDENCE
RUNS = 10_000
LEVEL = 0.95


@cache
def boundaries(share: float, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each number of samples: the most bad ones that are `met`, the fewest that are `breached`.

    Both grow with the samples, so a run is decided the first time that its count of bad ones crosses one.
    """
    most, fewest = np.full(longest + 1, -1), np.full(longest + 1, longest + 1)
    met, breached = -1, 1
    for total in range(1, longest + 1):
        while met < total - 1 and sequences.shows_below(met + 1, total, share, LEVEL):
            met += 1
        while breached <= total and not sequences.shows_above(breached, total, share, LEVEL):
            breached += 1
        most[total], fewest[total] = met, breached
    return most, fewest


def simulated(
    share: float, truth: float, longest: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each of 10,000 runs is first called met and first called breached; `longest + 1` for never."""
    most, fewest = boundaries(share, longest)
    random = np.random.default_rng(seed)
    met: list[NDArray[np.int64]] = []
    breached: list[NDArray[np.int64]] = []
    for _ in range(RUNS // 500):
        bad = np.cumsum(random.random((500, longest)) < truth, axis=1, dtype=np.int32)
        for first, crossed in ((met, bad <= most[1:]), (breached, bad >= fewest[1:])):
            first.append(np.where(crossed.any(axis=1), crossed.argmax(axis=1) + 1, longest + 1))
    return np.concatenate(met), np.concatenate(breached)


@pytest.mark.parametrize(("share", "longest"), [(0.05, 3_000), (0.001, 8_000), (0.5, 500)])
def test_at_the_boundary_a_call_is_wrong_in_one_of_twenty_runs_at_most(share: float, longest: int) -> None:
    """Peeking after every request: each run counts as wrong if it ever was."""
    met, breached = simulated(share, share, longest, seed=1)
    assert np.mean(met <= longest) <= 0.05
    assert np.mean(breached <= longest) <= 0.05


@pytest.mark.parametrize(
    "beyond",
    [
        pytest.param(expon.sf(2 * expon.ppf(0.95)), id="exponential"),
        pytest.param(lognorm.sf(2 * lognorm.ppf(0.95, 0.5), 0.5), id="lognormal-0.5"),
        pytest.param(lognorm.sf(2 * lognorm.ppf(0.95, 1.0), 1.0), id="lognormal-1"),
        pytest.param(0.0, id="bounded"),
    ],
)
def test_a_clear_case_is_decided_soon(beyond: float) -> None:
    """The true p95 is half the threshold; a test of fixed size needs 59 samples, or 93 with one bad one."""
    met, breached = simulated(0.05, beyond, 1_000, seed=2)
    assert np.median(met) <= 130
    assert np.mean(met <= 1_000) > 0.99
    assert np.mean(breached <= 1_000) < 0.01


def test_a_clear_breach_is_decided_sooner_still() -> None:
    _, breached = simulated(0.05, 0.5, 200, seed=3)
    assert np.median(breached) <= 10


def test_the_boundaries_are_those_of_the_object() -> None:
    most, fewest = boundaries(0.05, 3_000)
    random = np.random.default_rng(4)
    for truth in (0.0, 0.02, 0.05, 0.2, 1.0):
        watched, bad = ProportionSequence(0.05, LEVEL), 0
        for total, slow in enumerate(random.random(300) < truth, start=1):
            bad += int(slow)
            expected = MET if bad <= most[total] else BREACHED if bad >= fewest[total] else UNDECIDED
            assert watched.update(bool(slow)) is watched.verdict is expected


def test_the_verdict_says_what_the_interval_says() -> None:
    watched = ProportionSequence(0.05, LEVEL)
    first = next(total for total in count(1) if watched.update(False) is MET)
    assert first == 67
    assert watched.interval[1] < 0.05
    assert watched.samples_needed is None
    assert watched.update(True) is UNDECIDED
    assert watched.interval[1] > 0.05
    assert watched.samples_needed == 135


def test_samples_needed_counts_down_to_the_decision() -> None:
    watched = ProportionSequence(0.05, LEVEL)
    assert watched.samples_needed is not None
    assert watched.interval == (0.0, 1.0)
    watched.update(True)
    needed = watched.samples_needed
    assert needed == 135
    assert [watched.update(False) for _ in range(needed - 1)].index(MET) == needed - 2


def test_error_rates_take_thousands() -> None:
    assert statistics.samples_needed(0, 0.001, LEVEL, ANYTIME) == 3_402


COUNTS = st.integers(1, 5_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@settings(deadline=None)
@given(COUNTS, st.floats(1e-4, 0.9999))
def test_the_evidence_equals_scipys(counts: tuple[int, int], share: float) -> None:
    bad, total = counts
    log_likelihood = bad * math.log(share) + (total - bad) * math.log1p(-share)

    def averaged(first: float, second: float, part: Any, whole: Any) -> float:
        """Over the prior Beta(first, second), cut off at `share`."""
        log = betaln(bad + first, total - bad + second) - betaln(first, second)
        return float(log + math.log(part) - math.log(whole) - log_likelihood)

    if bad < total * share:
        part = betainc(bad + 0.25, total - bad + 1, share)
        expected = averaged(0.25, 1, part, betainc(0.25, 1, share))
        assert evidence_below(bad, total, share) == pytest.approx(expected, abs=1e-7)
    if bad > total * share:
        steep = min(20.0, 1 / share)
        far = averaged(0.25, 1, betaincc(bad + 0.25, total - bad + 1, share), betaincc(0.25, 1, share))
        near = averaged(1, steep, betaincc(bad + 1, total - bad + steep, share), betaincc(1, steep, share))
        expected = float(np.logaddexp(math.log(0.2) + far, math.log(0.8) + near))
        assert evidence_above(bad, total, share) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("log_martingale", [sequences.log_below, sequences.log_above])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.95])
def test_they_are_martingales(share: float, log_martingale: Callable[[float, float, float], float]) -> None:
    """One more sample leaves the expected evidence where it is, whatever was seen before."""

    def wealth(bad: int, total: int) -> float:
        return math.exp(log_martingale(bad, total, share))

    assert wealth(0, 0) == pytest.approx(1)
    for bad, total in ((0, 10), (1, 10), (7, 10), (0, 60), (3, 60)):
        expected = share * wealth(bad + 1, total + 1) + (1 - share) * wealth(bad, total + 1)
        assert expected == pytest.approx(wealth(bad, total), rel=1e-7)


def test_a_share_of_twice_the_line_is_found_soon() -> None:
    """10 % against 5 %: half of all runs within 160 requests, four of five within 300."""
    _, breached = simulated(0.05, 0.1, 1_000, seed=5)
    assert np.median(breached) <= 160
    assert np.mean(breached <= 300) > 0.8
    assert np.mean(breached <= 1_000) > 0.99


def test_a_request_that_always_fails_is_found_at_once() -> None:
    assert sequences.shows_above(2, 2, 0.05, LEVEL)


@settings(deadline=None, max_examples=30)
@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_a_bound_is_where_the_verdict_turns(counts: tuple[int, int], confidence: float) -> None:
    """What is rejected is one piece at each end, so that the interval says the same as the verdict."""
    lower, upper = sequences.lower_bound(*counts, confidence), sequences.upper_bound(*counts, confidence)
    assert lower <= counts[0] / counts[1] <= upper
    for share in np.geomspace(1e-6, 0.999999, 100).tolist():
        if abs(share - lower) > 1e-9:
            assert sequences.shows_above(*counts, share, confidence) is bool(share < lower)
        if abs(share - upper) > 1e-9:
            assert sequences.shows_below(*counts, share, confidence) is bool(share > upper)


@settings(deadline=None, max_examples=60)
@given(COUNTS)
def test_peeking_has_its_price(counts: tuple[int, int]) -> None:
    assert sequences.lower_bound(*counts, LEVEL) <= statistics.lower_bound(*counts, LEVEL) + 1e-12
    assert sequences.upper_bound(*counts, LEVEL) >= statistics.upper_bound(*counts, LEVEL) - 1e-12


def test_a_quantile_may_be_watched_too() -> None:
    """Its bounds are order statistics, as with a fixed sample, further out."""
    samples = [float(number) for number in range(200)]
    watched = statistics.quantile_bounds(samples, 0.95, LEVEL, ANYTIME)
    given_ = statistics.quantile_bounds(samples, 0.95, LEVEL)
    assert None not in (*watched, *given_)
    assert watched[0] < given_[0] < 190 < given_[1] < watched[1]  # type: ignore[operator]
    assert statistics.quantile_bounds(samples[:66], 0.95, LEVEL, ANYTIME)[1] is None
    assert statistics.quantile_bounds(samples[:67], 0.95, LEVEL, ANYTIME)[1] == 66


def test_a_million_requests_are_no_trouble() -> None:
    assert sequences.upper_bound(1_000, 1_000_000, LEVEL) == pytest.approx(0.00112, abs=1e-5)
    assert sequences.shows_below(400, 1_000_000, 0.001, LEVEL)
    assert sequences.shows_above(1_900, 1_000_000, 0.001, LEVEL)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, math.nan])
def test_an_objective_of_nothing_or_all_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        ProportionSequence(share, LEVEL)
