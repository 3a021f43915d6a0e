"""What a ledger may forget: never what a comparison, a rollback, a decision or an objective needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.history import retention as told
from kamiyo_verify.judge.history.retention import Limits, Retention, deployments_needed, retention
from kamiyo_verify.model.history.history import Deployed, PastRun
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind, Ending, Outline
from kamiyo_verify.model.runbook import Runbook, Slo
from kamiyo_verify.model.words import Action, Phase
from tests.support.evidence_for import RUNBOOK
from tests.support.recorded_runs import EPOCH

NOW = EPOCH.timestamp()
WEEK = Limits(days=7)


def day(ago: float) -> str:
    return (EPOCH - timedelta(days=ago)).isoformat(timespec="milliseconds")


def run(ago: float, call: Action = Action.PROCEED, commit: str = "", **more: Any) -> Outline:
    given: dict[str, Any] = {
        "id": f"r{ago}",
        "environment": "prod",
        "phases": (Phase.POSTDEPLOY,),
        "commit": commit or f"{int(ago * 10):07x}",
        "baseline": False,
        "drill": False,
        "started_at": day(ago),
        "finished_at": day(ago),
        "ending": Ending.FINISHED,
        "folder": "",
        "recommendation": call,
        "headline": "",
    }
    return Outline(**(given | more))


def with_success(objective: float | None = None) -> Runbook:
    slos = [one for one in RUNBOOK.slos if one.kind != "history"]
    if objective is not None:
        slos.append(
            Slo(id="deployment-success", title="S", kind="history", objective=objective, better="above")
        )
    return RUNBOOK.model_copy(update={"slos": tuple(slos)})


def planned(
    runs: Iterable[Outline],
    limits: Limits = WEEK,
    *,
    decisions: tuple[Decision, ...] = (),
    runbook: Runbook | None = None,
    max_age_h: float = 24,
) -> Retention:
    listed = sorted(runs, key=lambda one: one.started_at)
    past = [
        PastRun(
            id=one.id,
            phases=one.phases,
            started_at=one.started_at,
            recommendation=one.recommendation,
            blamed=one.recommendation is Action.ROLL_BACK,
            deployed=Deployed(commit=one.commit),
            deeds=tuple((word.deed, word.at) for word in decisions if word.run == one.id),
        )
        for one in listed
        if one.ending is Ending.FINISHED and not one.baseline and not one.drill
    ]
    return retention(
        runbook or with_success(), limits, listed, past, decisions, baseline_max_age_h=max_age_h, now=NOW
    )


def removed(found: Retention) -> list[str]:
    return [one.id for one in found.removed]


GOOD = (run(1), run(2), run(3))


def test_old_runs_go_and_young_ones_stay() -> None:
    found = planned([*GOOD, run(40), run(50)])
    assert removed(found) == ["r50", "r40"]
    assert (found.kept, found.within) == ((), 3)


def test_without_limits_nothing_goes() -> None:
    assert planned([*GOOD, run(400)], Limits()).removed == ()


def test_a_run_stays_that_either_limit_keeps() -> None:
    runs = [run(n) for n in (1, 40, 50, 60, 70)]
    assert removed(planned(runs, Limits(runs=2))) == ["r70", "r60", "r50"]
    assert removed(planned(runs, Limits(days=55, runs=1))) == ["r70", "r60"]
    assert removed(planned(runs, Limits(days=5, runs=4))) == ["r70"]


def test_the_last_baseline_of_each_place_stays() -> None:
    old = [
        run(60, baseline=True, place="frankfurt"),
        run(50, baseline=True, place="frankfurt"),
        run(61, baseline=True, place="tokyo"),
    ]
    found = planned([*GOOD, *old])
    assert removed(found) == ["r60"]
    assert {one.id: why for one, why in found.kept} == {"r61": told.BASELINE, "r50": told.BASELINE}


def test_the_last_good_runs_of_two_commits_stay_at_each_place() -> None:
    """A run of the newest good commit is compared with the one before; drills are compared with nothing."""
    bad = [run(n, Action.INCONCLUSIVE) for n in (1, 2, 3)]
    old = [
        *(run(n, place="frankfurt") for n in (40, 41, 42)),
        run(39, commit=f"{400:07x}", place="frankfurt"),
        run(38, drill=True, place="frankfurt"),
        run(43, place="tokyo"),
        run(44, ending=Ending.INTERRUPTED, place="tokyo"),
    ]
    found = planned([*bad, *old])
    assert removed(found) == ["r44", "r42", "r38"]


def test_a_combined_call_is_no_run_to_compare_with() -> None:
    bad = [run(n, Action.ROLL_BACK) for n in (1, 2, 3)]
    calls = [run(n, combined=True) for n in (40, 41)]
    assert removed(planned([*bad, *calls, run(42), run(43)])) == ["r41", "r40"]


def test_decisions_and_bad_commits_stay() -> None:
    old = [run(40, Action.ROLL_BACK), run(50, Action.ROLL_BACK), run(60, Action.FIX_FORWARD), run(70)]
    kept = Decision(run="r50", deed=DecisionKind.KEPT, who="Ada", at=day(49))
    back = Decision(run="r70", deed=DecisionKind.ROLLED_BACK, who="Ada", at=day(69))
    found = planned([*GOOD, *old], decisions=(kept, back))
    assert removed(found) == ["r60"]
    assert {one.id: why for one, why in found.kept} == {
        "r70": told.DECIDED,
        "r50": told.DECIDED,
        "r40": told.BAD_COMMIT,
    }


def test_the_runs_of_one_deployment_go_together() -> None:
    """An older run that called for a rollback, alone, would change what became of its deployment."""
    one = [run(40, Action.FIX_FORWARD, commit="abcdef1"), run(3.5, commit="abcdef1")]
    found = planned([*GOOD, *one])
    assert found.removed == ()
    assert [why for _, why in found.kept] == [told.TOGETHER]


@pytest.mark.parametrize(("window", "stays"), [("90d", True), ("30d", False)])
def test_the_window_of_an_objective_stays(window: str, *, stays: bool) -> None:
    slo = Slo(id="availability", title="A", kind="history", objective=0.995, better="above", window=window)
    runbook = RUNBOOK.model_copy(update={"slos": (slo,)})
    found = planned([*GOOD, run(80)], runbook=runbook)
    assert [why for _, why in found.kept] == ([told.WINDOW] if stays else [])


def test_what_can_still_be_compared_or_followed_up_stays() -> None:
    assert removed(planned([*GOOD, run(10), run(20)])) == ["r20"]
    assert removed(planned([*GOOD, run(10), run(20)], max_age_h=21 * 24)) == []


def test_the_deployments_that_an_objective_counts_stay() -> None:
    runs = [run(100 + n) for n in range(70)]
    found = planned(runs, runbook=with_success(0.95))
    assert deployments_needed(with_success(0.95)) == 59
    assert len(found.kept) == 59
    assert removed(found) == [f"r{n}" for n in range(169, 158, -1)]


def test_the_live_deployment_and_the_one_before_stay() -> None:
    found = planned([run(n, Action.INCONCLUSIVE) for n in (400, 401, 402)])
    assert removed(found) == ["r402"]


def test_the_reasons_are_counted_and_the_most_frequent_one_comes_first() -> None:
    for counts in ({"a": 1}, {"b": 3, "a": 1}, {"c": 5, "a": 4, "b": 1}):
        kept = [(run(0), why) for why in sorted(counts) for _ in range(counts[why])]
        assert [*told.reasons(kept).items()] == [*counts.items()]
