"""What a verdict and Render together give: a plan, a position on the way, or the reason for none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.rollback.plan import plan_from_verdict, plan_to_deploys
from kamiyo_verify.judge.rollback.progress import progress_of
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Position
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Rollback, RollbackStep, Verdict
from kamiyo_verify.model.words import Action, Attribution, Impact
from kamiyo_verify.rollback.subject import named, newest
from tests.support.toy_project import ROOT

API, FRONTEND = "api", "frontend"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
BAD, GOOD, OLDER = "9c41d07" + "0" * 33, "3b0cca2" + "1" * 33, "77aa77a" + "2" * 33
LIVE, DEACTIVATED = DeployStatus.LIVE, DeployStatus.DEACTIVATED


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(ROOT / "runbook.toml")


def deploy(name: str, commit: str, status: DeployStatus, *, minute: int) -> Deploy:
    moment = NOW + timedelta(minutes=minute)
    commit_of = DeployedCommit(id=commit) if commit else None
    return Deploy(id=f"dep-{name}", commit=commit_of, status=status, trigger="new_commit", created_at=moment)


HISTORY = (
    deploy("bad", BAD, LIVE, minute=-10),
    deploy("good", GOOD, DEACTIVATED, minute=-900),
    deploy("older", OLDER, DEACTIVATED, minute=-1900),
)


def state(service: str, *newer: Deploy, **changes: Any) -> ServiceState:
    """A service on which the bad commit is live, with newer deploys on top; one that is live replaces it."""
    replaced = any(one.status is LIVE for one in newer)
    bad = HISTORY[0].model_copy(update={"status": DEACTIVATED}) if replaced else HISTORY[0]
    found = ServiceState(
        service=service,
        id=f"srv-{service}",
        name=f"kamiyo-{service}",
        dashboard=f"https://dashboard.example/{service}",
        api=f"https://api.example/services/srv-{service}",
        auto_deploy=True,
        suspended=False,
        deploys=(*newer, bad, *HISTORY[1:]),
    )
    return replace(found, **changes)


STATES = tuple(state(service) for service in (API, FRONTEND))


def step(service: str, to: str = "dep-good", current: str = "dep-bad") -> RollbackStep:
    to_commit = GOOD if to else ""
    return RollbackStep(
        service=f"kamiyo-{service}",
        current=current,
        to=to,
        how="",
        current_commit=BAD if current == "dep-bad" else OLDER,
        to_commit=to_commit,
    )


def verdict(
    *steps: RollbackStep, call: Action = Action.ROLL_BACK, reasons: tuple[Reason, ...] = (), **changes: Any
) -> Verdict:
    found = Verdict(
        project="Kamiyo",
        environment="prod",
        phase="postdeploy+performance",
        commit=BAD,
        started_at=NOW.isoformat(),
        finished_at=NOW.isoformat(),
        recommendation=call,
        exit_code=20,
        headline="core functionality is broken",
        flip="",
        next_step="",
        escalation="",
        reasons=reasons,
        slos=(),
        items=(),
        unverified=(),
        rollback=Rollback(services=steps),
    )
    return replace(found, **changes)


def because(item: str, impact: Impact) -> Reason:
    return Reason(item, impact, Attribution.INTRODUCED, "", "so")


BOTH = (step(API), step(FRONTEND))


def test_the_frontend_goes_first(runbook: Runbook) -> None:
    plan = plan_from_verdict(verdict(*BOTH), "run", STATES, runbook)
    assert [target.service for target in plan.targets] == [FRONTEND, API]
    assert "the frontend goes first" in plan.why_order
    assert (plan.bad_commit, plan.stays) == (BAD, ())


@pytest.mark.parametrize("impact", Impact)
def test_an_api_that_does_harm_goes_first(runbook: Runbook, impact: Impact) -> None:
    item = next(one.id for one in runbook.items if one.services and one.services[0] == API)
    plan = plan_from_verdict(verdict(*BOTH, reasons=(because(item, impact),)), "run", STATES, runbook)
    harmful = impact in {Impact.DATA, Impact.SECURITY}
    assert (plan.targets[0].service == API) is harmful


def test_what_is_not_named_stays(runbook: Runbook) -> None:
    alone = plan_from_verdict(verdict(BOTH[0]), "run", STATES, runbook)
    chosen = plan_from_verdict(verdict(*BOTH), "run", STATES, runbook, only=["kamiyo-api"])
    for plan in (alone, chosen):
        assert [target.name for target in plan.targets] == ["kamiyo-api"]
        assert [one.name for one in plan.stays] == ["kamiyo-frontend"]
        assert plan.why_order == ""


def test_a_service_that_still_serves_the_old_version_is_left_out(runbook: Runbook) -> None:
    still = step(API, to="", current="dep-older")
    plan = plan_from_verdict(verdict(still, BOTH[1]), "run", STATES, runbook)
    assert [target.name for target in plan.targets] == ["kamiyo-frontend"]
    assert "kamiyo-api has nothing to take back" in plan.warnings


REFUSED: dict[str, tuple[Verdict, tuple[str, ...], str]] = {
    "another call": (verdict(call=Action.FIX_FORWARD), (), "says fix forward, not roll back"),
    "no service": (verdict(), (), "names no service"),
    "unknown deploys": (verdict(step(API, "", "")), (), "does not know what kamiyo-api serves"),
    "no way back": (verdict(BOTH[1], step(API, "")), (), "no deploy to go back to is known"),
    "unknown service": (verdict(*BOTH), ("payments",), "there is no service payments"),
    "not called for": (verdict(BOTH[0]), ("frontend",), "it is not to be taken back"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_no_plan_without_a_way(runbook: Runbook, case: str) -> None:
    found, only, told = REFUSED[case]
    with pytest.raises(CannotRollBack, match=told):
        plan_from_verdict(found, "run", STATES, runbook, only)


def test_a_person_can_name_the_deploys(runbook: Runbook) -> None:
    plan = plan_to_deploys("prod", STATES, {"api": "dep-older", "kamiyo-frontend": "dep-good"}, runbook)
    assert {target.name: target.to for target in plan.targets} == {
        "kamiyo-frontend": "dep-good",
        "kamiyo-api": "dep-older",
    }


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"api": "dep-none"}, "has no deploy dep-none"),
        ({"api": "dep-bad"}, "serves commit 9c41d07 already"),
        ({"web": "dep-good"}, "there is no service web"),
        ({"api": "dep-image"}, "is of no commit"),
    ],
)
def test_but_only_some_that_can_be_gone_back_to(runbook: Runbook, wanted: dict[str, str], told: str) -> None:
    image = state(API, deploy("image", "", DEACTIVATED, minute=-5))
    with pytest.raises(CannotRollBack, match=told):
        plan_to_deploys("prod", (image, STATES[1]), wanted, runbook)


def at(commit: str, status: DeployStatus, name: str = "new") -> Deploy:
    return deploy(name, commit, status, minute=5)


PLACES: dict[str, tuple[Callable[[], ServiceState], Position, str]] = {
    "untouched": (lambda: state(API), Position.BEFORE, ""),
    "back": (lambda: state(API, at(GOOD, LIVE)), Position.BACK, ""),
    "failed before": (
        lambda: state(API, at(GOOD, DeployStatus.BUILD_FAILED)),
        Position.BEFORE,
        "",
    ),
    "another live": (lambda: state(API, at(OLDER, LIVE)), Position.CHANGED, "has changed"),
    "another coming": (
        lambda: state(API, at(BAD, DeployStatus.QUEUED)),
        Position.CHANGED,
        "another deploy of kamiyo-api is on its way: dep-new",
    ),
    "back and another coming": (
        lambda: state(API, at(BAD, DeployStatus.CREATED), at(GOOD, LIVE, "back")),
        Position.CHANGED,
        "is on its way",
    ),
    "suspended": (lambda: state(API, suspended=True), Position.CHANGED, "is suspended"),
    "nothing live": (
        lambda: state(API, deploys=(HISTORY[0].model_copy(update={"status": DEACTIVATED}),)),
        Position.CHANGED,
        "no deploy of kamiyo-api is live",
    ),
    "no deploys": (lambda: state(API, deploys=()), Position.CHANGED, "knows no deploy dep-bad"),
    "target gone": (
        lambda: state(API, deploys=(HISTORY[0],)),
        Position.CHANGED,
        "not known to the host any more",
    ),
} | {
    status.value: (
        lambda status=status: state(API, at(GOOD, status)),
        Position.UNDER_WAY,
        "",
    )
    for status in DeployStatus
    if status.in_progress
}


@pytest.mark.parametrize("case", PLACES)
def test_where_a_service_is_on_its_way_back(runbook: Runbook, case: str) -> None:
    stands, position, told = PLACES[case]
    [target] = plan_to_deploys("prod", STATES, {"api": "dep-good"}, runbook).targets
    place = progress_of(target, stands())
    assert place.position is position
    assert told in place.why
    assert (place.deploy == "dep-new") is (position in {Position.BACK, Position.UNDER_WAY})


class Reports:
    """Verdicts in folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, found: Verdict, *, minutes_ago: float) -> Path:
        moment = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(timespec="milliseconds")
        report = self.folder / "prod" / name
        report.mkdir(parents=True)
        (report / "verdict.json").write_text(json.dumps(replace(found, finished_at=moment).as_json()))
        return report


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    return Reports(tmp_path)


