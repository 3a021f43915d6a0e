"""Stories at production's pace: one request a second, and how soon the call of a release engineer is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.effects import typical_slowdown
from kamiyo_verify.judge.slo.readings import method_after
from kamiyo_verify.judge.slo.settling import Settling
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.words import Action, Status, Stopping
from tests.support.evidence_for import ERRORS, FAILED, LATENCY, PASSED, RUNBOOK, evidence, result

PROCEED, FIX_FORWARD, ROLL_BACK = Action.PROCEED, Action.FIX_FORWARD, Action.ROLL_BACK
INCONCLUSIVE = Action.INCONCLUSIVE
SLO = next(one for one in RUNBOOK.slos if one.id == "api-p95")
RUNS = 40
FEWEST = 20
LONGEST_S = 600
SIGMA = 0.4
USUAL_MS = 120.0
Fails = Callable[[np.random.Generator, int], bool]


@dataclass(frozen=True)
class Story:
    """How a run went: its call, and after how many seconds the sampling had shown all."""

    action: Action
    seconds: int


def share(failing: float) -> Fails:
    return lambda random, _: bool(random.random() < failing)


def in_spells(spell_s: int, every_s: int, failing: float = 1.0) -> Fails:
    """Spells at even distances, the first at a third of a distance."""
    return lambda random, at: (at + 2 * every_s // 3) % every_s < spell_s and bool(random.random() < failing)


def went(seed: int, times: float = 1.0, fails: Fails = lambda *_: False, usual_ms: float = USUAL_MS) -> Story:
    """One run: sampling until it is settled, as the sampler does, then the judge."""
    random = np.random.default_rng((seed, 8))
    before = random.lognormal(np.log(usual_ms), SIGMA, 300).tolist()
    settling = Settling(SLO, RUNBOOK.policy, before, few=0.001)
    durations: list[float] = []
    failed: list[int] = []
    while len(durations) < LONGEST_S and not (len(durations) >= FEWEST and settling.settled):
        at = len(durations)
        durations.append(float(random.lognormal(np.log(usual_ms * times), SIGMA)))
        failed.append(int(fails(random, at)))
        settling.update(durations[-1], bad=bool(failed[-1]), at_s=float(at))
    of = evidence(
        *checked(durations, failed), baseline={LATENCY: (Measurement("response_times", tuple(before), "ms"),)}
    )
    return Story(decide(of).recommendation, len(durations))


def checked(durations: list[float], failed: list[int]) -> tuple[Result, Result]:
    """As the two checks say it."""
    stopping = Measurement("stopping", Stopping.SEQUENTIAL.value)
    size, bad = len(durations), sum(failed)
    counts = (
        Measurement("errors", bad),
        Measurement("requests", size),
        Measurement("sent_at", tuple(map(float, range(size))), "s"),
        Measurement("outcomes", tuple(map(float, failed))),
        stopping,
    )
    effect = design_effect(range(size), [bool(one) for one in failed])
    over = method_after("sequential").lower_bound(bad / effect, size / effect, 0.95) >= 0.001
    if bad * 20 > size:
        times = result(LATENCY, FAILED, "requests failed, so their times say nothing")
    else:
        slow = sorted(durations)[int(0.95 * size)] >= SLO.objective
        status = Status.FAILED if slow else Status.PASSED
        taken = (Measurement("response_times", tuple(durations), "ms"), stopping)
        times = result(LATENCY, status, measurements=taken)
    return times, result(ERRORS, FAILED if over else PASSED, measurements=counts)


def stories(**how: object) -> list[Story]:
    return [went(seed, **how) for seed in range(RUNS)]  # type: ignore[arg-type]


def calls(told: list[Story]) -> Counter[Action]:
    return Counter(one.action for one in told)


def within(told: list[Story], seconds: int) -> int:
    return sum(one.seconds <= seconds for one in told)


def test_a_healthy_release_proceeds_after_a_minute() -> None:
    told = stories()
    assert calls(told)[PROCEED] >= RUNS - 1
    assert within(told, 67) >= RUNS * 0.9


def test_thirty_percent_slower_proceeds_within_two_minutes() -> None:
    told = stories(times=1.3)
    assert calls(told)[PROCEED] >= RUNS * 0.85
    assert set(calls(told)) <= {PROCEED, FIX_FORWARD}
    assert within(told, 135) >= RUNS * 0.9


def test_eighty_percent_slower_within_the_objective_is_fixed_within_two_minutes() -> None:
    told = stories(times=1.8, usual_ms=90.0)
    assert calls(told)[FIX_FORWARD] >= RUNS * 0.95
    assert within(told, 135) >= RUNS * 0.9


def test_five_times_as_slow_and_out_of_its_objective_is_taken_back_soon() -> None:
    told = stories(times=5.0)
    assert calls(told) == {ROLL_BACK: RUNS}
    assert within(told, 120) == RUNS


def test_every_fiftieth_request_failing_is_fixed_within_three_minutes() -> None:
    told = stories(fails=lambda _, at: at % 50 == 49)
    assert calls(told) == {FIX_FORWARD: RUNS}
    assert within(told, 180) == RUNS


def test_two_percent_of_errors_are_a_fix_or_not_seen() -> None:
    """A quarter of all runs have met no error when their percentile is known, after 67 requests."""
    told = stories(fails=share(0.02))
    assert set(calls(told)) <= {FIX_FORWARD, PROCEED}
    assert calls(told)[FIX_FORWARD] >= RUNS / 2
    assert within(told, 180) >= RUNS * 0.85


def test_four_percent_of_errors_are_fixed() -> None:
    told = stories(fails=share(0.04))
    assert calls(told)[FIX_FORWARD] >= RUNS * 0.7
    assert calls(told)[ROLL_BACK] <= RUNS * 0.05
    assert calls(told)[INCONCLUSIVE] <= RUNS * 0.2, "some are undecided after ten minutes"


def test_ten_percent_of_errors_are_taken_back() -> None:
    """Twice the line: a rollback; at the worst a person's call."""
    told = stories(fails=share(0.1))
    assert calls(told)[ROLL_BACK] >= RUNS * 0.9
    assert calls(told)[PROCEED] + calls(told)[FIX_FORWARD] <= 1


@pytest.mark.parametrize(("failing", "seconds"), [(0.4, 30), (0.9, 20), (1.0, 20)])
def test_many_errors_are_taken_back_quickly(failing: float, seconds: int) -> None:
    told = stories(fails=share(failing))
    assert calls(told) == {ROLL_BACK: RUNS}
    assert within(told, seconds) >= RUNS * 0.9


@pytest.mark.parametrize("spell_s", [10, 30])
def test_one_spell_takes_nothing_back(spell_s: int) -> None:
    """It begins after two thirds of a minute, once, and everything fails while it lasts."""
    told = [went(seed, fails=in_spells(spell_s, 10_000)) for seed in range(8)]
    assert ROLL_BACK not in calls(told)
    late = [went(seed, fails=lambda _, at: 40 <= at < 40 + spell_s) for seed in range(8)]
    assert ROLL_BACK not in calls(late)


def test_judge_and_stopping_rule_compare_alike() -> None:
    """Whatever the sample's length is, what settled the sampling is what the judge reads."""
    random = np.random.default_rng(3)
    before = random.lognormal(0, SIGMA, 300).tolist()
    after = (1.8 * random.lognormal(0, SIGMA, 130)).tolist()
    at_look = typical_slowdown(after[:120], before, 0.95, (ANYTIME, ANYTIME))
    assert typical_slowdown(after, before, 0.95, (ANYTIME, ANYTIME)) == at_look
