"""A failing share is judged by its interval, and failures that come in spells are not so many proofs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from kamiyo_verify.judge.slo.lines import Side
from kamiyo_verify.judge.statistics.shares import ShareVerdict, verdict_on_outcomes
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.confirmation import FailingShare

OVER, UNDER, STRADDLING = Side.OVER, Side.UNDER, Side.STRADDLING
Fails = Callable[[float], bool]


def sampled(fails: Fails, requests: int = 60, every_s: float = 1.0) -> FailingShare:
    offsets = tuple(number * every_s for number in range(requests))
    return FailingShare("GET /api/auth/csrf", "", offsets, tuple(map(fails, offsets)))


def judged(fails: Fails, requests: int = 60, every_s: float = 1.0) -> ShareVerdict:
    share = sampled(fails, requests, every_s)
    return verdict_on_outcomes(share.offsets_s, share.failed, 0.05, 0.95)


def spell(began: float, seconds: float) -> Fails:
    return lambda at: began <= at < began + seconds


def by_chance(random: np.random.Generator, share: float) -> Fails:
    return lambda _: bool(random.random() < share)


def test_a_request_that_always_fails_is_over() -> None:
    assert judged(lambda _: True, requests=10).side is OVER


def test_one_instance_of_two_is_over() -> None:
    found = judged(lambda at: int(at) % 2 == 0)
    assert found.side is OVER
    assert found.independent == 60


def test_no_failure_in_many_is_under_and_in_few_is_undecided() -> None:
    assert judged(lambda _: False, requests=100).side is UNDER
    assert judged(lambda _: False, requests=40).side is STRADDLING


def test_one_stray_failure_in_a_hundred_is_no_proof() -> None:
    found = judged(spell(37, 1), requests=99)
    assert found.side is STRADDLING
    assert found.failed == 1


@pytest.mark.parametrize("began", [0, 7, 23, 50])
@pytest.mark.parametrize("every_s", [0.25, 1.0])
def test_one_spell_of_ten_seconds_is_one_proof(began: float, every_s: float) -> None:
    found = judged(spell(began, 10), round(60 / every_s), every_s)
    assert found.side is STRADDLING
    assert found.failed == 10 / every_s
    assert found.independent < 10
    assert "spells" in str(found)


@pytest.mark.parametrize("began", [0, 11, 30])
def test_one_spell_of_thirty_seconds_is_one_proof(began: float) -> None:
    assert judged(spell(began, 30)).side is STRADDLING


def test_nothing_sampled_decides_nothing() -> None:
    found = judged(lambda _: True, requests=0)
    assert found.side is STRADDLING
    assert found.interval == (0.0, 1.0)


def test_a_third_failing_is_over_in_nearly_every_sample_and_two_percent_never() -> None:
    random = np.random.default_rng(5)
    third = [judged(by_chance(random, 0.33)).side for _ in range(200)]
    few = [judged(by_chance(random, 0.02)).side for _ in range(200)]
    assert third.count(OVER) >= 190
    assert UNDER not in third
    assert OVER not in few


def test_independent_failures_keep_nearly_all_of_their_weight() -> None:
    random = np.random.default_rng(6)
    samples = [sampled(by_chance(random, 0.3), 200) for _ in range(100)]
    effects = [design_effect(one.offsets_s, one.failed) for one in samples]
    assert sum(effects) / len(effects) < 1.35


def test_spells_in_which_half_fails_are_found_too() -> None:
    random = np.random.default_rng(7)
    half: Fails = lambda at: int(at) // 15 % 4 == 1 and bool(random.random() < 0.5)  # noqa: E731
    effects = [design_effect(one.offsets_s, one.failed) for one in (sampled(half, 300) for _ in range(50))]
    assert min(effects) > 2


def test_the_order_in_which_requests_ended_does_not_count() -> None:
    one = sampled(spell(10, 10))
    turned = design_effect(one.offsets_s[::-1], one.failed[::-1])
    assert turned == pytest.approx(design_effect(one.offsets_s, one.failed))


def test_all_at_one_moment_is_judged_in_the_order_given() -> None:
    assert design_effect((0.0,) * 4, (True, False, True, False)) == 1.0


@pytest.mark.parametrize(
    ("offsets", "failed"), [((0.0,), ()), ((0.0, math.nan), (True, False)), ((math.inf, 0.0), (True, False))]
)
def test_what_is_no_sample_is_refused(offsets: tuple[float, ...], failed: tuple[bool, ...]) -> None:
    with pytest.raises(ValueError, match="offset"):
        design_effect(offsets, failed)
