"""The edges of a combined verdict: what agrees, which reasons count, and the sentences of the refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.judge.places.requirements import CannotCombine, own_call, require_alike
from kamiyo_verify.judge.places.votes import Votes, call, missing
from kamiyo_verify.model.history.history import Deployed
from kamiyo_verify.model.policy import PlacesQuorum, Policy
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Entry, Rollback, RollbackStep, Verdict
from kamiyo_verify.model.words import Action, Impact, Status
from tests.support.evidence_for import (
    ERROR,
    FAILED,
    HEALTH,
    LIVE,
    LOOKS,
    RUNBOOK,
    SIGN_IN,
    evidence,
    result,
)

ENDED = datetime(2026, 11, 23, 14, 11, 2, tzinfo=UTC)
NOW = ENDED + timedelta(minutes=5)
COMMIT = "9c41d07aa1112222"
BACK, GO, UNKNOWN = Action.ROLL_BACK, Action.PROCEED, Action.INCONCLUSIVE
NO_COMMIT: dict[str, Any] = {"commit": "", "deployment": Entry(Deployed(commit=""))}
BROKEN = result(SIGN_IN, FAILED, "500")
CORE_TOO = RUNBOOK.model_copy(
    update={
        "items": tuple(
            one.model_copy(update={"impact": Impact.CORE, "services": ("api",)}) if one.id == LIVE else one
            for one in RUNBOOK.items
        )
    }
)


def run(place: str, *results: Result, runbook: Runbook = RUNBOOK, **more: object) -> Verdict:
    given = evidence(*results, place=place, commit=COMMIT, finished_at=ENDED.isoformat(), runbook=runbook)
    return replace(decide(given), **more)  # type: ignore[arg-type]


def combined(*runs: Verdict, quorum: PlacesQuorum = "majority") -> Verdict:
    return combine(runs, Policy(places_quorum=quorum), NOW)


def test_places_agree_where_items_of_one_clause_fail() -> None:
    both = [
        run("a", result(HEALTH, FAILED, "500"), runbook=CORE_TOO),
        run("b", result(LIVE, FAILED, "closed"), runbook=CORE_TOO),
    ]
    verdict = combined(*both)
    assert verdict.recommendation is BACK
    assert [step.service for step in verdict.rollback.services] == ["kamiyo-api"]
    assert [one.message for one in verdict.reasons[1:]] == ["500 (at a)", "closed (at b)"]


def test_a_reason_that_more_places_give_than_the_quorum_needs_is_named() -> None:
    verdict = combined(*(run(place, BROKEN) for place in "abc"))
    assert [(one.item, one.message) for one in verdict.reasons[1:]] == [(SIGN_IN, "500 (at a, b, c)")]


def test_a_reason_that_one_item_gives_twice_at_one_place_counts_that_place_once() -> None:
    lone = Reason(LOOKS, Impact.UI, None, "another clause", "x")
    twice = run("a", BROKEN)
    twice = replace(twice, reasons=(*twice.reasons, lone, lone))
    verdict = combined(twice, run("b", BROKEN), run("c"))
    assert [one.item for one in verdict.reasons[1:]] == [SIGN_IN]


def steps(place: str, *targets: tuple[str, str], stays: tuple[str, ...] = ()) -> Verdict:
    services = tuple(RollbackStep(service=name, current="dep-bad", to=to, how=place) for name, to in targets)
    back = Rollback(services=services, warnings=("read this", f"at {place}"), stays=stays)
    return run(place, BROKEN, rollback=back)


def test_only_the_steps_that_enough_places_name_are_taken_and_the_others_stay() -> None:
    verdict = combined(
        steps("a", ("api", "dep-1"), ("web", "dep-1")),
        steps("b", ("api", "dep-1"), ("web", "dep-2"), stays=("worker",)),
        steps("c", ("api", "dep-1"), ("web", "dep-3"), stays=("worker", "api")),
    )
    assert verdict.recommendation is BACK
    assert [(one.service, one.to, one.how) for one in verdict.rollback.services] == [("api", "dep-1", "a")]
    assert verdict.rollback.stays == ("web", "worker")
    assert verdict.rollback.warnings == ("read this", "at a", "at b", "at c")


def test_places_that_name_no_common_step_disagree() -> None:
    verdict = combined(steps("a", ("api", "dep-1")), steps("b", ("api", "dep-2")))
    assert (verdict.recommendation, verdict.rollback.services) == (UNKNOWN, ())
    assert verdict.headline == "2 of 2 places call for a rollback, each for something else (a, b)"
    unnamed = combined(steps("a"), steps("b"))
    assert unnamed.recommendation is BACK


def test_the_times_and_the_commit_are_those_of_all_places() -> None:
    first = run("a", started_at="2026-11-23T14:09:00+00:00", commit=COMMIT[:9])
    last = run("b", finished_at="2026-11-23T14:15:00+00:00")
    verdict = combined(last, first, run("c"))
    assert (verdict.started_at, verdict.finished_at) == (first.started_at, last.finished_at)
    assert verdict.commit == COMMIT
    assert [one.place for one in verdict.places] == ["a", "b", "c"]
    assert (verdict.flip, verdict.confidence) == ("", "")


def test_the_commit_that_answered_stands_in_for_one_that_was_not_given() -> None:
    seen = run("a", commit="", deployment=Entry(Deployed(commit=COMMIT)))
    require_alike([seen, run("b")], NOW, timedelta(hours=1))


def test_commits_are_named_with_twelve_characters() -> None:
    with pytest.raises(CannotCombine) as refused:
        require_alike([run("a"), run("b", commit="77aa77a" + "b" * 33)], NOW, timedelta(hours=1))
    assert str(refused.value) == (
        "runs of different commits say nothing about each other: a: 9c41d07aa111; b: 77aa77abbbbb"
    )


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ([run("a", **NO_COMMIT), run("b", **NO_COMMIT)], "the commit is not known at a and b: start each"),
        (
            [run("a", project=""), run("b")],
            "different projects say nothing about each other: a: none; b: Kam",
        ),
        (
            [run("b"), run("a"), run("b"), run("a"), run("c")],
            "b and a: more than one run; name one run of each place",
        ),
        ([run("", finished_at="")], "the run: when it ended is not known"),
        ([run("", finished_at=None)], "the run: when it ended is not known"),
        (
            [run("", finished_at="2026-11-23T13:11:02+00:00")],
            "the run: it ended 1 h 5 min ago, and at most 1 h",
        ),
        (
            [run("", finished_at="2026-11-23T15:11:02+00:00")],
            "the run: it ended in the future: set that mach",
        ),
    ],
)
def test_a_refusal_names_the_places_and_what_to_do(runs: list[Verdict], why: str) -> None:
    with pytest.raises(CannotCombine) as refused:
        require_alike(runs, NOW, timedelta(hours=1))
    assert why in str(refused.value)


def test_a_combination_is_not_combined_again() -> None:
    again = combined(run("a"), run("b"))
    with pytest.raises(CannotCombine, match="one of them is a combination already"):
        require_alike([again, run("c")], NOW, timedelta(hours=1))
    with pytest.raises(ValueError, match="no run was named"):
        combine([], Policy(), NOW)


@pytest.mark.parametrize(
    ("verdict", "own"),
    [
        (run("a"), GO),
        (run("a", exit_code=3), UNKNOWN),
        (run("a", BROKEN), BACK),
        (run("a", BROKEN, exit_code=0), UNKNOWN),
    ],
)
def test_a_run_makes_the_call_of_its_exit_code_and_any_other_makes_none(
    verdict: Verdict, own: Action
) -> None:
    assert own_call(verdict) is own


@pytest.mark.parametrize(
    ("votes", "quorum", "expected"),
    [
        (Votes(roll_back=2, undecided=3), "majority", UNKNOWN),
        (Votes(roll_back=3, undecided=2), "majority", BACK),
        (Votes(roll_back=3, undecided=1), "all", UNKNOWN),
        (Votes(roll_back=1, proceed=3), "majority", Action.FIX_FORWARD),
        (Votes(roll_back=1, proceed=2, undecided=1), "majority", UNKNOWN),
        (Votes(roll_back=1, proceed=3, undecided=1), "majority", Action.FIX_FORWARD),
        (Votes(roll_back=1, hold=1, proceed=3), "majority", Action.HOLD),
        (Votes(hold=1, fix_forward=2, undecided=1), "majority", Action.HOLD),
        (Votes(proceed=4, undecided=1), "majority", UNKNOWN),
        (Votes(proceed=2), 2, GO),
        (Votes(proceed=1), 2, UNKNOWN),
        (Votes(undecided=3), "majority", UNKNOWN),
    ],
)
def test_an_undecided_place_may_have_made_any_call(
    votes: Votes, quorum: PlacesQuorum, expected: Action
) -> None:
    assert call(votes, quorum) is expected


def test_an_undecided_place_may_hold_only_before_a_deployment() -> None:
    votes = Votes(fix_forward=1, proceed=1, undecided=1)
    assert call(votes, 3) is Action.FIX_FORWARD
    assert call(votes, 3, may_hold=True) is UNKNOWN
    assert call(Votes(hold=1, proceed=1, undecided=1), 3, may_hold=True) is Action.HOLD


def test_runs_are_missing_below_the_quorum_of_all_places() -> None:
    assert missing("majority", 2, 3) == ""
    assert missing("majority", 2, 4) == "2 of 4 places gave a run that counts, and 3 must"
    assert missing("all", 3, 3) == ""
    assert missing(2, 1, 2) == "1 of 2 places gave a run that counts, and 2 must"


def test_an_item_that_could_not_be_measured_is_named_with_its_places() -> None:
    verdict = combined(
        run("a", result(HEALTH, ERROR, "broke")),
        run("b", result(HEALTH, ERROR, "too")),
        run("c"),
    )
    items = {one.id: one for one in verdict.items}
    assert (items[HEALTH].status, items[HEALTH].message) == (Status.ERROR, "at a, b of 3 places: broke")


def test_who_acts_is_named_only_where_the_call_is_that_of_the_place() -> None:
    broken = [run(place, BROKEN) for place in "ab"]
    assert broken[0].escalation
    assert combined(*broken).escalation == broken[0].escalation
    assert combined(broken[0], run("c")).escalation == ""


def test_one_run_alone_needs_neither_a_place_nor_a_commit() -> None:
    require_alike([run("", **NO_COMMIT)], NOW, timedelta(hours=1))
