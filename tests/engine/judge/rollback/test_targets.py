"""What a service can be rolled back to, and what to do where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rollback.targets import NoTarget, bad_commits, target_of
from kamiyo_verify.model.history.history import Deployed, DeploymentRecord, PastRun
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.words import Action, Phase
from tests.support.evidence_for import DATA, FAILED, HEALTH, SIGN_IN, evidence, result

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
NEW, OLD, OLDER = "9c41d07" + "0" * 33, "3b0cca2" + "1" * 33, "77aa77a" + "2" * 33
LIVE, GONE, FAILED_BUILD = DeployStatus.LIVE, DeployStatus.DEACTIVATED, DeployStatus.BUILD_FAILED
CANCELED = DeployStatus.CANCELED


def state(
    *rows: tuple[str, DeployStatus] | tuple[str, DeployStatus, str],
    service: str = "api",
    suspended: bool = False,
) -> ServiceState:
    """A service with these deploys, newest first, an hour apart: commit, status, trigger."""
    deploys = []
    for hours, (commit, status, *trigger) in enumerate(rows):
        deploys.append(
            Deploy(
                id=f"dep-{len(rows) - hours}",
                commit=DeployedCommit(id=commit) if commit else None,
                status=status,
                trigger=trigger[0] if trigger else "new_commit",
                created_at=NOW - timedelta(hours=hours),
            )
        )
    return ServiceState(
        service=service,
        id=f"srv-{service}",
        name=f"kamiyo-{service}",
        dashboard="https://dashboard.example",
        api="https://api.example",
        auto_deploy=True,
        suspended=suspended,
        deploys=tuple(deploys),
    )


TARGETS: dict[str, tuple[ServiceState, tuple[str, ...], str]] = {
    "the deploy before": (state((NEW, LIVE), (OLD, GONE), (OLDER, GONE)), (), "dep-2"),
    "not one that never served": (state((NEW, LIVE), (OLD, FAILED_BUILD), (OLDER, GONE)), (), "dep-1"),
    "not one that was canceled": (state((NEW, LIVE), (OLD, CANCELED), (OLDER, GONE)), (), "dep-1"),
    "not the same commit": (state((NEW, LIVE), (NEW, GONE), (OLD, GONE)), (), "dep-1"),
    "not a bad commit": (state((NEW, LIVE), (OLD, GONE), (OLDER, GONE)), (OLD[:7],), "dep-1"),
    "not what was rolled back": (
        state((NEW, LIVE), (OLDER, GONE, "rollback"), (OLD, GONE), (OLDER, GONE)),
        (),
        "dep-3",
    ),
    "not an earlier deploy of what was rolled back": (
        state((NEW, LIVE), (OLDER, GONE, "rollback"), (OLD, GONE), (OLD, GONE), ("3" * 40, GONE)),
        ("77aa77a",),
        "dep-1",
    ),
    "what was rolled back and then deployed again, well": (
        state((NEW, LIVE), (OLD, GONE), (OLDER, GONE, "rollback"), (OLD, GONE), (OLDER, GONE)),
        (),
        "dep-4",
    ),
    "while another deploy is on its way": (
        state(("5" * 40, DeployStatus.BUILD_IN_PROGRESS), (NEW, LIVE), (OLD, GONE)),
        (),
        "dep-1",
    ),
}


@pytest.mark.parametrize("case", TARGETS)
def test_a_target_was_live_is_of_another_commit_and_was_not_rolled_back(case: str) -> None:
    of, bad, wanted = TARGETS[case]
    choice = target_of(of, bad)
    assert choice.deploy is not None
    assert choice.deploy.id == wanted
    assert choice.instead == ""


NONE: dict[str, tuple[ServiceState, tuple[str, ...], NoTarget, str]] = {
    "first deploy": (state((NEW, LIVE)), (), NoTarget.NO_EARLIER_DEPLOY, "deploy an earlier commit anew"),
    "only failures before": (
        state((NEW, LIVE), (OLD, FAILED_BUILD)),
        (),
        NoTarget.NO_EARLIER_DEPLOY,
        "past the host's retention",
    ),
    "suspended": (state((NEW, LIVE), (OLD, GONE), suspended=True), (), NoTarget.SUSPENDED, "resume it"),
    "nothing live": (state((NEW, GONE), (OLD, GONE)), (), NoTarget.NOTHING_LIVE, "known to be good"),
    "no deploys": (state(), (), NoTarget.NOTHING_LIVE, "known to be good"),
    "the same commit": (state((NEW, LIVE), (NEW, GONE)), (), NoTarget.SAME_COMMIT, "variables"),
    "all bad": (state((NEW, LIVE), (OLD, GONE)), (OLD,), NoTarget.ALL_BAD, "repair and deploy again"),
}


@pytest.mark.parametrize("case", NONE)
def test_without_a_target_it_is_told_what_to_do_instead(case: str) -> None:
    of, bad, why, instead = NONE[case]
    choice = target_of(of, bad)
    assert (choice.deploy, choice.why_not) == (None, why)
    assert instead in choice.instead


def test_nothing_to_go_back_to_is_no_call_to_roll_back() -> None:
    for of in (state((NEW, LIVE)), state((NEW, LIVE), (OLD, GONE), suspended=True), state((NEW, GONE))):
        verdict = decide(evidence(result(HEALTH, FAILED), hosted=(of,), commit=NEW))
        assert verdict.recommendation is Action.FIX_FORWARD
        assert verdict.headline.endswith("; there is nothing to roll back to")
        assert [reason.item for reason in verdict.reasons] == [HEALTH, ""]
        assert "kamiyo-api: " in verdict.reasons[-1].message
        assert verdict.rollback.services == ()


def test_where_the_host_did_not_tell_the_call_stands() -> None:
    frontend = state((NEW, LIVE), service="frontend")
    for hosted in ((), (frontend,)):
        verdict = decide(evidence(result(HEALTH, FAILED), hosted=hosted, commit=NEW))
        assert verdict.recommendation is Action.ROLL_BACK


def test_a_service_without_a_target_does_not_keep_the_other() -> None:
    hosted = (state((NEW, LIVE), (OLD, GONE)), state((NEW, LIVE), service="frontend"))
    verdict = decide(evidence(result(DATA, FAILED), hosted=hosted, commit=NEW))
    assert verdict.recommendation is Action.ROLL_BACK
    steps = {step.service: (step.to, step.how) for step in verdict.rollback.services}
    assert steps["kamiyo-api"][0] == "dep-1"
    assert steps["kamiyo-frontend"][0] == ""
    assert "the host lists no earlier deploy" in steps["kamiyo-frontend"][1]


def test_workers_stay_and_are_told() -> None:
    names = ("api", "frontend", "aggregator", "social-watcher")
    hosted = tuple(state((NEW, LIVE), (OLD, GONE), service=name) for name in names)
    for item, back in ((HEALTH, "kamiyo-api"), (SIGN_IN, "kamiyo-frontend")):
        rollback = decide(evidence(result(item, FAILED), hosted=hosted, commit=NEW)).rollback
        assert [step.service for step in rollback.services] == [back]
        assert {"kamiyo-aggregator", "kamiyo-social-watcher"} < set(rollback.stays)


def test_a_deploy_that_has_not_gone_live_yet_is_told_before_what_goes_back() -> None:
    pending = state((NEW, DeployStatus.BUILD_IN_PROGRESS), (OLD, LIVE), (OLDER, GONE), service="frontend")
    hosted = (state((NEW, LIVE), (OLD, GONE)), pending)
    rollback = decide(evidence(result(HEALTH, FAILED), hosted=hosted, commit=NEW)).rollback
    assert [step.service for step in rollback.services] == ["kamiyo-api"]
    assert any("kamiyo-frontend has not switched to 9c41d07 yet" in one for one in rollback.warnings)


# What the history knows


def run(name: str, call: Action, *deeds: tuple[str, str], minute: int = 0) -> PastRun:
    return PastRun(
        id=name,
        phases=(Phase.POSTDEPLOY,),
        started_at=(NOW + timedelta(minutes=minute)).isoformat(),
        recommendation=call,
        blamed=call in {Action.ROLL_BACK, Action.FIX_FORWARD},
        deployed=Deployed(commit=OLD),
        deeds=deeds,
    )


def record(*runs: PastRun, rolled_back: bool = False) -> DeploymentRecord:
    return DeploymentRecord(
        commit=OLD,
        seen_at=NOW.isoformat(),
        runs=tuple(one.id for one in runs),
        succeeded=False,
        rolled_back=rolled_back,
        seen=Deployed(commit=OLD),
    )


KEPT = (DecisionKind.KEPT, NOW.isoformat())
HISTORIES: dict[str, tuple[tuple[PastRun, ...], bool, bool]] = {
    "fix forward": ((run("1", Action.FIX_FORWARD),), False, False),
    "proceed": ((run("1", Action.PROCEED),), False, False),
    "inconclusive": ((run("1", Action.INCONCLUSIVE),), False, False),
    "roll back": ((run("1", Action.ROLL_BACK),), False, True),
    "roll back, then well": ((run("1", Action.ROLL_BACK), run("2", Action.PROCEED, minute=5)), False, False),
    "roll back, then not known": (
        (run("1", Action.ROLL_BACK), run("2", Action.INCONCLUSIVE, minute=5)),
        False,
        True,
    ),
    "roll back, and kept by people": ((run("1", Action.ROLL_BACK, KEPT),), False, False),
    "rolled back by people": ((run("1", Action.FIX_FORWARD),), True, True),
}


@pytest.mark.parametrize("case", HISTORIES)
def test_only_a_rollback_makes_a_commit_bad(case: str) -> None:
    runs, rolled, bad = HISTORIES[case]
    assert bad_commits([record(*runs, rolled_back=rolled)], runs) == ((OLD,) if bad else ())


def test_a_fix_forward_between_is_gone_back_to() -> None:
    of = state((NEW, LIVE), (OLD, GONE), (OLDER, GONE))
    runs = (run("1", Action.FIX_FORWARD),)
    verdict = decide(
        replace(
            evidence(result(HEALTH, FAILED), hosted=(of,), commit=NEW),
            bad_commits=bad_commits([record(*runs)], runs),
        )
    )
    assert [step.to_commit for step in verdict.rollback.services] == [OLD]


def test_in_maintenance_mode_the_host_answered_and_nothing_goes_back() -> None:
    choice = target_of(replace(state((NEW, LIVE), (OLD, GONE)), maintenance=True))
    assert choice.why_not is NoTarget.MAINTENANCE
    assert "answers 503 in its place" in choice.instead
    of = replace(state((NEW, LIVE), (OLD, GONE)), maintenance=True)
    verdict = decide(evidence(result(HEALTH, FAILED), hosted=(of,), commit=NEW))
    assert verdict.recommendation is Action.FIX_FORWARD
    assert "kamiyo-api: it is in maintenance mode at the host" in verdict.reasons[-1].message


def test_a_build_past_retention_is_no_target_and_its_commit_is_deployed_anew() -> None:
    found = state((NEW, LIVE), (NEW, GONE), (OLD, GONE))
    took = replace(
        found,
        deploys=tuple(
            one.model_copy(update={"finished_at": one.created_at + timedelta(minutes=4)})
            for one in found.deploys
        ),
        redeploy='POST https://api.example/deploys {"commitId": "{commit}"}',
    )
    assert target_of(replace(took, builds_kept=3)).deploy
    choice = target_of(replace(took, builds_kept=2))
    assert choice.why_not is NoTarget.BUILD_GONE
    assert f"deploy commit {OLD[:7]} anew, which builds it (it took 4 min then)" in choice.instead
    assert f'{{"commitId": "{OLD}"}}' in choice.instead


def test_a_rollback_uses_the_build_of_its_commit() -> None:
    found = state((NEW, LIVE), (OLD, GONE, "rollback"), (OLDER, GONE), (OLD, GONE))
    assert target_of(replace(found, builds_kept=3)).deploy
    assert target_of(replace(found, builds_kept=2)).why_not is NoTarget.BUILD_GONE
