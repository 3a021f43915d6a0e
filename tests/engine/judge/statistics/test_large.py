"""Every interval is computed in bounded time, whatever the counts are."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from kamiyo_verify.judge.statistics.beta import log_tails
from kamiyo_verify.judge.statistics.exact import (
    EXACT,
    at_least,
    at_most,
    fewest_over,
    lower_bound,
    most_under,
    samples_needed,
    upper_bound,
)
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.ratios import share_increase
from kamiyo_verify.judge.statistics.sequences import ANYTIME

LEVEL = 0.95
HUGE = [10**6, 10**9, 10**11, 10**15, 10**40, 10**300]
METHODS = pytest.mark.parametrize("method", [EXACT, ANYTIME], ids=["exact", "anytime"])


@pytest.fixture
def quick() -> Iterator[None]:
    """By the processor's time, so that a busy machine makes no difference."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 2


@METHODS
@pytest.mark.parametrize("total", HUGE, ids="{:.0e}".format)
@pytest.mark.parametrize("part", [0, 1e-9, 0.001, 0.05, 0.5, 0.999, 1])
@pytest.mark.usefixtures("quick")
def test_huge_counts_have_narrow_intervals(method: Method, total: int, part: float) -> None:
    bad = min(int(part * total), total)
    lower, upper = method.lower_bound(bad, total, LEVEL), method.upper_bound(bad, total, LEVEL)
    assert 0 <= lower <= min(bad / total * (1 + 1e-9), 1)
    assert bad / total * (1 - 1e-9) <= upper <= 1
    assert upper - lower < 6 / math.sqrt(min(total, 10**9)) + 1e-9
    assert method.shows_above(bad, total, 0.02, LEVEL) is (part > 0.02)
    assert method.shows_below(bad, total, 0.02, LEVEL) is (part < 0.02)


@METHODS
@pytest.mark.parametrize("bad", [0, 1, 10**6, 10**11, 10**40])
@pytest.mark.usefixtures("quick")
def test_how_many_it_takes_is_found_quickly(method: Method, bad: int) -> None:
    for share in (0.5, 0.05, 0.001):
        needed = samples_needed(bad, share, LEVEL, method)
        assert needed is not None
        assert needed >= bad / share * (1 - 1e-12)
    total = max(bad, 1_000)
    over, under = fewest_over(total, 0.05, LEVEL, method), most_under(total, 0.05, LEVEL, method)
    assert over is not None
    assert under is not None
    assert under < 0.05 * total < over


@METHODS
@pytest.mark.usefixtures("quick")
def test_what_no_number_of_samples_can_show_is_said(method: Method) -> None:
    assert samples_needed(0, 1e-15, LEVEL, method) is None
    assert fewest_over(3, 0.99999, LEVEL, method) is None
    assert most_under(3, 0.001, LEVEL, method) is None


@METHODS
def test_a_count_that_turns_the_verdict_is_the_nearest_one(method: Method) -> None:
    over, under = fewest_over(300, 0.05, LEVEL, method), most_under(300, 0.05, LEVEL, method)
    assert over is not None
    assert under is not None
    assert method.lower_bound(over, 300, LEVEL) >= 0.05 > method.lower_bound(over - 1, 300, LEVEL)
    assert method.upper_bound(under, 300, LEVEL) < 0.05 <= method.upper_bound(under + 1, 300, LEVEL)


@pytest.mark.usefixtures("quick")
def test_an_increase_of_huge_counts() -> None:
    lower, upper = share_increase((2 * 10**10, 10**11), (10**10, 10**11), LEVEL)
    assert lower == pytest.approx(0.1, abs=1e-4)
    assert upper == pytest.approx(0.1, abs=1e-4)


@METHODS
@pytest.mark.parametrize(
    ("bad", "total"),
    [
        (-1, 10),
        (-(10**11), 10**11),
        (0, 0),
        (0, -5),
        (11, 10),
        (math.nan, 10),
        (1, math.nan),
        (5, math.inf),
        (math.inf, math.inf),
    ],
)
def test_what_are_no_counts_is_refused(method: Method, bad: float, total: float) -> None:
    for bound in (method.lower_bound, method.upper_bound):
        with pytest.raises(ValueError, match="no share"):
            bound(bad, total, LEVEL)
    for shows in (method.shows_below, method.shows_above):
        with pytest.raises(ValueError, match="no share"):
            shows(bad, total, 0.05, LEVEL)


@METHODS
@settings(deadline=None)
@given(st.floats(1, 1e12), st.floats(0, 1))
def test_fractional_counts_are_between_whole_ones(method: Method, total: float, part: float) -> None:
    bad = part * total
    lower, upper = method.lower_bound(bad, total, LEVEL), method.upper_bound(bad, total, LEVEL)
    assert lower <= bad / total + 1e-12
    assert upper >= bad / total - 1e-12


@settings(deadline=None)
@given(st.floats(-2, 9), st.floats(-2, 9), st.floats(-3, 3))
def test_the_incomplete_beta_function_equals_scipys(first: float, second: float, away: float) -> None:
    first, second = 10**first, 10**second
    at = float(beta.mean(first, second) + away * beta.std(first, second))
    if not 1e-9 < at < 1 - 1e-9:
        return
    under, over = log_tails(first, second, at)
    assert math.exp(under) == pytest.approx(float(beta.cdf(at, first, second)), abs=1e-7)
    assert math.exp(over) == pytest.approx(float(beta.sf(at, first, second)), abs=1e-7)


@settings(deadline=None)
@given(st.integers(0, 400), st.floats(0, 1))
def test_both_tails_make_one(bad: int, share: float) -> None:
    assert at_most(bad - 1, 400, share) + at_least(bad, 400, share) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("bad", "total"), [(3, 10**9), (10**6, 10**9), (500_000_000, 10**9)])
def test_a_billion_is_exact(bad: int, total: int) -> None:
    low = float(beta.ppf(0.05, bad, total - bad + 1))
    high = float(beta.ppf(0.95, bad + 1, total - bad))
    assert lower_bound(bad, total, LEVEL) == pytest.approx(low, rel=1e-6)
    assert upper_bound(bad, total, LEVEL) == pytest.approx(high, rel=1e-6)
