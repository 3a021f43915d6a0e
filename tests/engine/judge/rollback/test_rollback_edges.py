"""Edges of the way back: which items compare commits, what was restored, and what the advice counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rollback.advice import rollback_advice
from kamiyo_verify.judge.rollback.comparisons import comparisons, served, workers
from kamiyo_verify.judge.rollback.plan import plan_from_verdict, plan_to_deploys
from kamiyo_verify.judge.rollback.progress import failed_before, progress_of
from kamiyo_verify.judge.rollback.restored import restored, rolled_back_from
from kamiyo_verify.judge.rollback.schema_since import schema_since
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM, Serves, serving
from kamiyo_verify.judge.rollback.targets import rolled_back
from kamiyo_verify.judge.rules.confidence import confidence
from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Position
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Action, Impact, Phase, Status
from tests.engine.judge.rollback.test_way_back import (
    NEW,
    NOW,
    OLD,
    OLDER,
    TARGET,
    S,
    advice,
    deploy,
    state,
    usual,
)
from tests.support.evidence_for import (
    DATA,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    LOOKS,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    WEBHOOK,
    at,
    evidence,
    looks,
    result,
    share,
)

# Items that compare commits


def item(name: str, phase: Phase = Phase.POSTDEPLOY, services: tuple[str, ...] = ("api",)) -> Item:
    return Item(id=name, title=name, section="4", phase=phase, impact=Impact.PROCESS, services=services)


def outcome(of: Item, status: Status = PASSED, **taken: Any) -> tuple[Item, Result]:
    measurements = tuple(Measurement(name, value) for name, value in taken.items())
    return of, Result(of.id, of.phase, status, "" if status is PASSED else "no", measurements=measurements)


@pytest.mark.parametrize(
    ("of", "release", "serves"),
    [
        (outcome(item(COMMIT_ITEM), api_commit=NEW), NEW, {"api": Serves.RELEASE}),
        (outcome(item(COMMIT_ITEM), api_commit=OLD), "", {"api": Serves.RELEASE}),
        (outcome(item("a.b"), commit=NEW), NEW, {"api": Serves.RELEASE}),
        (outcome(item("a.b"), FAILED, commit=OLD), NEW, {"api": Serves.ANOTHER}),
        (outcome(item("a.b"), FAILED, deployed=OLD), NEW, {"api": Serves.ANOTHER}),
        (outcome(item("a.b"), FAILED, unread="no header"), NEW, {"api": Serves.UNREAD}),
        (outcome(item("a.b", services=()), FAILED, commit=OLD), NEW, {"a.b": Serves.ANOTHER}),
        (outcome(item("a.b"), commit=NEW), "", None),
        (outcome(item("a.b", Phase.PREFLIGHT), commit=NEW), NEW, None),
        (outcome(item("a.b", Phase.ROLLBACK), commit=NEW), NEW, None),
        (outcome(item("a.b"), commit=OLD), NEW, None),
        (outcome(item("a.b"), other=OLD), NEW, None),
        (outcome(item("a.b"), FAILED, commit=5), NEW, None),
    ],
)
def test_an_item_compares_by_what_it_measured(
    of: Any, release: str, serves: dict[str, Serves] | None
) -> None:
    found = [*comparisons([of], release)]
    assert [one.serves for one in found] == ([] if serves is None else [serves])


def test_an_item_that_expects_a_commit_does_nothing_but_compare() -> None:
    plain, expecting, hosted = comparisons(
        [
            outcome(item("a.a"), commit=NEW),
            outcome(item("a.b", services=("frontend",)), commit=NEW, expected=NEW),
            outcome(item("a.c", services=("worker",)), commit=NEW, host="render"),
        ],
        NEW,
    )
    assert [(one.alone, one.of_worker) for one in (plain, expecting, hosted)] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert workers(
        [outcome(item("a.c", services=("worker",)), host="x"), outcome(item("a.d", services=()), host="x")]
    ) == {"worker"}


def test_of_two_items_the_one_that_says_more_than_as_it_should_decides() -> None:
    right, wrong = outcome(item("a.a"), commit=NEW), outcome(item("a.b"), FAILED, commit=OLD)
    for order in ([right, wrong], [wrong, right]):
        found = [*comparisons(order, NEW)]
        assert served(found) == {"api": Serves.ANOTHER}
        assert {one.differs for one in found} == {True, False}


def test_two_services_with_two_commits_are_no_release_where_none_was_given() -> None:
    def serves(**taken: str) -> dict[str, Serves]:
        _, one = outcome(item(COMMIT_ITEM), PASSED, **taken)
        return serving(one, "")

    both = {"api_commit": NEW, "frontend_commit": OLD}
    assert serves(**both) == {"api": Serves.ANOTHER, "frontend": Serves.ANOTHER}
    assert serves(api_commit=NEW, frontend_commit=NEW.upper()) == dict.fromkeys(
        ("api", "frontend"), Serves.RELEASE
    )
    assert serves(**both, api_expected=NEW, frontend_expected=OLD) == dict.fromkeys(
        ("api", "frontend"), Serves.RELEASE
    )
    assert serves(api_commit=NEW, frontend_silent="x") == dict.fromkeys(("api", "frontend"), Serves.RELEASE)
    assert serving(None, NEW) == {}


# What was restored


@pytest.mark.parametrize(
    ("deploys", "bad", "problem"),
    [
        (
            (deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLD, S.DEACTIVATED, 2)),
            NEW,
            "",
        ),
        (
            (deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLDER, S.DEACTIVATED, 2)),
            NEW,
            f"{OLD[:7]} is live, which was never live before: nothing was taken back",
        ),
        (
            (
                deploy(4, OLD, S.LIVE, 0),
                deploy(3, OLD, S.DEACTIVATED, 0.5),
                deploy(2, NEW, S.DEACTIVATED, 1),
                deploy(1, OLDER, S.DEACTIVATED, 2),
            ),
            NEW,
            f"{OLD[:7]} is live, which was never live before: nothing was taken back",
        ),
        (
            (deploy(2, NEW, S.LIVE, 0), deploy(1, OLD, S.DEACTIVATED, 1)),
            NEW,
            f"{NEW[:7]}, which was to be taken back, is still live",
        ),
        (
            (deploy(1, OLD, S.LIVE, 0),),
            "",
            f"no release was live before {OLD[:7]} that it could have replaced",
        ),
        ((deploy(1, OLD, S.DEACTIVATED, 0),), NEW, "no deploy of it is live"),
        (
            (deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.BUILD_FAILED, 1), deploy(1, OLD, S.DEACTIVATED, 2)),
            "",
            None,
        ),
    ],
)
def test_the_version_that_is_live_was_live_before_the_bad_one(
    deploys: tuple[Any, ...], bad: str, problem: str | None
) -> None:
    found = restored(deploys, bad)
    if problem is None:
        assert found.bad is None
        return
    assert found.problem == problem
    assert found.is_missing is (bool(problem) and found.bad is not None)


def test_the_bad_release_began_with_its_first_service() -> None:
    one = restored(
        (deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLD, S.DEACTIVATED, 2)), NEW
    )
    two = restored(
        (deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 3), deploy(1, OLD, S.DEACTIVATED, 9)), NEW
    )
    assert rolled_back_from({"a": one, "b": two}) == NOW - timedelta(hours=3)
    assert rolled_back_from({"a": one}) == NOW - timedelta(hours=1)
    assert rolled_back_from({"a": restored((), NEW)}) is None


@pytest.mark.parametrize(
    ("rows", "back"),
    [
        (((NEW, "new_commit"), (OLD, "new_commit")), ()),
        (((OLD, "rollback"), (NEW, "new_commit"), (OLD, "new_commit")), (NEW,)),
        (((NEW, "new_commit"), (OLD, "rollback"), (NEW, "new_commit"), (OLD, "new_commit")), ()),
        (((OLDER, "new_commit"), (OLD, "rollback"), (NEW, "new_commit")), (NEW,)),
        (((OLD, "rollback"), (OLD, "new_commit"), (NEW, "new_commit")), ()),
        ((), ()),
    ],
)
def test_a_commit_was_rolled_back_where_its_last_time_ended_so(rows: Any, back: tuple[str, ...]) -> None:
    deploys = [
        deploy(9 - place, commit, S.DEACTIVATED if place else S.LIVE, place, trigger=trigger)
        for place, (commit, trigger) in enumerate(rows)
    ]
    assert rolled_back(deploys) == back


# Progress and plans


def test_an_attempt_counts_only_after_the_bad_deploy() -> None:
    bad, good = deploy(2, NEW, S.LIVE, 1), deploy(1, OLD, S.DEACTIVATED, 2)
    again = deploy(3, OLD, S.BUILD_FAILED, 0.5)
    assert failed_before(TARGET, state(again, bad, good)) == again
    assert failed_before(TARGET, state(bad, good, deploy(0, OLD, S.BUILD_FAILED, 3))) is None
    assert failed_before(TARGET, state(replace_at(again, 1), bad, good)) is None, "at the same moment"
    assert failed_before(TARGET, state(good)) is None
    assert progress_of(TARGET, state(bad, good)).position is Position.BEFORE


def replace_at(one: Any, hours: float) -> Any:
    return one.model_copy(update={"created_at": NOW - timedelta(hours=hours)})


def test_a_plan_needs_a_service_and_a_deploy_of_a_commit() -> None:
    of = usual()
    for wanted, why in (
        ({"nobody": "dep-1"}, "there is no service nobody; name api (kamiyo-api)"),
        ({"api": "dep-9"}, "kamiyo-api has no deploy dep-9 at the host"),
        ({"api": "dep-2"}, f"kamiyo-api serves commit {NEW[:7]} already, by dep-2"),
    ):
        with pytest.raises(CannotRollBack) as refused:
            plan_to_deploys("prod", [of], wanted, RUNBOOK)
        assert why in str(refused.value)
    [target] = plan_to_deploys("prod", [of], {"kamiyo-api": "dep-1"}, RUNBOOK).targets
    assert (target.current, target.to, target.current_commit, target.to_commit) == (
        "dep-2",
        "dep-1",
        NEW,
        OLD,
    )
    unnamed = state(deploy(2, NEW, S.LIVE, 0), deploy(1, "", S.DEACTIVATED, 1))
    with pytest.raises(CannotRollBack, match="is of no commit"):
        plan_to_deploys("prod", [unnamed], {"api": "dep-1"}, RUNBOOK)


def test_a_plan_without_a_live_deploy_names_no_commit_of_it() -> None:
    verdict = decide(evidence(result(HEALTH, FAILED), hosted=(usual(),), commit=NEW))
    [step] = verdict.rollback.services
    bare = replace(verdict, rollback=replace(verdict.rollback, services=(replace(step, current_commit=""),)))
    gone = state(deploy(2, NEW, S.DEACTIVATED, 0), deploy(1, OLD, S.DEACTIVATED, 1))
    [target] = plan_from_verdict(bare, "r1", [gone], RUNBOOK).targets
    assert target.current_commit == ""


# Advice


def test_what_failed_as_well_is_named_up_to_three() -> None:
    three = advice(SIGN_IN, LIVE, LOOKS, "postdeploy.commit-answering").warnings
    assert any(one.startswith("3 items failed as well: ") and "more" not in one for one in three)
    names = (SIGN_IN, LIVE, LOOKS, "postdeploy.commit-answering", "performance.error-rate")
    assert any(
        one.startswith("4 items failed as well: ") and one.endswith(" and 1 more")
        for one in advice(*names).warnings
    )
    assert not any("failed as well" in one for one in advice(SIGN_IN).warnings)


def test_a_service_that_fails_and_did_not_change_is_named() -> None:
    hosted = (usual(), usual("frontend", OLD, OLDER))
    warnings = advice(SIGN_IN, hosted=hosted, commit=NEW).warnings
    assert (
        "kamiyo-frontend fails, and this deployment did not change it: what it changed is kamiyo-api, so that"
        " goes back"
    ) in warnings
    alone = advice(HEALTH, hosted=hosted, commit=NEW)
    assert not any("did not change it" in one for one in alone.warnings)
    assert alone.stays == ("kamiyo-frontend",)


def test_damaged_data_and_the_schema_come_with_their_warnings() -> None:
    assert any(one.startswith("a rollback restores no data") for one in advice(DATA).warnings)
    assert not any(one.startswith("a rollback restores no data") for one in advice(HEALTH).warnings)
    kept = advice(HEALTH, migrated=Migrated(safe=("a", "b"))).warnings[0]
    assert kept == "the schema keeps a, b, which only adds: the earlier code works with it"
    assert advice(HEALTH, migrated=Migrated()).warnings[0].startswith("the schema does not change")


def test_the_schema_counts_from_the_end_of_the_deploy_that_comes_back() -> None:
    ended = deploy(1, OLD, S.DEACTIVATED, 3, finished_at=NOW - timedelta(hours=2))
    of = evidence(hosted=(state(deploy(2, NEW, S.LIVE, 0), ended),), commit=NEW)
    assert schema_since(of) == NOW - timedelta(hours=2)
    assert schema_since(evidence(hosted=(usual(),), commit=NEW)) == NOW - timedelta(hours=1)
    first = state(deploy(2, NEW, S.LIVE, 4))
    assert schema_since(evidence(hosted=(first,), commit=NEW)) == NOW - timedelta(hours=4)
    assert schema_since(evidence()) is None


# Confidence


def tries(pattern: str) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(FAILED if one == "F" else PASSED, "", at(number), 0.1) for number, one in enumerate(pattern)
    )


@pytest.mark.parametrize(
    ("attempts", "again", "text"),
    [
        ("F", "", "low: postdeploy.websocket failed in the only try"),
        ("FF", "", "moderate: postdeploy.websocket failed in 2 of 2 tries and rechecks over 1 s"),
        ("FFF", "", "high: postdeploy.websocket failed in 3 of 3 tries and rechecks over 2 s"),
        ("FPF", "", "moderate: postdeploy.websocket failed in 2 of 3 tries and rechecks over 2 s"),
        ("PPF", "", "low: postdeploy.websocket failed in 1 of 3 tries and rechecks over 2 s"),
        ("F", "FF", "high: postdeploy.websocket failed in 3 of 3 tries and rechecks over 10 s"),
        ("", "", "low: postdeploy.websocket failed in the only try"),
    ],
)
def test_the_confidence_in_a_failure_goes_by_how_often_it_was_seen(
    attempts: str, again: str, text: str
) -> None:
    found = Confirmation(at(0), looks(again)) if again else None
    one = result(LIVE, FAILED, attempts=tries(attempts), confirmation=found)
    assert confidence(evidence(one), Action.FIX_FORWARD, [Reason(LIVE, None, None, "", "")], ()) == text


def test_several_failures_are_counted_together() -> None:
    names = (LIVE, LOOKS, HEALTH, SIGN_IN, WEBHOOK, LEAK)
    reasons = [Reason(name, None, None, "", "") for name in names]
    once = evidence(*(result(name, FAILED, attempts=tries("F")) for name in names))
    assert (
        confidence(once, Action.FIX_FORWARD, reasons[:2], ()) == "low: 2 items failed in the only try of each"
    )
    sampled = Confirmation(at(0), share=share("FFSS"))
    one = result(LIVE, FAILED, attempts=tries("FF"), confirmation=sampled)
    assert confidence(evidence(one), Action.ROLL_BACK, reasons[:1], ()) == (
        f"high: {LIVE} failed in 2 of 2 tries and rechecks over 1 s, and 2 of 4 sampled requests failed"
    )
    assert confidence(evidence(one), Action.FIX_FORWARD, reasons[:1], ()).startswith("moderate: ")
    none = replace(one, confirmation=Confirmation(at(0), share=share("SSSS")))
    assert "sampled" not in confidence(evidence(none), Action.ROLL_BACK, reasons[:1], ())
    assert confidence(evidence(one), Action.INCONCLUSIVE, reasons[:1], ()).startswith(
        f"none: the evidence does not suffice; {LIVE} failed"
    )
    assert confidence(evidence(), Action.INCONCLUSIVE, (), ()) == "none: the evidence does not suffice"
    assert confidence(evidence(), Action.FIX_FORWARD, (), ()) == ""


@pytest.mark.parametrize(("live", "target"), [("", OLD), (NEW, ""), ("", "")])
def test_a_deploy_of_no_commit_is_gone_back_to_by_hand(live: str, target: str) -> None:
    of = state(deploy(2, live, S.LIVE, 0), deploy(1, target, S.DEACTIVATED, 1))
    with pytest.raises(CannotRollBack, match="is of no commit, so that nobody could see whether it is back"):
        plan_to_deploys("prod", [of], {"api": "dep-1"}, RUNBOOK)


def test_a_worker_is_the_first_service_of_its_item() -> None:
    of = outcome(item("a.c", services=("worker", "api")), host="x")
    assert workers([of]) == {"worker"}


def test_a_service_without_a_live_deploy_is_rolled_back_by_hand() -> None:
    idle = state(deploy(2, NEW, S.DEACTIVATED, 0), deploy(1, OLD, S.DEACTIVATED, 1))
    reasons = (Reason(HEALTH, Impact.CORE, None, "", ""),)
    [step] = rollback_advice(
        evidence(result(HEALTH, FAILED), hosted=(idle,)), Action.ROLL_BACK, reasons
    ).services
    assert (step.service, step.current, step.to) == ("kamiyo-api", "", "")
    assert step.how == RUNBOOK.services.manual.replace("{service}", "kamiyo-api")
