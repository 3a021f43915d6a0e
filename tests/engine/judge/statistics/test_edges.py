"""Edges of the statistics: block lengths, the smallest samples, ties, and counts at their limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from scipy.special import gammaln
from scipy.stats import beta, binom

from kamiyo_verify.judge.slo.lines import Side
from kamiyo_verify.judge.statistics import beta as beta_function
from kamiyo_verify.judge.statistics import exact, sequences, shifts, spells
from kamiyo_verify.judge.statistics.addresses import without_ids
from kamiyo_verify.judge.statistics.beta import log_power, log_tails
from kamiyo_verify.judge.statistics.endpoints import Series, holm
from kamiyo_verify.judge.statistics.exact import EXACT, first_count, quantile_bounds, sample_quantile
from kamiyo_verify.judge.statistics.method import (
    MOST,
    Method,
    check_counts,
    check_share,
    crossing,
    manageable,
)
from kamiyo_verify.judge.statistics.ratios import quantile_ratio, share_increase, shared
from kamiyo_verify.judge.statistics.sequences import ANYTIME, ProportionSequence
from kamiyo_verify.judge.statistics.shares import verdict_on_outcomes
from kamiyo_verify.judge.statistics.shifts import LOOKS, look_of, shift
from kamiyo_verify.judge.statistics.spells import design_effect, effect_between, effect_of_blocks
from kamiyo_verify.model.words import SloVerdict

# Spells


def every_second(size: int, length: int) -> list[bool]:
    """Of every other stretch of that length, every second request fails: no two in a row, 1 of 4 in all."""
    return [place // length % 2 == 1 and place % 2 == 0 for place in range(size)]


@pytest.mark.parametrize(
    ("size", "length", "bad", "total"),
    [
        # 12 parts of 119 s have 9.9 s each, so that the last request is a part of its own.
        (120, 10, [0, 5] * 6 + [0], [10] * 12),
        (240, 30, [0, 15] * 4, [30] * 8),
        (400, 100, [0, 50, 0, 50, 0], [100, 100, 100, 99, 1]),
        (1_200, 100, [0, 50] * 6 + [0], [100] * 11 + [99, 1]),
    ],
    ids=["ten seconds", "thirty seconds", "a quarter", "a twelfth"],
)
def test_failures_cluster_in_blocks_of_each_documented_length(
    size: int, length: int, bad: list[int], total: list[int]
) -> None:
    found = design_effect([float(second) for second in range(size)], every_second(size, length))
    if size == 120:
        total, bad = [10] * 11 + [9, 1], [0, 5] * 5 + [0, 5, 0]
    assert found == pytest.approx(effect_of_blocks(bad, total))


def test_a_block_of_ten_seconds_begins_with_the_first_request() -> None:
    """Four blocks with 2, 0, 0 and 0 of 2: 3 / 1.5 x 4 / 3 = 2.667; 1 + 1.5 x (1.667 - 0.816) = 2.276."""
    times = [3.0, 12.9, 13.0, 22.9, 23.0, 32.9, 33.0, 42.9]
    states = [True, True, *[False] * 6]
    assert spells._of_blocks(times, states, 10.0) == pytest.approx(1 + 1.5 * (5 / 3 - math.sqrt(2 / 3)))
    assert spells._of_blocks(times[:7], states[:7], 10.0) == 1.0, "fewer than two requests a block"
    assert spells._of_blocks(times[:6], states[:6], 10.0) == 1.0, "three blocks"


def test_neighbours_are_never_correlated_by_more_than_99_percent() -> None:
    """(1 + 0.99) / (1 - 0.99) is 199."""
    assert design_effect((5.0,) * 4_000, (True,) * 2_000 + (False,) * 2_000) == pytest.approx(199.0)


def test_the_whole_span_counts_to_the_last_request() -> None:
    """One request a second for 40 s, and the last one at 400 s: quarters of 100 s, twelfths of 33 s."""
    times = [*map(float, range(40)), 400.0]
    states = [place < 6 for place in range(41)]
    neighbours = spells._of_neighbours(states)
    assert design_effect(times, states) == pytest.approx(
        max(neighbours, spells._of_blocks(times, states, 10.0))
    )
    assert spells._of_blocks(times, states, 100.0) == 1.0


def test_two_runs_are_enough_to_compare_and_one_is_not() -> None:
    """0 and 10 of 100: 50 / 9.5 x 2 = 10.526, more than chance explains. 4 and 6 are what chance explains."""
    assert effect_between([0, 10], [100, 100]) == pytest.approx(10.5263, abs=1e-4)
    assert effect_between([4, 6], [100, 100]) == 1.0
    assert effect_between([10], [100]) == 1.0
    assert effect_between([0, 0], [100, 100]) == 1.0
    assert effect_between([100, 100], [100, 100]) == 1.0
    assert effect_between([], []) == 1.0


@pytest.mark.parametrize(
    ("excess", "kept"), [(-1.0, 0.0), (0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (2.0, 1.5), (3.0, 3.0), (9.0, 9.0)]
)
def test_an_excess_of_one_standard_error_is_ignored_and_one_of_three_counts_fully(
    excess: float, kept: float
) -> None:
    assert spells._beyond_chance(excess, 1.0) == kept


# Shares


def test_a_sample_of_nothing_has_every_share_as_its_interval() -> None:
    found = verdict_on_outcomes((), (), 0.05, 0.95)
    assert (found.side, found.interval) == (Side.STRADDLING, (0.0, 1.0))
    assert (found.failed, found.total, found.independent, found.worth) == (0, 0, 0.0, "")


def test_what_a_sample_in_spells_is_worth_is_named_from_half_a_request_on() -> None:
    def worth(failed: Sequence[bool]) -> str:
        return verdict_on_outcomes(tuple(map(float, range(len(failed)))), tuple(failed), 0.05, 0.95).worth

    assert worth([False] * 30) == ""
    assert worth([place % 7 == 0 for place in range(70)]) == ""
    spell = [20 <= place < 30 for place in range(60)]
    effect = design_effect([float(place) for place in range(60)], spell)
    assert worth(spell) == f" (failures come in spells: worth {60 / effect:.0f} independent requests)"


# Exact intervals


@pytest.mark.parametrize("method", [EXACT, ANYTIME], ids=["exact", "anytime"])
def test_all_bad_and_none_bad_have_one_bound_at_the_end(method: Method) -> None:
    for total in (1, 7, 67, 10**12):
        assert method.upper_bound(total, total, 0.95) == 1.0
        assert method.lower_bound(0, total, 0.95) == 0.0
        assert 0 < method.upper_bound(0, total, 0.95) < 1
        assert 0 < method.lower_bound(total, total, 0.95) < 1


@pytest.mark.parametrize(
    ("bad", "total", "share", "under", "over"),
    [
        (-1, 5, 0.5, 0.0, 1.0),
        (0, 5, 0.5, 1 / 32, 1.0),
        (5, 5, 0.5, 1.0, 1 / 32),
        (6, 5, 0.5, 1.0, 0.0),
        (2, 5, 0.0, 1.0, 0.0),
        (2, 5, 1.0, 0.0, 1.0),
        (0, 5, 0.0, 1.0, 1.0),
        (5, 5, 1.0, 1.0, 1.0),
        (1, 2, 0.5, 0.75, 0.75),
    ],
)
def test_tails_of_the_binomial_distribution_at_their_ends(
    bad: float, total: float, share: float, under: float, over: float
) -> None:
    assert exact.at_most(bad, total, share) == pytest.approx(under)
    assert exact.at_least(bad, total, share) == pytest.approx(over)


@pytest.mark.parametrize(
    ("least", "most", "turns", "found"),
    [
        (0, 10, 4, 4),
        (0, 10, 0, 0),
        (0, 10, 10, 10),
        (0, 10, 11, None),
        (5, 10, 2, 5),
        (3, 3, 3, 3),
        (3, 3, 4, None),
    ],
)
def test_the_first_count_from_which_on_something_holds(
    least: int, most: int, turns: int, found: int | None
) -> None:
    assert first_count(least, most, lambda count: count >= turns) == found


@pytest.mark.parametrize("turns", [1, 2, 3, 7, 8, 1_000, 999_999_999])
def test_without_a_limit_a_count_is_found_up_to_a_billion(turns: int) -> None:
    assert first_count(1, None, lambda count: count >= turns) == turns


def test_without_a_limit_the_search_ends() -> None:
    assert first_count(1, None, lambda count: False) is None  # noqa: ARG005
    assert first_count(10**6, None, lambda count: count >= 10**17) == 10**17
    assert first_count(10**6, None, lambda count: count >= 10**19) is None


@pytest.mark.parametrize(
    ("quantile", "value"),
    [(0.01, 1.0), (0.25, 1.0), (0.26, 2.0), (0.5, 2.0), (0.75, 3.0), (0.76, 4.0), (0.99, 4.0)],
)
def test_a_sample_quantile_is_the_smallest_that_covers_the_share(quantile: float, value: float) -> None:
    assert sample_quantile([3.0, 1.0, 4.0, 2.0], quantile) == value


@pytest.mark.parametrize("size", [5, 20, 59, 60, 93, 300])
@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_quantile_bounds_are_the_order_statistics_of_the_binomial_distribution(
    size: int, quantile: float
) -> None:
    """The k-th sample is above the quantile if at most k - 1 lie below it."""
    ranks = range(1, size + 1)
    low = [rank for rank in ranks if binom.sf(rank - 1, size, quantile) >= 0.95 - 1e-12]
    high = [rank for rank in ranks if binom.cdf(rank - 1, size, quantile) >= 0.95 - 1e-12]
    bounds = exact.quantile_bounds([float(rank) for rank in ranks], quantile, 0.95)
    assert bounds == (float(max(low)) if low else None, float(min(high)) if high else None)


def test_counts_are_scaled_to_a_billion_and_not_before() -> None:
    assert MOST == 1e9
    assert manageable(3, 10**9) == (3, 10**9)
    assert manageable(20, 2 * 10**9) == (10.0, 1e9)
    assert manageable(0, 10**300) == (0.0, 1e9)


def test_what_can_be_judged_is_at_least_one_event() -> None:
    check_counts(0, 1, 0.5)
    check_counts(1, 1, 0.999)
    for bad, total in ((0, 0), (1, math.inf), (2, 1), (-1, 1)):
        with pytest.raises(ValueError, match="is no share of anything"):
            check_counts(bad, total, 0.95)


def test_a_crossing_is_found_to_the_last_bit() -> None:
    assert crossing(lambda point: point < 0.3) == 0.3
    assert crossing(lambda point: point < 2.5, left=2.0, right=3.0) == 2.5
    assert crossing(lambda _: True) == 1.0


# Comparisons


def test_a_joint_confidence_is_shared_by_its_error() -> None:
    assert shared(0.95, 1) == pytest.approx(0.95)
    assert shared(0.95, 5) == pytest.approx(0.99)
    assert shared(0.9, 2) == pytest.approx(0.95)


def test_a_ratio_needs_a_finite_number_above_0_to_divide_by() -> None:
    many = [200.0] * 80
    assert quantile_ratio(many, [100.0] * 80, 0.5, 0.95) == (2.0, 2.0)
    assert quantile_ratio(many, [0.0] * 80, 0.5, 0.95) == (None, None)
    assert quantile_ratio(many, [-1.0] * 80, 0.5, 0.95) == (None, None)
    assert quantile_ratio(many, [math.inf] * 80, 0.5, 0.95) == (None, None)
    assert quantile_ratio([1.0], [100.0] * 80, 0.5, 0.95) == (None, None)


def test_an_increase_has_each_bound_of_each_sample() -> None:
    """Each at the square root of 95 %, so that both hold jointly."""
    each = math.sqrt(0.95)
    now = [float(beta.ppf(1 - each, 20, 81)), float(beta.ppf(each, 21, 80))]
    then = [float(beta.ppf(1 - each, 5, 96)), float(beta.ppf(each, 6, 95))]
    found = share_increase((20, 100), (5, 100), 0.95)
    assert found == pytest.approx((now[0] - then[1], now[1] - then[0]))


# Sequences


def test_67_requests_without_a_failure_show_less_than_5_percent() -> None:
    """docs/statistics.md: 67 with none bad, 135 with one, 182 with two, 223 with three."""
    for bad, needed in ((0, 67), (1, 135), (2, 182), (3, 223)):
        assert ANYTIME.shows_below(bad, needed, 0.05, 0.95)
        assert not ANYTIME.shows_below(bad, needed - 1, 0.05, 0.95)


def test_an_objective_is_read_after_each_sample() -> None:
    watched = ProportionSequence(0.05, 0.95)
    assert watched.verdict is SloVerdict.INSUFFICIENT_EVIDENCE
    assert watched.update(bad=True) is SloVerdict.INSUFFICIENT_EVIDENCE
    assert watched.interval == (ANYTIME.lower_bound(1, 1, 0.95), 1.0)
    assert watched.update(bad=True) is SloVerdict.BREACHED
    assert watched.samples_needed is None
    assert watched.interval[0] > 0.05


@pytest.mark.parametrize("share", [0.03, 0.05, 0.08, 0.5])
def test_a_bet_on_a_larger_share_is_a_mixture_of_two(share: float) -> None:
    """A fifth is Beta(1/4, 1) above the line; four fifths are Beta(1, 20), or Beta(1, 1 / line) above 5 %."""
    steep = min(20.0, 1 / share)
    far, near = (beta.sf(share, 0.25, 1), beta.sf(share, 1, steep))
    for bad, total in ((0, 1), (1, 1)):
        # One sample: its mean likelihood over each prior beyond the line, over its likelihood at the line.
        means = []
        for first, second, beyond in ((0.25, 1.0, far), (1.0, steep, near)):
            whole = first / (first + second) if bad else second / (first + second)
            tail = beta.sf(share, first + bad, second + total - bad)
            means.append(whole * tail / beyond)
        expected = (0.2 * means[0] + 0.8 * means[1]) / (share if bad else 1 - share)
        assert math.exp(sequences.log_above(bad, total, share)) == pytest.approx(float(expected))


# Shifts


def test_the_looks_of_a_watched_sample_spend_their_part_of_the_error() -> None:
    """The share of the allowed error at each look, which was simulated: docs/statistics.md."""
    assert look_of(30) == 0
    assert shifts._SPENT == (0.04, 0.40, 0.36, 0.18, 0.08, 0.04, 0.02, 0.02)
    before = [100.0 + place for place in range(100)]
    for index, size in enumerate(LOOKS[:4]):
        after = [150.0 + place % 80 for place in range(size)]
        part = 1 - 0.05 * shifts._SPENT[index]
        assert shift(after, before, 0.95, watched=True) == shift(after, before, part)


def test_ten_samples_on_each_side_are_enough() -> None:
    ten, nine = [float(place) for place in range(1, 11)], [float(place) for place in range(1, 10)]
    assert shift(ten, ten, 0.95) is not None
    assert shift(nine, ten, 0.95) is None
    assert shift(ten, nine, 0.95) is None


def test_a_sample_of_which_half_took_no_time_has_no_factor() -> None:
    assert shift([0.0] * 10 + [1.0] * 10, [1.0] * 20, 0.95) is None
    assert shift([1.0] * 20, [0.0] * 10 + [1.0] * 10, 0.95) is None
    assert shift([0.0] * 9 + [1.0] * 11, [1.0] * 20, 0.95) is not None
    assert shift([math.inf] * 20, [math.inf] * 20, 0.95) is None


def test_ties_count_half() -> None:
    """Of 1, 2, 2, 3 below each of 2 and 5: (1 + 2/2) / 4 and 4 / 4; the squares are 1/4 and 1."""
    assert shifts._placements([2.0, 5.0], [1.0, 2.0, 2.0, 3.0]) == (1.5, 1.25)
    assert shifts._placements([0.0], [1.0, 2.0]) == (0.0, 0.0)


def test_the_distance_of_two_distributions_is_the_largest_gap() -> None:
    """Kolmogorov and Smirnov, less the weight of the sample at which the gap is: ties reduce it."""
    hundred = [float(place) for place in range(100)]
    assert shifts._distance(hundred, [place + 1_000 for place in hundred], 0.0) == pytest.approx(0.99)
    assert shifts._distance(hundred, [place - 1_000 for place in hundred], 0.0) == pytest.approx(0.99)
    assert shifts._distance(hundred, hundred, 0.0) == 0.0
    assert shifts._distance([1.0, 2.0], [0.0, 1.0], 1.0) == 0.0


def test_of_a_larger_sample_every_second_or_third_is_used() -> None:
    for size, used in ((2_000, 2_000), (2_001, 1_001), (4_000, 2_000), (4_001, 1_334)):
        assert len(shifts._thinned(tuple(map(float, range(size))))) == used


# The incomplete beta function


@pytest.mark.parametrize("size", [2.0, 15.9, 16.0, 16.1, 2_999.0, 3_000.0, 3_001.0, 40_000.0])
@pytest.mark.parametrize("away", [-2.5, -1.0, 0.0, 1.0, 2.5])
def test_tails_are_exact_on_both_sides_of_every_limit_of_the_method(size: float, away: float) -> None:
    for first, second in ((size, size), (size, 3.5 * size), (2.5 * size, size)):
        spread = float(beta.std(first, second))
        point = min(max(float(beta.mean(first, second)) + away * spread, 1e-6), 1 - 1e-6)
        under, over = log_tails(first, second, point)
        assert under == pytest.approx(float(beta.logcdf(point, first, second)), rel=1e-9, abs=1e-12)
        assert over == pytest.approx(float(beta.logsf(point, first, second)), rel=1e-9, abs=1e-12)
        density = float(beta.logpdf(point, first, second)) + math.log(point) + math.log1p(-point)
        assert log_power(first, second, point) == pytest.approx(density, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("point", [1e-12, 1e-4, 0.3, 0.9999, 1 - 1e-12])
def test_tails_far_away_keep_their_logarithm(point: float) -> None:
    for first, second in ((0.25, 1.0), (1.25, 20.0), (50.0, 3.0), (5_000.0, 9_000.0)):
        under, over = log_tails(first, second, point)
        theirs = float(beta.logcdf(point, first, second)), float(beta.logsf(point, first, second))
        for ours, expected in zip((under, over), theirs, strict=True):
            if math.isfinite(expected) and expected > -600:
                assert ours == pytest.approx(expected, rel=1e-7, abs=1e-12)


# Endpoints


def named(*names: str) -> list[Series]:
    return [Series(name, "https://api.example") for name in names]


@pytest.mark.parametrize(
    ("chances", "rejected"),
    [
        ([0.01], "a"),
        ([0.05], "a"),
        ([0.051], ""),
        ([0.02, 0.026], "ab"),
        ([0.026, 0.026], ""),
        ([0.025, 0.05], "ab"),
        ([0.05, 0.025], "ab"),
        ([0.001, 0.9, 0.02], "ac"),
        ([0.001, 0.026, 0.049], "a"),
        ([0.017, 0.001, 0.001], "abc"),
        ([0.5, 0.0166, 0.0251], "b"),
    ],
)
def test_several_endpoints_share_the_error_by_holms_method(chances: list[float], rejected: str) -> None:
    """The smallest of n p-values is held against a n-th of the error, the next against a (n - 1)-th, …."""
    assert "".join(one.endpoint for one in holm(named(*"abc"[: len(chances)]), chances, 0.05)) == rejected


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/exploits/17", "/exploits/…"),
        ("/exploits/0xab12", "/exploits/…"),
        ("/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301/b", "/a/…/b"),
        ("/v1/exploits", "/v1/exploits"),
        ("/a/abcdefghijkl", "/a/abcdefghijkl"),
        ("/a/abcdefghijk1", "/a/…"),
        ("/a/abcdefghij1", "/a/abcdefghij1"),
        ("/", "/"),
    ],
)
def test_ids_in_a_path_are_left_out(path: str, plain: str) -> None:
    assert without_ids(path) == plain


# Small parts


@pytest.mark.parametrize(
    ("value", "kept"), [(0.5, 0.5), (-0.5, -0.5), (0.0, 1e-300), (1e-301, 1e-300), (-1e-301, 1e-300)]
)
def test_a_denominator_is_never_0(value: float, kept: float) -> None:
    assert beta_function._not_zero(value) == kept


@pytest.mark.parametrize(
    ("part", "rest"),
    [
        (-1e-12, math.log(1e-12)),
        (-0.5, math.log(1 - math.exp(-0.5))),
        (-1.0, math.log(1 - math.exp(-1.0))),
        (-50.0, -math.exp(-50.0)),
        (-1e-17, -math.inf),
        (0.0, -math.inf),
    ],
)
def test_the_rest_of_a_probability_keeps_its_digits(part: float, rest: float) -> None:
    assert beta_function._rest(part) == pytest.approx(rest, rel=1e-9)


@pytest.mark.parametrize("value", [0.25, 1.0, 15.0, 16.0, 17.5, 40.0, 300.0])
def test_the_error_of_stirlings_formula(value: float) -> None:
    formula = (value - 0.5) * math.log(value) - value + 0.5 * math.log(2 * math.pi)
    assert beta_function._stirling_error(value) == pytest.approx(float(gammaln(value)) - formula, abs=2e-11)


@pytest.mark.parametrize(
    ("count", "expected"), [(9.0, 10.0), (8.2, 10.0), (8.1, 10.0), (10.0, 10.0), (30.0, 10.0)]
)
def test_the_deviance_of_a_count(count: float, expected: float) -> None:
    by_definition = count * math.log(count / expected) + expected - count
    assert beta_function._deviance(count, expected) == pytest.approx(by_definition, rel=1e-10, abs=1e-12)
    assert beta_function._deviance(count, 0.0) == math.inf


def test_a_rank_statistic_has_at_least_the_variance_of_equal_distributions() -> None:
    """0.5, 1.5, … against 0, 1, …, ten of each: P is 0.55, and (10 + 10 + 1) / 1,200 exceeds 0.0165."""
    then = [float(place) for place in range(10)]
    now = [place + 0.5 for place in then]
    assert shifts._statistic(now, then, 0.0) == pytest.approx(0.05 / math.sqrt(21 / 1_200))
    assert shifts._statistic(now, then, 0.5) == 0.0


def test_a_rank_statistic_has_the_variance_of_both_samples() -> None:
    """0.5 and 9.5 against 0, 1, … 9: of ten, 1 and 10 lie below; of two, 0 and nine times 1.

    P is 0.55; (1.01 / 2 - 0.3025) / 2 and (2.25 / 10 - 0.2025) / 10 make 0.1035.
    """
    two, ten = [0.5, 9.5], [float(place) for place in range(10)]
    assert shifts._statistic(two, ten, 0.0) == pytest.approx(0.05 / math.sqrt(0.1035))
    assert shifts._statistic(ten, two, 0.0) == pytest.approx(-0.05 / math.sqrt(0.1035))


def test_an_infinite_time_is_infinite_however_it_was_computed() -> None:
    endless = 1e308 * 10
    now, then = [200.0, 260.0] * 20, [100.0, 120.0] * 20
    assert shift([*now, *[endless] * 5], then, 0.95) == shift([*now, *[520.0] * 5], then, 0.95)
    assert shift([*now, *[-3.0] * 5], then, 0.95) == shift([*now, *[50.0] * 5], then, 0.95)


def test_each_sample_of_a_ratio_has_its_own_method() -> None:
    after, before = [float(place) for place in range(100, 200)], [float(place) for place in range(50, 150)]
    each = math.sqrt(0.95)
    fixed, watched = quantile_bounds(after, 0.5, each), quantile_bounds(before, 0.5, each, ANYTIME)
    low, high = quantile_ratio(after, before, 0.5, 0.95, (EXACT, ANYTIME))
    assert (low, high) == ((fixed[0] or 0) / (watched[1] or 1), (fixed[1] or 0) / (watched[0] or 1))
    assert quantile_ratio(after, before, 0.5, 0.95, (ANYTIME, EXACT)) != (low, high)


def test_at_the_line_itself_there_is_no_evidence_on_either_side() -> None:
    for bad, total, share in ((5, 100, 0.05), (1, 2, 0.5)):
        assert sequences.evidence_below(bad, total, share) == 0.0
        assert sequences.evidence_above(bad, total, share) == 0.0
        assert sequences.log_below(bad, total, share) != 0.0


@pytest.mark.parametrize("share", [-1.0, 0.0, 1.0, 1.5, math.nan])
def test_a_share_lies_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        check_share(share)


def test_a_sample_whose_failures_come_in_threes_is_worth_a_part_of_it() -> None:
    failed = [place % 12 < 3 for place in range(60)]
    effect = design_effect([float(place) for place in range(60)], failed)
    found = verdict_on_outcomes(tuple(map(float, range(60))), tuple(failed), 0.05, 0.95)
    assert 1.2 < effect < 5
    assert found.independent == pytest.approx(60 / effect)
    assert found.worth == f" (failures come in spells: worth {60 / effect:.0f} independent requests)"


def test_a_factor_is_found_however_far_the_first_time_lies_from_the_others() -> None:
    found = shift([1e-3, *[1_000.0] * 19], [1.0] * 20, 0.95)
    assert found is not None
    assert found.factor == pytest.approx(1_000.0, rel=1e-3)


def test_equal_samples_have_no_distance() -> None:
    assert shifts._distance([1.0] * 100, [1.0] * 100, 0.0) == 0.0
