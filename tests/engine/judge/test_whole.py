"""One verdict of a CI job or of a watch: the call is theirs, and nothing is lost or added."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.worst import worst
from kamiyo_verify.judge.whole import verdict_of_round, verdict_of_watch
from kamiyo_verify.model.history.round import Round, Turn
from kamiyo_verify.model.history.watch import WatchState
from kamiyo_verify.model.verdict import Rollback, RollbackStep, Verdict
from kamiyo_verify.model.words import Action
from tests.engine.judge.watch.journals import plan
from tests.support.evidence_for import FAILED, LOOKS, SIGN_IN, evidence, result

ENDED = "2026-11-23T15:00:00+00:00"
STEP = RollbackStep(service="api", current="v2", to="v1", how="by hand")
KINDS: dict[str, Verdict | None] = {
    "well": decide(evidence()),
    "ui": decide(evidence(result(LOOKS, FAILED, "the logo is gone"))),
    "broken": replace(
        decide(evidence(result(SIGN_IN, FAILED, "sign-in answers 500"))), rollback=Rollback(services=(STEP,))
    ),
    "killed": None,
}


def round_of(first: Verdict | None, second: Verdict | None) -> Round:
    turns = tuple(
        Turn(
            phase=phase,
            folder=phase,
            verdict=run and replace(run, phase=phase),
            why="" if run else "cut short",
        )
        for phase, run in (("deploy", first), ("postdeploy", second))
    )
    calls = [turn.call for turn in turns if turn.call is not None]
    return Round(environment="test", commit="", turns=turns, recommendation=worst(calls))


@pytest.mark.parametrize(("first", "second"), [*product(KINDS, KINDS)])
def test_the_call_of_a_round_is_its_worst(first: str, second: str) -> None:
    found = round_of(KINDS[first], KINDS[second])
    verdict = verdict_of_round(found, "Test", ENDED)

    assert (verdict.recommendation, verdict.exit_code) == (
        found.recommendation,
        found.recommendation.exit_code,
    )
    assert {*verdict.phase.split("+")} == {"deploy", "postdeploy"}
    assert {item.id for item in verdict.items} == {item.id for run in found.verdicts for item in run.items}
    assert bool(verdict.rollback.services) is ("broken" in {first, second})
    assert verdict.headline
    if found.recommendation is Action.INCONCLUSIVE:
        assert "cut short" in verdict.headline
    assert Verdict.from_json(verdict.as_json()) == verdict


def test_a_round_of_which_nothing_is_known_says_why() -> None:
    found = Round(
        environment="test", commit="", turns=(), recommendation=Action.INCONCLUSIVE, why="round.json is torn"
    )
    verdict = verdict_of_round(found, "Test", ENDED)
    assert (verdict.exit_code, verdict.headline) == (30, "round.json is torn")


@pytest.mark.parametrize("final", Action)
@pytest.mark.parametrize(
    "rounds", [(), ("well",), ("broken",), ("well", "broken"), ("broken", "well")], ids=str
)
def test_the_call_of_a_watch_is_its_own_and_a_rollback_is_only_that_of_a_round_that_calls_for_it(
    rounds: tuple[str, ...], final: Action
) -> None:
    state = WatchState(
        call=final,
        final=final,
        why="it is proven",
        grounds=(),
        events=(),
        open="",
        rounds=len(rounds),
        requests=0,
        failed=0,
        covered_s=0.0,
    )
    runs = [run for kind in rounds if (run := KINDS[kind]) is not None]
    verdict = verdict_of_watch(plan(), state, runs, "Test", ENDED)

    assert (verdict.recommendation, verdict.exit_code) == (final, final.exit_code)
    assert verdict.headline == verdict.reasons[0].message == "it is proven"
    assert (verdict.started_at, verdict.finished_at) == (plan().started_at, ENDED)
    assert bool(verdict.rollback.services) is (final is Action.ROLL_BACK and "broken" in rounds)
    leads = [one for one in runs if one.recommendation is final]
    if leads:
        assert verdict.next_step in {one.next_step for one in leads}
        assert verdict.escalation in {one.escalation for one in leads}
        assert verdict.reasons[1:] in [one.reasons for one in leads]
    elif runs:
        assert verdict.next_step == "read the reports of the rounds, and watch it again"
        assert verdict.escalation == ""
        assert verdict.reasons[1:] == ()
    assert Verdict.from_json(verdict.as_json()) == verdict
