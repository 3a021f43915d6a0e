"""The way back: what the advice says, how far a rollback is, and whether it restored the version before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.migrated import migrated
from kamiyo_verify.judge.rollback.progress import failed_before, progress_of
from kamiyo_verify.judge.rollback.restored import Restored, restored, rolled_back_from
from kamiyo_verify.judge.rollback.schema_since import (
    APPLIED,
    MIGRATIONS_ITEM,
    migrations_before,
    schema_since,
)
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM, Serves, expected_commit, serving
from kamiyo_verify.judge.rollback.targets import rolled_back
from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.hosting.rollback import Position, Target
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.migrations import MigrationFile, RecordedMigration
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.verdict import Rollback
from kamiyo_verify.model.words import Action
from tests.support.evidence_for import (
    DATA,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    LOOKS,
    RUNBOOK,
    SIGN_IN,
    evidence,
    result,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
NEW, OLD, OLDER = "9c41d07" + "0" * 33, "3b0cca2" + "1" * 33, "77aa77a" + "2" * 33
S = DeployStatus


def deploy(number: int, commit: str, status: DeployStatus, hours: float, **more: Any) -> Deploy:
    of = DeployedCommit(id=commit, message=more.pop("message", "")) if commit else None
    return Deploy(
        id=f"dep-{number}", commit=of, status=status, created_at=NOW - timedelta(hours=hours), **more
    )


def state(*deploys: Deploy, service: str = "api", **more: Any) -> ServiceState:
    return ServiceState(
        **{
            "service": service,
            "id": f"srv-{service}",
            "name": f"kamiyo-{service}",
            "dashboard": f"https://dashboard.example/{service}",
            "api": "https://api.example",
            "auto_deploy": True,
            "suspended": False,
            "deploys": deploys,
            **more,
        }
    )


def usual(service: str = "api", new: str = NEW, old: str = OLD) -> ServiceState:
    return state(deploy(2, new, S.LIVE, 0), deploy(1, old, S.DEACTIVATED, 1), service=service)


def advice(*failed: str, hosted: tuple[ServiceState, ...] = (), **more: Any) -> Rollback:
    verdict = decide(evidence(*(result(item, FAILED) for item in failed), hosted=hosted, **more))
    assert verdict.recommendation is Action.ROLL_BACK
    return verdict.rollback


def test_a_step_names_the_ways_that_are_open() -> None:
    calls = ("PATCH off", "POST {deploy}")
    gone = NOW - timedelta(minutes=5)
    with_all = state(
        deploy(2, NEW, S.LIVE, 0), deploy(1, OLD, S.DEACTIVATED, 1, finished_at=gone), calls=calls
    )
    [step] = advice(HEALTH, hosted=(with_all,)).services
    assert step.how == (
        "by dashboard: https://dashboard.example/api → Rollbacks → dep-1; switch auto-deploy off first;"
        " by API: PATCH off, then POST dep-1;"
        f" by git: git revert {NEW}, with all else since 3b0cca2, and push"
    )

    [bare] = advice(HEALTH, hosted=(replace(usual(), dashboard=""),)).services
    assert bare.how == f"by git: git revert {NEW}, with all else since 3b0cca2, and push"
    assert bare.live_until == ""


def test_when_the_live_deploy_ended_is_told_in_utc() -> None:
    ended = state(deploy(2, NEW, S.LIVE, 0, finished_at=NOW), deploy(1, OLD, S.DEACTIVATED, 1))
    [step] = advice(HEALTH, hosted=(ended,)).services
    assert step.live_until == "2026-11-23T14:00:00+00:00"


def test_without_a_host_the_manual_way_is_told_for_the_services_own_name() -> None:
    [step] = advice(HEALTH).services
    assert (step.service, step.current, step.to) == ("kamiyo-api", "", "")
    assert step.how == RUNBOOK.services.manual.replace("{service}", "kamiyo-api")


def test_damaged_data_is_not_restored_by_code() -> None:
    told = "a rollback restores no data: stop all writes, then restore from a backup"
    assert told in advice(DATA).warnings
    assert told not in advice(HEALTH).warnings


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (None, "read the migrations of this deployment first"),
        (Migrated(), "the schema does not change: no migration was applied since the code that comes back"),
        (
            Migrated(safe=("1_a", "2_b (not finished)")),
            "the schema keeps what was applied of 1_a, 2_b (not finished): that only adds, so the earlier",
        ),
        (Migrated(safe=("1_a", "2_b")), "the schema keeps 1_a, 2_b, which only adds: the earlier code works"),
    ],
)
def test_what_the_schema_keeps_comes_first(known: Migrated | None, told: str) -> None:
    assert told in advice(HEALTH, migrated=known).warnings[0]


def test_what_failed_besides_is_counted_beyond_three() -> None:
    """The items that are reasons of the call are not named twice."""
    few = advice(LEAK, LIVE).warnings
    assert few[-1] == f"1 item failed as well: {LIVE}"
    assert advice(LEAK, LIVE, LOOKS, COMMIT_ITEM).warnings[-1] == (
        f"3 items failed as well: {LIVE}, {LOOKS}, {COMMIT_ITEM}"
    )
    items = (SIGN_IN, HEALTH, LIVE, LOOKS)
    open_call = decide(evidence(*(result(one, FAILED) for one in items), interrupted=True))
    assert not [one for one in open_call.rollback.warnings if "failed as well" in one]
    many = decide(
        evidence(
            *(result(one, FAILED) for one in items),
            result(COMMIT_ITEM, FAILED, measurements=(Measurement("api_commit", OLD),)),
            commit=NEW,
        )
    )
    assert f"4 items failed as well: {HEALTH}, {SIGN_IN}, {LIVE} and 1 more" in many.rollback.warnings


def test_what_stays_beside_what_goes_back_is_told_unless_it_ran_with_it() -> None:
    both = advice(HEALTH, hosted=(usual(), usual("frontend")))
    assert any(
        one == "kamiyo-frontend stays at 9c41d07, beside an older kamiyo-api of 3b0cca2: check with pytest -m"
        " rollback that they fit, and roll both back if one relies on what only the newer other has"
        for one in both.warnings
    )
    kept = state(deploy(1, OLD, S.LIVE, 1), service="frontend")
    together = advice(HEALTH, hosted=(usual(), kept), commit=NEW)
    assert not any("beside" in one for one in together.warnings)


def test_a_first_deploy_of_one_service_is_no_target_and_the_other_goes_back() -> None:
    first = state(deploy(2, NEW, S.LIVE, 0))
    rollback = advice(DATA, hosted=(first, usual("frontend")), commit=NEW)
    assert [(step.service, step.to) for step in rollback.services] == [
        ("kamiyo-api", ""),
        ("kamiyo-frontend", "dep-1"),
    ]


def test_a_deploy_under_way_is_named_with_its_place() -> None:
    waiting = state(deploy(3, NEW, S.UPDATE_IN_PROGRESS, 0), deploy(2, OLD, S.LIVE, 1), service="frontend")
    done = usual("frontend")
    assert any(
        "dep-3, update in progress" in one
        for one in advice(HEALTH, hosted=(usual(), waiting), commit=NEW).warnings
    )
    assert not any(
        "not switched" in one for one in advice(HEALTH, hosted=(usual(), done), commit=NEW).warnings
    )


# The time from which migrations matter


def test_the_schema_matters_since_the_code_that_would_come_back_was_live() -> None:
    until = NOW - timedelta(minutes=10)
    api = state(deploy(2, NEW, S.LIVE, 0), deploy(1, OLD, S.DEACTIVATED, 5, finished_at=until))
    assert schema_since(evidence(hosted=(api,))) == until
    unfinished = usual("frontend")
    assert schema_since(evidence(hosted=(api, unfinished))) == NOW - timedelta(hours=1)
    first = state(deploy(2, NEW, S.LIVE, 2))
    assert schema_since(evidence(hosted=(first,))) == NOW - timedelta(hours=2)
    assert schema_since(evidence()) is None


def test_a_baseline_lists_the_migrations_that_were_applied() -> None:
    def listed(*taken: Measurement) -> frozenset[str] | None:
        return migrations_before(evidence(baseline={MIGRATIONS_ITEM: taken}))

    assert listed(Measurement("others", "x"), Measurement(APPLIED, "1_a, 2_b")) == frozenset({"1_a", "2_b"})
    assert listed(Measurement(APPLIED, "")) == frozenset()
    assert listed(Measurement(APPLIED, 3)) is None
    assert migrations_before(evidence()) is None


def test_a_file_that_cannot_be_read_says_why() -> None:
    row = RecordedMigration("1_x", "A", NOW, NOW, None)
    unread = MigrationFile("1_x", frozenset("a"), (), problem="it is no UTF-8")
    assert migrated([row], [unread], NOW).unread == ("1_x: it is no UTF-8",)
    assert migrated([row], [unread], NOW + timedelta(seconds=1)) == Migrated()


# How far a rollback is

TARGET = Target(
    service="api",
    id="srv-api",
    name="kamiyo-api",
    dashboard="https://d.example",
    api="",
    current="dep-2",
    current_commit=NEW,
    to="dep-1",
    to_commit=OLD,
)
FORWARD = (deploy(2, NEW, S.LIVE, 1), deploy(1, OLD, S.DEACTIVATED, 2))
RETURNED = (deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLD, S.DEACTIVATED, 2))


@pytest.mark.parametrize(
    ("deploys", "position", "told"),
    [
        (FORWARD, Position.BEFORE, ""),
        ((deploy(3, OLD, S.QUEUED, 0), *FORWARD), Position.UNDER_WAY, "dep-3"),
        (
            (deploy(4, OLD, S.QUEUED, 0), deploy(3, OLD, S.UPDATE_IN_PROGRESS, 0.5), *FORWARD),
            Position.UNDER_WAY,
            "dep-4",
        ),
        (RETURNED, Position.BACK, "dep-3"),
        ((deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLD, S.LIVE, 2)), Position.BACK, "dep-1"),
        (
            (deploy(3, OLDER, S.QUEUED, 0), *FORWARD),
            Position.CHANGED,
            "dep-3 (commit 77aa77a, queued); cancel it",
        ),
        ((deploy(3, "", S.QUEUED, 0), *FORWARD), Position.CHANGED, "dep-3 (queued)"),
        (
            (deploy(3, OLDER, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLD, S.DEACTIVATED, 2)),
            Position.CHANGED,
            "dep-3 (commit 77aa77a, live) is live, not dep-2",
        ),
        ((deploy(2, NEW, S.LIVE, 1),), Position.CHANGED, "dep-1 is not known to the host any more"),
        (
            (deploy(2, NEW, S.LIVE, 1), deploy(1, OLD, S.CANCELED, 2)),
            Position.CHANGED,
            "dep-1 is canceled, so that",
        ),
        ((deploy(1, OLD, S.LIVE, 2),), Position.CHANGED, "the host knows no deploy dep-2"),
        (
            (deploy(2, NEW, S.DEACTIVATED, 1), deploy(1, OLD, S.DEACTIVATED, 2)),
            Position.CHANGED,
            "no deploy of",
        ),
    ],
)
def test_the_hosts_state_tells_how_far_a_rollback_is(
    deploys: tuple[Deploy, ...], position: Position, told: str
) -> None:
    found = progress_of(TARGET, state(*deploys))
    assert found.position is position
    assert told in (found.why or found.deploy)
    assert bool(found.why) is (position is Position.CHANGED)


def test_a_suspended_service_is_resumed_first() -> None:
    found = progress_of(TARGET, state(*FORWARD, suspended=True))
    assert "is suspended: resume it first" in found.why


@pytest.mark.parametrize(
    ("tried", "found"),
    [
        (deploy(3, OLD, S.UPDATE_FAILED, 0), True),
        (deploy(3, OLD, S.CANCELED, 0), True),
        (deploy(3, OLD, S.LIVE, 0), False),
        (deploy(3, OLDER, S.BUILD_FAILED, 0), False),
        (deploy(3, OLD, S.BUILD_FAILED, 3), False),
        (deploy(3, "", S.BUILD_FAILED, 0), False),
    ],
)
def test_an_attempt_that_failed_is_one_of_the_target_after_the_bad_deploy(
    tried: Deploy, *, found: bool
) -> None:
    assert (failed_before(TARGET, state(tried, *FORWARD)) == tried) is found
    assert failed_before(TARGET, state(tried, deploy(1, OLD, S.LIVE, 2))) is None


# Whether the version before is back


def reverting(commit: str = NEW) -> Deploy:
    return deploy(3, OLDER, S.LIVE, 0, message=f"Revert it\n\nThis reverts commit {commit}.")


@pytest.mark.parametrize(
    ("deploys", "bad", "problem", "safe"),
    [
        (RETURNED, NEW, "", False),
        (RETURNED, "", "", False),
        ((reverting(), *FORWARD[1:], deploy(2, NEW, S.DEACTIVATED, 1)), NEW, "", True),
        (
            (deploy(3, OLDER, S.LIVE, 0), deploy(2, NEW, S.DEACTIVATED, 1)),
            NEW,
            "which was never live before",
            False,
        ),
        (FORWARD, NEW, "9c41d07, which was to be taken back, is still live", False),
        ((deploy(1, OLD, S.LIVE, 1),), NEW, "no release was live before 3b0cca2", False),
        ((deploy(2, NEW, S.DEACTIVATED, 1),), NEW, "no deploy of it is live", False),
        ((deploy(3, OLD, S.LIVE, 0), deploy(2, NEW, S.BUILD_FAILED, 1)), NEW, "no release was live", False),
    ],
)
def test_the_version_before_is_back_or_it_is_told_why_not(
    deploys: tuple[Deploy, ...], bad: str, problem: str, *, safe: bool
) -> None:
    found = restored(deploys, bad)
    assert problem in found.problem
    assert bool(found.problem) is bool(problem)
    assert found.withstands_a_push is safe


def test_a_service_that_stays_needs_no_rollback() -> None:
    stays = restored(FORWARD, NEW, stays=True)
    assert (stays.problem, stays.withstands_a_push, stays.reverts, stays.commit) == ("", True, False, NEW)
    assert restored((), NEW).commit == ""
    gone = restored(RETURNED, NEW)
    assert rolled_back_from({"api": gone, "worker": restored((), NEW)}) == NOW - timedelta(hours=1)
    assert rolled_back_from({"worker": Restored(None, None, "")}) is None


def test_the_bad_release_was_live_before_what_is_live_now() -> None:
    same_time = (
        deploy(3, OLD, S.LIVE, 1),
        deploy(2, NEW, S.DEACTIVATED, 1),
        deploy(1, OLD, S.DEACTIVATED, 2),
    )
    assert "no release was live before" in restored(same_time, NEW).problem


# What was rolled back, and what each service runs


def test_a_commit_that_is_live_again_was_not_rolled_back() -> None:
    back_and_forth = (
        deploy(4, OLD, S.LIVE, 0, trigger="rollback"),
        deploy(3, NEW, S.DEACTIVATED, 1),
        deploy(2, "", S.DEACTIVATED, 2),
        deploy(1, OLD, S.DEACTIVATED, 3),
    )
    assert rolled_back(back_and_forth) == (NEW,)
    assert rolled_back(back_and_forth[1:]) == ()
    assert rolled_back(()) == ()


def commits(**taken: str) -> dict[str, Serves]:
    measured = tuple(Measurement(name, value) for name, value in taken.items())
    return serving(result(COMMIT_ITEM, FAILED, measurements=measured), NEW)


@pytest.mark.parametrize(
    ("taken", "serves"),
    [
        ({"api_commit": NEW[:7]}, Serves.RELEASE),
        ({"api_commit": OLD}, Serves.ANOTHER),
        ({"api_commit": OLD, "api_expected": OLD, "api_stays": "ignored"}, Serves.STAYS),
        ({"api_commit": OLD, "api_expected": OLD, "api_switching": "queued"}, Serves.SWITCHING),
        ({"api_commit": OLD, "api_expected": OLDER, "api_stays": "ignored"}, Serves.ANOTHER),
        ({"api_commit": OLD, "api_expected": OLD}, Serves.RELEASE),
        ({"api_unread": "no commit in it"}, Serves.UNREAD),
        ({"api_silent": "refused"}, Serves.RELEASE),
    ],
)
def test_what_a_service_runs_is_read_from_its_measurements(taken: dict[str, str], serves: Serves) -> None:
    assert commits(**taken) == {"api": serves}


def test_a_deploy_that_waits_is_told_by_its_status() -> None:
    for status, told in ((S.CREATED, "just created"), (S.QUEUED, "queued")):
        of = state(deploy(3, NEW, status, 0), deploy(2, OLD, S.LIVE, 1))
        assert expected_commit(NEW, of).switching == f"dep-3 is {told}"


# Where there is nothing to go back to


def call(of: Evidence) -> tuple[Action, str]:
    verdict = decide(of)
    return verdict.recommendation, verdict.reasons[-1].message


def test_a_commit_that_is_not_live_where_it_fails_is_no_ground() -> None:
    old = usual(new=OLD, old=OLDER)
    failed = result(HEALTH, FAILED)
    assert call(evidence(failed, hosted=(old,), commit=NEW)) == (
        Action.INCONCLUSIVE,
        f"kamiyo-api still serves {OLD[:12]}",
    )
    assert call(evidence(failed, hosted=(old,)))[0] is Action.ROLL_BACK
    unknown = state(deploy(2, "", S.LIVE, 0), deploy(1, OLD, S.DEACTIVATED, 1))
    assert call(evidence(failed, hosted=(unknown,), commit=NEW))[0] is Action.ROLL_BACK
    assert call(evidence(failed, hosted=(usual(),), commit=NEW))[0] is Action.ROLL_BACK


@pytest.mark.parametrize(
    ("calls", "how"),
    [
        (("PATCH a", "roll back {deploy}"), "by API: PATCH a, then roll back dep-1"),
        (("PUT a",), "by API: PUT a"),
        (("POST {deploy}",), "by API: POST dep-1"),
        (("pause a", "POST {deploy}"), "by command: pause a, then POST dep-1"),
        (("GET a",), "by command: GET a"),
        (("POSTPONE a",), "by command: POSTPONE a"),
    ],
)
def test_the_first_call_of_a_step_says_by_which_means_it_is_made(calls: tuple[str, ...], how: str) -> None:
    hosted = state(deploy(2, NEW, S.LIVE, 0), deploy(1, OLD, S.DEACTIVATED, 1), calls=calls)
    [step] = advice(HEALTH, hosted=(hosted,)).services
    assert how in step.how.split("; ")
