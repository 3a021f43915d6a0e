"""Check that a commit was approved: by someone other than its author, and exactly in its final state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.outside.review import Pull, Review, ReviewState


@dataclass(frozen=True, slots=True)
class Approval:
    """The approval state of a commit's pull request.

    Attributes:
        pull: number of the pull request, such as "#141"; "" if there is none.
        by: who approved exactly what the pull request merged.
        problems: why the commit is not approved; empty if it is.
        unknown: why the approval state is unknown; "" if it is known.
    """

    pull: str
    by: tuple[str, ...]
    problems: tuple[str, ...]
    unknown: str = ""

    def known(self) -> Approval:
        """Return itself if the approval state is known.

        Raises:
            Unverified: the approval state is unknown.
        """
        if self.unknown:
            raise Unverified(self.unknown)
        return self


def approval(commit: str, reviewed: Sequence[tuple[Pull, Sequence[Review]]]) -> Approval:
    """Return the approval of a commit.

    Args:
        commit: full or abbreviated commit id.
        reviewed: its pull requests, each with the valid review of each person.

    Returns:
        The approval of the pull request that ends in the commit; if there are several, the best one.
    """
    ours = [(pull, reviews) for pull, reviews in reviewed if ends_in(pull, commit)]
    if not ours:
        others = ", ".join(f"#{pull.number}" for pull, _ in reviewed)
        description = f"only holds or follows it: {others}" if others else "there is none"
        return Approval("", (), (f"no pull request ends in this commit ({description})",))
    found = [_of(pull, reviews) for pull, reviews in ours]
    return min(found, key=lambda one: (len(one.problems), bool(one.unknown)))


def ends_in(pull: Pull, commit: str) -> bool:
    """Return whether the commit is the pull request's head, or its merge, squash or rebase commit."""
    ends = (pull.head.sha, pull.merge_commit_sha or "")
    return any(end.lower().startswith(commit.lower()) for end in ends)


def _of(pull: Pull, reviews: Sequence[Review]) -> Approval:
    number = f"#{pull.number}"
    if pull.state == "closed" and pull.merged_at is None:
        return Approval(number, (), (f"{number} was closed without being merged",))
    approving = [review for review in reviews if review.state is ReviewState.APPROVED]
    people = [review for review in approving if review.reviewer and not review.reviewer.is_bot]
    by = tuple(review.by for review in people if review.commit_id == pull.head.sha)
    against = [review.by for review in reviews if review.state is ReviewState.CHANGES_REQUESTED]
    problems = [f"{who} asks for changes in {number}" for who in against]
    gone = any(review.reviewer is None and review.commit_id == pull.head.sha for review in approving)
    unknown = ""
    if not by and gone and not problems:
        unknown = f"{number} was approved by an account that is deleted: it could be the author's own"
    elif not by:
        problems.append(_lacking(number, reviews, people, approving))
    return Approval(number, by, tuple(problems), unknown)


def _lacking(
    number: str, reviews: Sequence[Review], people: Sequence[Review], approving: Sequence[Review]
) -> str:
    """Return why the pull request has no valid approval."""
    if people:
        return f"{', '.join(review.by for review in people)} approved an earlier state of {number} only"
    if bots := [review.by for review in approving if review.reviewer and review.reviewer.is_bot]:
        return f"only a bot approved {number}: {', '.join(bots)}"
    if dismissed := [review.by for review in reviews if review.state is ReviewState.DISMISSED]:
        return f"nobody else approved {number}; dismissed: the review of {', '.join(dismissed)}"
    return f"nobody else approved {number}"