def test_the_newest_verdict_that_calls_for_it_is_followed(reports: Reports) -> None:
    reports.add("first", verdict(*BOTH), minutes_ago=50)
    wanted = reports.add("second", verdict(*BOTH), minutes_ago=20)
    reports.add("quick", verdict(call=Action.PROCEED, phase="performance"), minutes_ago=5)
    baseline = reports.add("baseline", verdict(*BOTH), minutes_ago=1)
    (baseline / "baseline.json").touch()
    (reports.folder / "prod" / "broken").mkdir()
    (reports.folder / "prod" / "broken" / "verdict.json").write_text("{")
    assert newest(reports.folder, "prod").folder == wanted


@pytest.mark.parametrize(
    ("ages", "told"),
    [
        ({}, "no verdict of prod calls for a rollback. To decide that, verify first"),
        ({Action.PROCEED: 3}, "the newest verdict says proceed"),
        ({Action.ROLL_BACK: 61}, "too old to act on"),
        ({Action.ROLL_BACK: -30}, "a moment that is still to come"),
        ({Action.ROLL_BACK: 10, Action.PROCEED: 2}, "a later verdict says proceed"),
    ],
    ids=["none", "another call", "old", "of the future", "a later one"],
)
def test_none_other_is(reports: Reports, ages: dict[Action, float], told: str) -> None:
    for call, age in ages.items():
        reports.add(call.value, verdict(*BOTH, call=call), minutes_ago=age)
    with pytest.raises(CannotRollBack, match=told):
        newest(reports.folder, "prod")


@pytest.mark.parametrize(("hours", "finds"), [(3, True), (30, False)])
def test_one_that_was_cut_off_may_be_older(reports: Reports, hours: float, *, finds: bool) -> None:
    report = reports.add("half", verdict(*BOTH), minutes_ago=60 * hours)
    (report / "rollback.jsonl").write_text('{"kind": "begun"}\n{"kind": "call"}\n')
    if finds:
        assert newest(reports.folder, "prod").folder == report
    else:
        with pytest.raises(CannotRollBack, match="too old"):
            newest(reports.folder, "prod")


def test_one_that_is_named_has_to_be_of_the_environment(reports: Reports) -> None:
    report = reports.add("old", verdict(*BOTH), minutes_ago=6000)
    assert named(report, "prod").folder == named(report / "verdict.json", "prod").folder == report
    with pytest.raises(CannotRollBack, match="about prod, not staging"):
        named(report, "staging")
    with pytest.raises(CannotRollBack, match="holds no verdict"):
        named(reports.folder, "prod")
