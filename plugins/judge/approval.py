"""Whether a commit was approved: by somebody else than its author, and exactly as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plugins.model.review import Pull, Review, ReviewState


@dataclass(frozen=True, slots=True)
class Approval:
    """What the pull request of a commit says.

    Attributes:
        pull: "#141", or "" where there is none.
        by: who approved exactly what the pull request brought.
        problems: why that is no approval; empty where it is one.
    """

    pull: str
    by: tuple[str, ...]
    problems: tuple[str, ...]


def approval(commit: str, reviewed: Sequence[tuple[Pull, Sequence[Review]]]) -> Approval:
    """The approval of a commit.

    Args:
        commit: whole or abbreviated.
        reviewed: its pull requests, each with the one review of each person that stands.

    Returns:
        That of the pull request which ends in the commit; the best where there are several.
    """
    ours = [(pull, reviews) for pull, reviews in reviewed if _ends_in(pull, commit)]
    if not ours:
        others = ", ".join(f"#{pull.number}" for pull, _ in reviewed)
        told = f"only holds or follows it: {others}" if others else "there is none"
        return Approval("", (), (f"no pull request ends in this commit ({told})",))
    found = [_of(pull, reviews) for pull, reviews in ours]
    return min(found, key=lambda one: len(one.problems))


def _ends_in(pull: Pull, commit: str) -> bool:
    ends = (pull.head.sha, pull.merge_commit_sha or "")
    return any(end.lower().startswith(commit.lower()) for end in ends)


def _of(pull: Pull, reviews: Sequence[Review]) -> Approval:
    told = f"#{pull.number}"
    approving = [review for review in reviews if review.state is ReviewState.APPROVED]
    by = tuple(review.by for review in approving if review.commit_id == pull.head.sha)
    against = [review.by for review in reviews if review.state is ReviewState.CHANGES_REQUESTED]
    problems = [f"{who} asks for changes in {told}" for who in against]
    if not by:
        earlier = ", ".join(review.by for review in approving)
        who = (
            f"{earlier} approved an earlier state of {told} only"
            if earlier
            else f"nobody else approved {told}"
        )
        problems.append(who)
    return Approval(told, by, tuple(problems))
