"""A change is found in little more than the fewest requests, and a healthy series is seldom called."""

from __future__ import annotations

import math
from random import Random

import pytest

from kamiyo_verify.judge.statistics.exact import upper_bound
from kamiyo_verify.judge.statistics.sequences import log_above
from kamiyo_verify.judge.watch.detection import Outcomes, detect

ROUNDS, SIZE, LINE, ERROR = 30, 20, 0.05, 0.05


def drawn(random: Random, share: float, size: int = SIZE, began: float = 0.0) -> Outcomes:
    return Outcomes(
        tuple(began + place for place in range(size)), tuple(random.random() < share for _ in range(size))
    )


def the_minimum(share: float) -> float:
    """What a test needs that knows the failing share, but not the round in which it begins."""
    information = share * math.log(share / LINE)
    if share < 1:
        information += (1 - share) * math.log((1 - share) / (1 - LINE))
    return math.log(ROUNDS / ERROR) / information


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3, 0.2, pytest.param(0.15, marks=pytest.mark.exhaustive)])
def test_a_change_after_ten_good_rounds_is_found_within_half_more_than_the_minimum(share: float) -> None:
    """In the median watch."""
    most = math.floor(1.5 * math.ceil(the_minimum(share)))
    found, watches = 0, 41
    for seed in range(watches):
        random = Random(f"{share} {seed}")  # noqa: S311 - no secret is drawn
        rounds = [drawn(random, 0.0, began=100.0 * place) for place in range(10)]
        outcomes = drawn(random, share, most, 1000.0)
        for sent in range(1, most + 1):
            now = Outcomes(outcomes.times_s[:sent], outcomes.failed[:sent])
            if detect([*rounds, now], LINE, ROUNDS).log_evidence >= -math.log(ERROR):
                found += 1
                break
    assert found > watches / 2, (found, most)


def test_at_the_line_itself_few_watches_ever_find_a_change() -> None:
    wrong, watches = 0, 60
    for seed in range(watches):
        random = Random(f"line {seed}")  # noqa: S311 - no secret is drawn
        rounds: list[Outcomes] = []
        for number in range(ROUNDS):
            rounds.append(drawn(random, LINE, began=100.0 * number))
            if detect(rounds, LINE, ROUNDS).log_evidence >= -math.log(ERROR):
                wrong += 1
                break
    assert upper_bound(wrong, watches, 0.95) <= ERROR + 0.05, wrong


def test_failures_that_have_ended_do_not_last() -> None:
    good = Outcomes(tuple(100.0 + place for place in range(20)), (False,) * 20)
    bad = Outcomes(tuple(float(place) for place in range(20)), (True,) * 20)
    assert detect([bad], LINE, ROUNDS).lasts
    assert not detect([bad, good], LINE, ROUNDS).lasts


def test_a_round_without_outcomes_is_no_evidence() -> None:
    assert detect([Outcomes((), ())], LINE, ROUNDS).log_evidence == -math.inf
    one = Outcomes((1.0,), (True,))
    assert detect([Outcomes((), ()), one], LINE, ROUNDS).start == 1


def test_later_rounds_than_planned_begin_no_test() -> None:
    rounds = [Outcomes((float(place),), (False,)) for place in range(3)]
    bad = Outcomes(tuple(10.0 + place for place in range(5)), (True,) * 5)
    assert detect([*rounds, bad], LINE, 3).start < 3


@pytest.mark.parametrize("failed", [(4,), (3, 4), (2, 3, 4), (4, 0, 3)])
def test_the_evidence_is_the_mean_over_all_rounds_in_which_it_may_have_begun(failed: tuple[int, ...]) -> None:
    """Each round has four outcomes: too few of them in all to be weighed for spells."""
    rounds = [
        Outcomes(
            tuple(100.0 * number + place for place in range(4)), tuple(place < bad for place in range(4))
        )
        for number, bad in enumerate(failed)
    ]
    since = [sum(failed[start:]) for start in range(len(failed))]
    each = [log_above(bad, 4 * (len(failed) - start), LINE) for start, bad in enumerate(since)]
    mean = math.log(sum(math.exp(one) for one in each) / ROUNDS)
    found = detect(rounds, LINE, ROUNDS)
    assert found.log_evidence == pytest.approx(mean)
    assert found.start == each.index(max(each))
