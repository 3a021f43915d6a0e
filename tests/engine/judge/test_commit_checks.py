"""What a commit's checks come to, in the states in which GitHub Actions and other CIs leave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kamiyo_verify.judge.preflight.approval import approval
from kamiyo_verify.judge.preflight.commit_checks import commit_checks, contested
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.outside.own_job import OwnJob
from kamiyo_verify.model.outside.review import (
    CheckOutcome,
    CheckRun,
    CombinedStatus,
    CommitState,
    CommitStatus,
    Person,
    Pull,
    Review,
    ReviewState,
    standing,
)
from kamiyo_verify.model.outside.workflow import WorkflowRun
from sandbox.platform import Secrets
from tests.support.hostile_server import Peer, Server, answer
from tests.support.outside import COMMIT, Clients

RUN = "16220000001"


def run(name: str, state: str = "success", *, workflow: str = "900", app: str = "github-actions") -> CheckRun:
    """A check run in a state: a conclusion, or how far it has come."""
    under_way = state in {"queued", "in_progress", "waiting", "pending", "requested"}
    return CheckRun.model_validate(
        {
            "name": name,
            "status": state if under_way else "completed",
            "conclusion": None if under_way else state,
            "html_url": f"https://github.com/o/r/actions/runs/{workflow}/job/77",
            "app": {"slug": app},
        }
    )


def status(context: str, state: str, url: str | None = None) -> CommitStatus:
    return CommitStatus(context=context, state=CommitState(state), target_url=url)


@pytest.mark.parametrize(
    ("other", "order_matters"),
    [
        (run("tests", workflow="901"), True),
        (run("tests"), False),
        (run("tests", workflow="901", app="another-ci"), False),
        (run("lint", workflow="901"), False),
        (run("unit", workflow="901"), False),
        (run("tests", "skipped", workflow="901"), False),
        (run("tests", "failure", workflow="901"), False),
    ],
)
def test_a_failed_check_is_contested_by_its_own_success_in_another_workflow_run(
    other: CheckRun,
    order_matters: bool,  # noqa: FBT001 - parametrized
) -> None:
    failed = run("tests", "failure")
    assert contested([failed, other]) is contested([other, failed]) is order_matters
    for state in ("success", "neutral", "queued", "cancelled"):
        assert not contested([run("tests", state), run("tests", workflow="901")])


@pytest.mark.parametrize(
    "later",
    [
        run("tests", workflow="901", app="another-ci"),
        run("lint", workflow="901"),
        run("unit", workflow="901"),
        run("tests", "skipped", workflow="901"),
        run("tests", "queued", workflow="901"),
        run("tests", workflow="902"),
        run("tests", workflow="899"),
    ],
)
def test_a_failure_is_replaced_by_a_result_of_the_same_check_in_a_later_run_only(later: CheckRun) -> None:
    order = [
        WorkflowRun(id=number, workflow_id=7, event="push", run_number=number) for number in (899, 900, 901)
    ]
    failed = run("tests", "failure")
    assert commit_checks([failed, later], [], workflows=order).red == ("tests (failure)",)
    again = run("tests", workflow="901")
    assert commit_checks([failed, later, again], [], workflows=order).red == ()


@pytest.mark.parametrize(
    ("state", "red", "is_open"),
    [
        ("success", False, False),
        ("neutral", False, False),
        ("skipped", False, False),
        ("failure", True, False),
        ("timed_out", True, False),
        ("startup_failure", True, False),
        ("cancelled", False, True),
        ("stale", False, True),
        ("action_required", False, True),
        ("a_conclusion_of_next_year", False, True),
        ("queued", False, True),
        ("in_progress", False, True),
        ("waiting", False, True),
    ],
)
def test_a_check_is_green_red_or_open(state: str, red: bool, is_open: bool) -> None:  # noqa: FBT001
    found = commit_checks([run("lint"), run("tests", state)], [])
    assert bool(found.red) is red
    assert bool(found.open) is is_open
    if is_open:
        with pytest.raises(Unverified, match=rf"not known yet: tests \({state}\)"):
            found.settled()


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("preflight", "preflight"),
        ("Verify before the deployment", "preflight"),
        ("preflight (3.12, ubuntu)", "preflight"),
        ("deploy / preflight", "preflight"),
        ("preflight / run", "preflight"),
    ],
)
def test_the_ci_job_that_runs_the_preflight_is_not_held_against_the_commit(name: str, job: str) -> None:
    runs = [run("tests"), run(name, "in_progress", workflow=RUN)]
    found = commit_checks(runs, [], own=OwnJob(run_id=RUN, job=job))
    assert found.settled().own == (name,)
    assert found.total == 1


def test_other_jobs_of_our_workflow_count() -> None:
    runs = [run("preflight", "in_progress", workflow=RUN), run("tests", "failure", workflow=RUN)]
    found = commit_checks(runs, [], own=OwnJob(run_id=RUN, job="preflight"))
    assert found.red == ("tests (failure)",)
    runs = [run("preflight", "in_progress", workflow=RUN), run("tests", "in_progress", workflow=RUN)]
    found = commit_checks(runs, [], own=OwnJob(run_id=RUN, job="preflight"))
    assert found.open == ("tests (in_progress)",)


def test_an_earlier_run_of_our_own_job_is_no_check_of_the_commit() -> None:
    runs = [run("preflight", "in_progress", workflow=RUN), run("preflight", "failure"), run("tests")]
    assert not commit_checks(runs, [], own=OwnJob(run_id=RUN, job="preflight")).red


def test_a_job_of_another_run_that_is_under_way_counts() -> None:
    runs = [run("preflight", "in_progress", workflow="1"), run("tests")]
    found = commit_checks(runs, [], own=OwnJob(run_id=RUN, job="preflight"))
    assert found.open == ("preflight (in_progress)",)


def test_a_commit_that_only_our_own_job_looked_at_has_no_check() -> None:
    found = commit_checks([run("all", "in_progress", workflow=RUN)], [], own=OwnJob(run_id=RUN, job="x"))
    assert (found.total, found.succeeded) == (0, 0)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"CI_JOB_URL": "https://gitlab.example/o/r/-/jobs/7"}, "https://gitlab.example/o/r/-/jobs/7"),
        ({"CIRCLE_BUILD_URL": "https://circleci.com/gh/o/r/7"}, "https://circleci.com/gh/o/r/7?utm_source=x"),
        (
            {"BUILDKITE_BUILD_URL": "https://buildkite.com/o/r/builds/7"},
            "https://buildkite.com/o/r/builds/7#job",
        ),
        (
            {"BUILD_URL": "https://jenkins.example/job/r/7/"},
            "https://jenkins.example/job/r/7/display/redirect",
        ),
    ],
    ids=["gitlab", "circleci", "buildkite", "jenkins"],
)
def test_another_cis_own_status_is_not_held_against_the_commit(
    variables: Mapping[str, str], url: str
) -> None:
    own = OwnJob.of(variables)
    found = commit_checks([run("lint")], [status("ci: preflight", "pending", url.partition("#")[0])], own=own)
    assert not found.open
    others = [status("ci: preflight", "pending", url.replace("7", "71"))]
    assert commit_checks([run("lint")], others, own=own).open


def test_a_check_that_concurrency_cancelled_does_not_hide_the_one_that_ran() -> None:
    assert not commit_checks([run("tests", "cancelled"), run("tests", workflow="901")], []).open
    assert commit_checks([run("tests", "cancelled"), run("tests", "failure")], []).red
    assert commit_checks([run("tests", "cancelled"), run("tests", "skipped")], []).open
    assert commit_checks([run("tests", "cancelled"), run("tests", app="another")], []).open


def test_a_failure_stays_beside_a_success_of_the_same_name() -> None:
    assert commit_checks([run("tests", "failure"), run("tests", workflow="901")], []).red


def test_statuses_stand_beside_check_runs() -> None:
    found = commit_checks([run("tests")], [status("ci/circleci", "failure"), status("deploy", "pending")])
    assert found.red == ("ci/circleci (failure)",)
    assert found.open == ("deploy (pending)",)
    assert found.total == 3


def test_required_checks_are_named_and_missed() -> None:
    found = commit_checks(
        [run("tests", "failure"), run("coverage", "failure")], [], required={"tests", "lint"}
    )
    assert found.red == (
        "tests (failure, required)",
        "coverage (failure, optional)",
        "lint (required, did not run)",
    )


def test_checks_that_were_all_skipped_have_looked_at_nothing() -> None:
    found = commit_checks([run("tests", "skipped"), run("docs", "neutral")], [])
    assert (found.total, found.succeeded, found.red) == (2, 0, ())


def test_a_status_that_contradicts_its_count_is_not_green() -> None:
    combined = CombinedStatus(state=CommitState.SUCCESS, total_count=0, statuses=(status("ci", "failure"),))
    assert commit_checks([], combined.statuses).red


MERGED = "2026-01-01T00:00:00Z"


def pull(**more: Any) -> Pull:
    told = {
        "number": 7,
        "title": "t",
        "state": "closed",
        "user": {"login": "dana"},
        "head": {"sha": "aa" * 20},
        "base": {"sha": "bb" * 20, "ref": "main"},
        "merged_at": MERGED,
        "merge_commit_sha": COMMIT,
    }
    return Pull.model_validate(told | more)


def review(login: str | None, state: str = "APPROVED", sha: str = "aa" * 20, kind: str = "User") -> Review:
    return Review(
        reviewer=Person(login=login, type=kind) if login else None, state=ReviewState(state), commit_id=sha
    )


def approved(*reviews: Review, of: Pull | None = None) -> Any:
    ours = of or pull()
    return approval(COMMIT, [(ours, standing(ours, reviews))])


def test_an_approval_by_a_deleted_account_is_not_known_to_be_anothers() -> None:
    found = approved(review(None))
    assert not found.by
    with pytest.raises(Unverified, match="#7 was approved by an account that is deleted"):
        found.known()
    with pytest.raises(Unverified):
        approved(review(None), of=pull(user=None)).known()


def test_a_deleted_accounts_objection_stands_whatever_another_one_says() -> None:
    assert approved(review(None, "CHANGES_REQUESTED"), review(None), review("lee")).problems == (
        "ghost asks for changes in #7",
    )


@pytest.mark.parametrize(
    ("reviews", "problem"),
    [
        ([review("renovate[bot]", kind="Bot")], "only a bot approved #7: renovate[bot]"),
        ([review("Copilot", kind="Bot")], "only a bot approved #7: Copilot"),
        ([review("lee", "DISMISSED")], "nobody else approved #7; dismissed: the review of lee"),
        ([review("lee", sha="cc" * 20)], "lee approved an earlier state of #7 only"),
        ([review("Dana")], "nobody else approved #7"),
        ([], "nobody else approved #7"),
    ],
)
def test_what_is_no_approval_by_somebody_else(reviews: list[Review], problem: str) -> None:
    assert approved(*reviews).problems == (problem,)


@pytest.mark.parametrize(
    "ours",
    [
        pull(),
        pull(merge_commit_sha="dd" * 20, head={"sha": COMMIT}),
        pull(user={"login": "dependabot[bot]", "type": "Bot"}),
        pull(user=None),
    ],
    ids=["squashed", "fast-forward", "by-a-bot", "author-deleted"],
)
def test_a_person_approved_it(ours: Pull) -> None:
    found = approved(review("lee", sha=ours.head.sha), of=ours)
    assert (found.by, found.problems, found.unknown) == (("lee",), (), "")


def test_a_pull_request_that_was_closed_without_being_merged_approves_nothing() -> None:
    closed = pull(merged_at=None, head={"sha": COMMIT})
    assert approved(review("lee", sha=COMMIT), of=closed).problems == ("#7 was closed without being merged",)


def test_a_renamed_repository_is_followed_page_by_page() -> None:
    page = {
        "total_count": 1,
        "check_runs": [{"name": "tests", "status": "completed", "conclusion": "success"}],
    }

    def behave(peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1]
        if path.startswith(b"/github/repos/"):
            moved = path.replace(b"/github/repos/kamiyo-sandbox/kamiyo", b"/github/repositories/42").decode()
            peer.say(answer(b'{"message": "Moved Permanently"}', "301 Moved", f"Location: {moved}"))
        else:
            peer.say(answer(json.dumps(page).encode()))

    with Server(behave) as server:
        clients = Clients(server.origin, Secrets())
        (found,) = clients.github.check_runs(COMMIT)
        clients.close()
    assert found.outcome is CheckOutcome.GREEN
    assert server.asked[-1].startswith(b"GET /github/repositories/42/commits/")


def github_saying(answers: Mapping[str, object], ask: str, *arguments: Any) -> Any:
    def behave(peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1].decode().partition("?")[0]
        found = next((body for end, body in answers.items() if path.endswith(end)), None)
        peer.say(answer(json.dumps(found).encode(), "200 OK" if found is not None else "404 Not Found"))

    with Server(behave) as server:
        clients = Clients(server.origin, Secrets())
        try:
            return getattr(clients.github, ask)(*arguments)
        finally:
            clients.close()


def test_required_checks_come_from_protection_and_from_rulesets() -> None:
    rules = [
        {"type": "deletion"},
        {"type": "merge_queue", "parameters": {"merge_method": "SQUASH"}},
        {
            "type": "required_status_checks",
            "parameters": {"required_status_checks": [{"context": "lint", "integration_id": 15368}]},
        },
    ]
    branch = {
        "name": "main",
        "commit": {"sha": COMMIT},
        "protection": {"enabled": True, "required_status_checks": {"contexts": ["tests"], "checks": []}},
    }
    answers = {"/rules/branches/main": rules, "/branches/main": branch}
    assert github_saying(answers, "required_checks", "main") == {"tests", "lint"}


@pytest.mark.parametrize("decision", ["APPROVED", "REVIEW_REQUIRED", "CHANGES_REQUESTED", None])
def test_what_githubs_own_rules_say_of_the_reviews(decision: str | None) -> None:
    told = {"data": {"repository": {"pullRequest": {"reviewDecision": decision}}}}
    assert github_saying({"/graphql": told}, "review_decision", pull()) == (decision or "")


def test_a_squashed_commit_is_compared_with_its_head_by_their_trees() -> None:
    told = {f"/git/commits/{COMMIT}": {"sha": COMMIT, "tree": {"sha": "ee" * 20}}}
    assert github_saying(told, "tree", COMMIT) == "ee" * 20
