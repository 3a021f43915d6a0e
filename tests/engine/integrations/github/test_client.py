"""The GitHub client finds out who reviewed a commit, and what its checks say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.outside.review import (
    CheckOutcome,
    CommitState,
    Person,
    Pull,
    Review,
    ReviewState,
    Tip,
    standing,
)
from sandbox.outside.scenes import Scene
from sandbox.platform import Secrets
from tests.support.hostile_server import Server, answer, saying
from tests.support.outside import COMMIT, Clients, Outside, outside

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def living() -> Iterator[Outside]:
    with outside() as system:
        yield system


def standing_of(*faults: str) -> tuple[Pull, dict[str, tuple[ReviewState, bool]]]:
    """By reviewer: what they said last, and whether of the pull request's head."""
    with outside(*faults) as living:
        (pull,) = living.clients.github.pulls_of(COMMIT)
        reviews = living.clients.github.reviews(pull)
    return pull, {one.by: (one.state, one.commit_id == pull.head.sha) for one in reviews}


def test_the_latest_review_of_another_person_counts() -> None:
    pull, reviews = standing_of()
    assert pull.merge_commit_sha == COMMIT
    assert reviews == {"lee-reviews": (ReviewState.APPROVED, True)}


def test_a_commit_without_pull_request_has_none() -> None:
    with outside("unreviewed-commit") as living:
        assert living.clients.github.pulls_of(COMMIT) == ()


def test_the_authors_own_approval_does_not_count() -> None:
    assert standing_of("self-approved-commit")[1] == {}


def test_an_approval_of_an_older_head_is_told_apart() -> None:
    assert standing_of("stale-approval")[1] == {"lee-reviews": (ReviewState.APPROVED, False)}


def test_changes_requested_stand_beside_an_approval() -> None:
    assert standing_of("changes-requested")[1]["sam-reads"] == (ReviewState.CHANGES_REQUESTED, True)


def review(by: str | None, state: ReviewState) -> Review:
    return Review(reviewer=Person(login=by) if by else None, state=state, commit_id="c", submitted_at=NOW)


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ([], []),
        ([("lee", "APPROVED"), ("lee", "COMMENTED")], [("lee", "APPROVED")]),
        ([("lee", "APPROVED"), ("lee", "CHANGES_REQUESTED")], [("lee", "CHANGES_REQUESTED")]),
        ([("lee", "CHANGES_REQUESTED"), ("LEE", "APPROVED")], [("LEE", "APPROVED")]),
        ([("lee", "APPROVED"), ("lee", "DISMISSED")], [("lee", "DISMISSED")]),
        ([("Author", "APPROVED"), ("sam", "PENDING")], []),
        ([(None, "APPROVED")], [("ghost", "APPROVED")]),
    ],
)
def test_which_reviews_stand(said: list[tuple[str | None, str]], stands: list[tuple[str, str]]) -> None:
    tip = Tip(sha="c")
    pull = Pull(number=1, title="t", state="open", author=Person(login="author"), head=tip, base=tip)
    reviews = [review(by, ReviewState(state)) for by, state in said]
    assert [(one.by, one.state.value) for one in standing(pull, reviews)] == stands


def test_all_checks_are_read_page_by_page(living: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = living.clients.github.check_runs(COMMIT)
    assert len(whole) == 5
    assert all(run.outcome is CheckOutcome.GREEN for run in whole)
    monkeypatch.setattr("kamiyo_verify.integrations.github.client.ROWS_A_PAGE", 2)
    living.wire.seen.clear()
    assert living.clients.github.check_runs(COMMIT) == whole
    assert len(living.wire.seen) == 3


def test_a_failed_check_shows() -> None:
    with outside("check-run-failed") as living:
        red = [run for run in living.clients.github.check_runs(COMMIT) if run.outcome is CheckOutcome.RED]
    assert [(run.name, run.conclusion) for run in red] == [("tests (3.12)", "failure")]


def test_no_old_style_statuses_are_no_obstacle(living: Outside) -> None:
    status = living.clients.github.status(COMMIT)
    assert (status.state, status.total_count) == (CommitState.PENDING, 0)
    assert status.statuses == ()


def test_commits_are_compared(living: Outside) -> None:
    github, previous = living.clients.github, living.world.previous.id
    assert github.branch("main").commit.sha == COMMIT
    assert github.compare("main", COMMIT).status == "identical"
    assert github.compare("main", previous).behind_by == 1
    assert github.compare(previous, "main").status == "ahead"


def test_the_rolled_back_commit_is_still_the_end_of_the_branch() -> None:
    with outside(scene=Scene.ROLLBACK) as living:
        assert living.clients.github.branch("main").commit.sha == COMMIT


def test_an_unknown_commit_is_named(living: Outside) -> None:
    with pytest.raises(NoAnswer, match=r"has no commit 0000000.*is it pushed") as problem:
        living.clients.github.pulls_of("0" * 40)
    assert problem.value.kind is NoAnswerKind.UNUSABLE


def test_fewer_checks_than_announced_are_no_answer() -> None:
    with Server(saying(answer(b'{"total_count": 2, "check_runs": []}'))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer, match="has 2 checks, and lists 0"):
            clients.github.check_runs(COMMIT)
        clients.close()


@pytest.mark.parametrize(
    "head",
    ["X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1", "Retry-After: 60"],
    ids=["primary", "secondary"],
)
def test_githubs_403_for_a_rate_limit_is_no_matter_of_credentials(head: str) -> None:
    with Server(saying(answer(b"{}", "403 Forbidden", head))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer, match="GitHub's rate limit is used up") as problem:
            clients.github.pulls_of(COMMIT)
        clients.close()
    assert problem.value.kind is NoAnswerKind.RATE_LIMITED
