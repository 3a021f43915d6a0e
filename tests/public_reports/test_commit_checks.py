"""Checks of a commit as people report them: the job that looks, runs again, runs that were replaced.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import json

import pytest

from kamiyo_verify.fixtures.preflight import workflow_runs
from kamiyo_verify.judge.preflight.commit_checks import commit_checks, contested
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.outside.own_job import OwnJob
from kamiyo_verify.model.outside.review import CheckRun
from kamiyo_verify.model.outside.workflow import WorkflowRun
from sandbox.platform import Secrets
from tests.engine.judge.test_commit_checks import RUN, run
from tests.support.hostile_server import Server, answer, saying
from tests.support.outside import COMMIT, Clients

Report = pytest.param
E2E = "End to End E2EEssential Tests - K8s v1.34.0 cacheEnabled=false argoVersion=v3.5.14"
OLD, NEW = "25758917901", "25859935988"


def workflow(number: str, nth: int, *, of: int = 7, event: str = "pull_request") -> WorkflowRun:
    return WorkflowRun(id=int(number), workflow_id=of, event=event, run_number=nth)


IN_ORDER = [workflow(OLD, 40), workflow(NEW, 41)]


@pytest.mark.parametrize(
    ("own", "runs"),
    [
        Report(
            OwnJob(run_id=RUN, job="deploy"),
            [run("Deploy", "in_progress", workflow=RUN), run("Deploy", "in_progress", workflow="1")],
            id="lewagon/wait-on-check-action#56",
        ),
        Report(
            OwnJob(run_id=RUN, job="wait"),
            [
                run("wait (ubuntu-latest, 3.11)", "in_progress", workflow=RUN),
                run("wait (ubuntu-latest, 3.12)", "in_progress", workflow=RUN),
            ],
            id="kachick/wait-other-jobs#761",
        ),
        Report(
            OwnJob(run_id=RUN, job="verify-pr"),
            [run("fullsend verify-pr", "in_progress", workflow=RUN)],
            id="RHEcosystemAppEng/sdlc-plugins#297",
        ),
        Report(
            OwnJob(run_id=RUN, job="wait"),
            [run("bump_version-tag-release / wait", "queued", workflow=RUN)],
            id="dagger/dagger#1451",
        ),
    ],
)
def test_a_job_never_waits_for_itself(own: OwnJob, runs: list[CheckRun]) -> None:
    assert commit_checks([run("tests"), *runs], [], own=own).settled().open == ()


@pytest.mark.parametrize(
    "other",
    [
        Report(run("job1", "in_progress", workflow=RUN), id="kachick/wait-other-jobs#754"),
        Report(run("job1", "queued", workflow=RUN), id="lewagon/wait-on-check-action#71"),
        Report(run("system_test", "cancelled", workflow="1"), id="wechuli/allcheckspassed#102"),
    ],
)
def test_another_job_that_has_no_result_is_waited_for(other: CheckRun) -> None:
    runs = [run("job2", "in_progress", workflow=RUN), other]
    with pytest.raises(Unverified, match="not known yet"):
        commit_checks(runs, [], own=OwnJob(run_id=RUN, job="job2")).settled()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        Report(run(E2E, "failure", workflow=OLD), run(E2E, workflow=NEW), id="wechuli/allcheckspassed#104"),
        Report(
            run("lint", "cancelled", workflow=OLD),
            run("lint", workflow=NEW),
            id="nodejs/node-core-utils#1192",
        ),
        Report(
            run("security / SAST (Opengrep)", "failure", workflow=OLD),
            run("security / SAST (Opengrep)", workflow=NEW),
            id="netresearch/git-workflow-skill#223",
        ),
        Report(run("ci", "timed_out", workflow=OLD), run("ci", workflow=NEW), id="getstackit/stackit#693"),
    ],
)
def test_a_check_counts_as_the_latest_run_of_its_workflow_left_it(older: CheckRun, newer: CheckRun) -> None:
    found = commit_checks([older, newer], [], workflows=IN_ORDER)
    assert (found.red, found.open, found.total, found.succeeded) == ((), (), 1, 1)
    later_failed = commit_checks(
        [run("a", workflow=OLD), run("a", "failure", workflow=NEW)], [], workflows=IN_ORDER
    )
    assert later_failed.red == ("a (failure)",)


@pytest.mark.parametrize(
    "workflows",
    [
        Report([], id="the order is not known"),
        Report([workflow(OLD, 40)], id="half of it is known"),
        Report([workflow(OLD, 40), workflow(NEW, 41, of=8)], id="another workflow with a job of that name"),
        Report(
            [workflow(OLD, 40), workflow(NEW, 41, event="push")], id="nodejs/node-core-utils#1192, events"
        ),
        Report([workflow(OLD, 42), workflow(NEW, 41)], id="the failure is the later one"),
    ],
)
def test_a_failure_that_nothing_is_known_to_replace_counts(workflows: list[WorkflowRun]) -> None:
    runs = [run("tests", "failure", workflow=OLD), run("tests", workflow=NEW)]
    assert contested(runs)
    assert commit_checks(runs, [], workflows=workflows).red == ("tests (failure)",)


def test_a_later_run_that_is_under_way_does_not_clear_the_failure_before_it() -> None:
    runs = [run("tests", "failure", workflow=OLD), run("tests", "in_progress", workflow=NEW)]
    assert not contested(runs)
    assert commit_checks(runs, [], workflows=IN_ORDER).red == ("tests (failure)",)


def test_the_order_of_workflow_runs_is_read_or_not_known(runs_body: bytes) -> None:
    with Server(saying(answer(runs_body))) as server:
        clients = Clients(server.origin, Secrets())
        assert workflow_runs(clients.github, COMMIT) == tuple(IN_ORDER)
    assert b"/actions/runs?" in server.asked[0]
    assert f"head_sha={COMMIT}".encode() in server.asked[0]
    for refused in (answer(b"{}", "403 Forbidden"), answer(b"{}"), answer(b"[]", "404 Not Found")):
        with Server(saying(refused)) as server:
            assert workflow_runs(Clients(server.origin, Secrets()).github, COMMIT) == ()


@pytest.fixture
def runs_body() -> bytes:
    rows = [one.model_dump() | {"run_attempt": 2, "status": "completed"} for one in IN_ORDER]
    return json.dumps({"total_count": len(rows), "workflow_runs": rows}).encode()
