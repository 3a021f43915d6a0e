"""Failures in spells count as fewer independent requests: examples worked by hand, and their edges."""

from __future__ import annotations

import math

import pytest

from kamiyo_verify.judge.rules.effects import Slowdown
from kamiyo_verify.judge.statistics.beta import log_power, log_tails
from kamiyo_verify.judge.statistics.exact import at_least, at_most
from kamiyo_verify.judge.statistics.method import check_counts, check_share
from kamiyo_verify.judge.statistics.shifts import shift
from kamiyo_verify.judge.statistics.spells import design_effect, effect_of_blocks, effect_of_counts


def test_one_bad_block_of_four_counts_as_its_variance_says() -> None:
    """Share 0.025; squares 3 x 2.5^2 + 7.5^2 = 75; 75 / 9.75 x 4 / 3 = 10.256."""
    assert effect_of_blocks((0, 0, 0, 10), (100,) * 4) == pytest.approx(10.2564, abs=1e-4)


def test_what_chance_may_explain_counts_partly() -> None:
    """Share 0.05; squares 2 x 3^2 + 2 x 3^2 = 36; 36 / 19 x 4 / 3 = 2.526; 1 + 1.5 x (1.526 - 0.816)."""
    assert effect_of_blocks((2, 8, 2, 8), (100,) * 4) == pytest.approx(2.0647, abs=1e-4)


def test_what_chance_explains_does_not_count() -> None:
    assert effect_of_blocks((4, 6, 5, 5), (100,) * 4) == 1.0


@pytest.mark.parametrize(
    ("bad", "total"),
    [
        ((0, 0, 10), (100,) * 3),
        ((0, 0, 0, 10), (100, 100, 100, 0)),
        ((0,) * 4, (100,) * 4),
        ((100,) * 4, (100,) * 4),
        ((), ()),
    ],
)
def test_too_few_blocks_and_one_kind_of_answer_show_no_clustering(
    bad: tuple[float, ...], total: tuple[float, ...]
) -> None:
    assert effect_of_blocks(bad, total) == 1.0


def test_blocks_without_requests_do_not_count() -> None:
    with_gap = effect_of_blocks((0, 0, 5, 0, 10), (100, 100, 0, 100, 100))
    assert with_gap == effect_of_blocks((0, 0, 0, 10), (100,) * 4)
    assert effect_of_blocks((0, 0, 0, 1), (1, 1, 1, 1)) >= 1.0


def test_events_in_bursts_count_by_variance_over_mean() -> None:
    """Mean 3: 48 / 3 / 3 = 5.333. Mean 2: 14 / 3 / 2 = 2.333, 1 + 1.5 x (1.333 - 0.816) = 1.775."""
    assert effect_of_counts((1, 1, 1, 9)) == pytest.approx(5.3333, abs=1e-4)
    assert effect_of_counts((0, 1, 2, 5)) == pytest.approx(1.7753, abs=1e-4)
    assert effect_of_counts((0, 0, 0, 2)) == pytest.approx(1.2753, abs=1e-4)
    assert effect_of_counts((1, 9, 1)) == 1.0
    assert effect_of_counts((0, 0, 0, 0)) == 1.0
    assert effect_of_counts(()) == 1.0
    assert effect_of_counts((3, 3, 3, 3)) == 1.0


def test_neighbours_that_fail_alike_count_by_their_correlation() -> None:
    """All at once: together 1.75, correlation 0.7, beyond chance 1.5 x (0.7 - 0.316) = 0.576."""
    states = (True,) * 5 + (False,) * 5
    kept = 1.5 * (0.7 - 1 / math.sqrt(10))
    assert design_effect((0.0,) * 10, states) == pytest.approx((1 + kept) / (1 - kept))


