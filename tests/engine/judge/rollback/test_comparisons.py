"""Items that compare commits, found by what they measured: a mismatch says nothing of how a version works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.hosting.services import DeployStatus, ServiceState
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Item, Runbook
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, FailureKind, Impact, Phase, Status
from tests.engine.judge.rollback.test_serving import state
from tests.support.evidence_for import (
    COMMIT,
    FAILED,
    HEALTH,
    PASSED,
    RUNBOOK,
    SENTRY,
    SIGN_IN,
    UNVERIFIED,
    evidence,
    result,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
NEW, OLD = "d" * 40, "a" * 40
API, WEB, WORKER, WORKER_LOGS = (
    "postdeploy.api-commit",
    "postdeploy.frontend-commit",
    "postdeploy.jobs-runs",
    "postdeploy.jobs-logs",
)
ANSWERED = (Exchange("GET", "http://x/", 200, 1.0),)
REFUSED = (Exchange("GET", "http://x/", 503, 1.0),)


def item(item_id: str, *services: str, impact: Impact = Impact.CORE) -> Item:
    return Item(
        id=item_id,
        title=f"{item_id} is well",
        section="Step 4",
        phase=Phase.POSTDEPLOY,
        impact=impact,
        user_impact="something",
        services=services,
    )


def runbook(*items: Item) -> Runbook:
    kept = tuple(one for one in RUNBOOK.items if one.id != COMMIT)
    return RUNBOOK.model_copy(update={"items": (*kept, *items)})


ONE_FOR_EACH = runbook(item(API, "api"), item(WEB, "frontend"))
WITH_WORKER = runbook(item(API, "api"), item(WORKER, "jobs"), item(WORKER_LOGS, "jobs"))
WORKER_ONLY = runbook(item(WORKER, "jobs"), item(WORKER_LOGS, "jobs"))


def hosted(service: str, *rows: tuple[str, DeployStatus]) -> ServiceState:
    return state(*rows, service=service)


SWITCHED = ((NEW, DeployStatus.LIVE), (OLD, DeployStatus.DEACTIVATED))
STILL_OLD = ((OLD, DeployStatus.LIVE), (OLD, DeployStatus.DEACTIVATED))


def compared(item_id: str, status: Status, exchanges: Any = ANSWERED, **values: str) -> Result:
    taken = tuple(Measurement(name, value) for name, value in values.items())
    failure = FailureKind.WRONG_CONTENT if status is FAILED else None
    return result(item_id, status, measurements=taken, exchanges=exchanges, failure=failure)


def called(book: Runbook, *results: Result, jobs: Any = SWITCHED) -> Verdict:
    states = (hosted("api", *SWITCHED), hosted("frontend", *SWITCHED), hosted("jobs", *jobs))
    given = [one.item for one in results]
    others = [
        result(one.id)
        for one in book.items
        if one.id in {API, WEB, WORKER, WORKER_LOGS} and one.id not in given
    ]
    expected = tuple(one.id for one in book.items if one.id != SENTRY)
    return decide(
        evidence(
            *results,
            *others,
            without=(COMMIT,),
            runbook=book,
            expected=expected,
            commit=NEW,
            hosted=states,
            phases=(Phase.POSTDEPLOY,),
        )
    )


MATCH = compared(API, PASSED, expected=NEW, commit=NEW)
API_OTHER = compared(API, FAILED, expected=NEW, commit=OLD)
WEB_OTHER = compared(WEB, FAILED, expected=NEW, commit=OLD)
WEB_UNREAD = compared(WEB, FAILED, expected=NEW, unread="the header X-Commit says nothing")
WEB_MIXED = compared(WEB, UNVERIFIED, expected=NEW, unread="it answers with a and d by turns")
WEB_MATCH = compared(WEB, PASSED, expected=NEW, commit=NEW)
OWN_CHECK = compared(API, FAILED, commit=OLD)


@pytest.mark.parametrize(
    "results",
    [
        (API_OTHER, WEB_OTHER),
        (API_OTHER, WEB_OTHER, result(HEALTH, FAILED)),
        (OWN_CHECK, WEB_OTHER),
        (MATCH, WEB_OTHER),
        (MATCH, WEB_UNREAD),
        (MATCH, WEB_MIXED),
        (MATCH, WEB_OTHER, result(SIGN_IN, FAILED)),
        (compared(API, FAILED, expected=NEW, unread="no header"), WEB_UNREAD),
        (compared(API, FAILED, expected=NEW, commit=NEW), WEB_MATCH),
    ],
)
def test_a_mismatch_is_neither_a_ground_for_a_rollback_nor_a_proceed(results: tuple[Result, ...]) -> None:
    verdict = called(ONE_FOR_EACH, *results)
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert "core" not in verdict.headline
    assert "nothing was verified about this deploy" in verdict.headline


def test_a_service_that_runs_the_release_and_is_broken_goes_back_alone() -> None:
    verdict = called(ONE_FOR_EACH, MATCH, WEB_OTHER, result(HEALTH, FAILED))
    assert verdict.recommendation is Action.ROLL_BACK
    assert [step.service for step in verdict.rollback.services] == ["kamiyo-api"]
    assert WEB not in [reason.item for reason in verdict.reasons]


def test_all_services_of_the_release_proceed() -> None:
    assert called(ONE_FOR_EACH, MATCH, WEB_MATCH).recommendation is Action.PROCEED


def test_a_service_that_does_not_answer_is_a_failure_of_its_own() -> None:
    silent = result(
        API,
        FAILED,
        measurements=(Measurement("expected", NEW), Measurement("silent", "503")),
        exchanges=REFUSED,
        failure=FailureKind.SERVER_ERROR,
    )
    assert called(ONE_FOR_EACH, silent, WEB_MATCH).recommendation is Action.ROLL_BACK


def test_an_item_that_reads_a_commit_and_fails_otherwise_is_a_ground() -> None:
    broken = compared(API, FAILED, commit=NEW)
    assert called(ONE_FOR_EACH, broken, WEB_MATCH).recommendation is Action.ROLL_BACK


def of_worker(status: Status = FAILED, **values: str) -> Result:
    return compared(WORKER, status, (), host="the host", **values)


LOGS = compared(WORKER_LOGS, PASSED, (), host="the host")
LOGS_BAD = compared(WORKER_LOGS, FAILED, (), host="the host")
OTHER = of_worker(expected=NEW, deployed=OLD)
SWITCHING = of_worker(expected=OLD, deployed=OLD, switching="dep-1 is build in progress")
STARTING = of_worker(switching="dep-1 is build in progress")
NEVER = of_worker(unread="the host has no deploy of it, and no other is live")


@pytest.mark.parametrize("worker", [OTHER, SWITCHING, STARTING, NEVER])
@pytest.mark.parametrize("logs", [LOGS, LOGS_BAD])
def test_a_worker_without_this_commit_is_no_ground_for_a_rollback(worker: Result, logs: Result) -> None:
    for book, others in ((WITH_WORKER, (MATCH,)), (WORKER_ONLY, ())):
        verdict = called(book, worker, logs, *others, jobs=STILL_OLD)
        assert verdict.recommendation is Action.INCONCLUSIVE
        assert "core" not in verdict.headline
        assert "jobs" in verdict.headline


@pytest.mark.parametrize("worker", [OTHER, SWITCHING, STARTING, NEVER])
def test_a_broken_service_goes_back_whatever_a_worker_runs(worker: Result) -> None:
    for book, others in ((WITH_WORKER, (MATCH,)), (WORKER_ONLY, ())):
        verdict = called(book, worker, LOGS, *others, result(HEALTH, FAILED), jobs=STILL_OLD)
        assert verdict.recommendation is Action.ROLL_BACK
        assert [step.service for step in verdict.rollback.services] == ["kamiyo-api"]


def test_a_worker_that_this_deployment_broke_goes_back_alone() -> None:
    verdict = called(WITH_WORKER, MATCH, of_worker(), LOGS)
    assert verdict.recommendation is Action.ROLL_BACK
    assert [step.service for step in verdict.rollback.services] == ["kamiyo-jobs"]


def test_a_worker_that_this_deployment_did_not_change_takes_no_service_back() -> None:
    verdict = called(WITH_WORKER, MATCH, of_worker(), LOGS, jobs=STILL_OLD)
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.rollback.services == ()