def test_requests_are_put_in_the_order_of_their_time() -> None:
    states = tuple(number % 2 == 0 for number in range(40))
    shuffled = tuple(float(number // 2 + (0 if bad else 100)) for number, bad in enumerate(states))
    assert design_effect(tuple(map(float, range(40))), states) == 1.0
    assert design_effect(shuffled, states) > 5


def test_a_spell_counts_by_its_blocks_wherever_the_clock_starts() -> None:
    times = tuple(float(number) for number in range(120))
    spell = tuple(40 <= number < 50 for number in range(120))
    found = design_effect(times, spell)
    assert found > 5
    assert design_effect(tuple(time + 1e6 for time in times), spell) == pytest.approx(found)


@pytest.mark.parametrize("states", [(True,) * 9, (False,) * 9])
def test_a_sample_of_one_kind_shows_no_clustering(states: tuple[bool, ...]) -> None:
    assert design_effect(tuple(map(float, range(9))), states) == 1.0


def test_a_wrong_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="3 offsets for 2 requests"):
        design_effect((1.0, 2.0, 3.0), (True, False))
    with pytest.raises(ValueError, match="no finite number"):
        design_effect((1.0, math.nan), (True, False))


# The incomplete beta function, against values that can be worked out by hand


@pytest.mark.parametrize("at", [1e-9, 0.001, 0.2, 0.5, 0.7, 0.999])
def test_tails_of_simple_cases_are_their_closed_forms(at: float) -> None:
    """I(1, 1) is x; I(n, 1) is x^n; I(1, n) is 1 - (1 - x)^n."""
    assert math.exp(log_tails(1, 1, at)[0]) == pytest.approx(at, rel=1e-12)
    assert log_tails(30, 1, at)[0] == pytest.approx(30 * math.log(at), rel=1e-12)
    assert log_tails(1, 30, at)[1] == pytest.approx(30 * math.log1p(-at), rel=1e-12)
    under, over = log_tails(7, 13, at)
    assert math.exp(under) + math.exp(over) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("size", [5.0, 15.9, 16.1, 200.0, 5_000.0, 1e7])
def test_the_middle_of_a_symmetric_case_is_a_half(size: float) -> None:
    under, over = log_tails(size, size, 0.5)
    assert math.exp(under) == pytest.approx(0.5, rel=1e-9)
    assert math.exp(over) == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize("first", [1.0, 2.5, 15.5, 16.5, 900.0])
def test_the_density_is_that_of_the_gamma_function(first: float) -> None:
    second, at = 40.0, 0.3
    beta = math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)
    expected = first * math.log(at) + second * math.log1p(-at) - beta
    assert log_power(first, second, at) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("bad", "chance"), [(-1, 0.0), (0, 0.25), (1, 0.75), (2, 1.0), (3, 1.0)])
def test_the_chance_of_so_few_bad_ones_of_two_is_that_of_two_coins(bad: int, chance: float) -> None:
    assert at_most(bad, 2, 0.5) == pytest.approx(chance)
    assert at_least(bad + 1, 2, 0.5) == pytest.approx(1 - chance)


def test_a_share_of_none_or_all_is_certain() -> None:
    assert (at_most(1, 2, 0.0), at_most(1, 2, 1.0), at_most(2, 2, 1.0)) == (1.0, 0.0, 1.0)
    assert (at_least(1, 2, 0.0), at_least(1, 2, 1.0), at_least(0, 2, 0.0)) == (0.0, 1.0, 1.0)


@pytest.mark.parametrize(("slow", "plausible"), [(17, True), (18, False)])
def test_one_factor_is_plausible_up_to_the_distance_of_kolmogorov_and_smirnov(
    slow: int, *, plausible: bool
) -> None:
    """Of 50 against 50 the critical distance is 1.628 x sqrt(2 / 50) = 0.326, between 16 and 17 of 50."""
    before = [math.exp(0.01 * place) for place in range(50)]
    after = [one * (50 if place >= 50 - slow else 1) for place, one in enumerate(before)]
    found = shift(after, before, 0.95)
    assert found is not None
    assert found.plausible is plausible


# What is refused


@pytest.mark.parametrize(
    ("bad", "total", "confidence"),
    [(-1, 5, 0.95), (6, 5, 0.95), (0, 0, 0.95), (0, 5, 0.0), (0, 5, 1.0), (math.nan, 5, 0.95)],
)
def test_counts_that_are_no_share_are_refused(bad: float, total: float, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_counts(bad, total, confidence)


def test_counts_at_the_edge_are_taken() -> None:
    check_counts(0, 1, 0.5)
    check_counts(5, 5, 0.999)
    check_share(0.5)
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match=r"."):
            check_share(share)


# What a slowdown shows


@pytest.mark.parametrize(
    ("interval", "shown"),
    [((1.01, None), True), ((1.0, 2.0), False), ((0.5, 2.0), False), ((None, 2.0), False)],
)
def test_a_slowdown_is_shown_where_its_interval_lies_over_one(
    interval: tuple[float | None, float | None], *, shown: bool
) -> None:
    assert Slowdown(0.5, 1.2, 0.0, interval).shown is shown


def test_a_slowdown_is_told_with_its_bounds() -> None:
    assert str(Slowdown(0.5, 1.25, 0.0, (1.1, None))) == (
        "the median is 1.25 times what it was before the deployment (1.10 to anything)"
    )
    assert str(Slowdown(0.95, 2.0, 0.0, (None, 3.0))) == (
        "p95 is 2.00 times what it was before the deployment (anything to 3.00)"
    )
