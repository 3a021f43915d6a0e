"""What GitHub knows of a commit: its pull requests, who reviewed them, its checks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from plugins.model.platform import Moment


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class ReviewState(StrEnum):
    """What a reviewer said."""

    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    COMMENTED = "COMMENTED"
    DISMISSED = "DISMISSED"
    PENDING = "PENDING"


class Person(_Shape):
    """An account."""

    login: str


class Tip(_Shape):
    """The branch and commit that one side of a pull request stands at."""

    sha: str
    ref: str = ""


class Pull(_Shape):
    """A pull request; its author is None where the account is gone."""

    number: int
    title: str
    state: str
    author: Person | None = Field(alias="user")
    head: Tip
    base: Tip
    merged_at: Moment | None = None
    merge_commit_sha: str | None = None
    link: str = Field(alias="html_url", default="")


class Review(_Shape):
    """One review, of the commit that was the head when it was given."""

    reviewer: Person | None = Field(alias="user")
    state: ReviewState
    commit_id: str | None = None
    submitted_at: Moment | None = None

    @property
    def by(self) -> str:
        """The reviewer's login; GitHub calls deleted accounts "ghost"."""
        return self.reviewer.login if self.reviewer else "ghost"


_SPEAKS = frozenset({ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED, ReviewState.DISMISSED})


def standing(pull: Pull, reviews: Iterable[Review]) -> tuple[Review, ...]:
    """The reviews that count: the latest of each person that is no mere comment, without the author's own.

    Args:
        pull: the pull request.
        reviews: all of them, in the order given.

    Returns:
        One a person, in the order in which they were given.
    """
    author = pull.author.login.lower() if pull.author else None
    latest: dict[str, Review] = {}
    for review in reviews:
        if review.state in _SPEAKS and review.by.lower() != author:
            latest.pop(review.by.lower(), None)
            latest[review.by.lower()] = review
    return tuple(latest.values())


class CheckRun(_Shape):
    """One check of a commit; `conclusion` is None until it is completed."""

    name: str
    status: str
    conclusion: str | None
    link: str | None = Field(alias="html_url", default=None)

    @property
    def green(self) -> bool:
        """It is completed, and does not stand in the way of a merge."""
        return self.status == "completed" and self.conclusion in {"success", "neutral", "skipped"}


class CommitState(StrEnum):
    """What the old-style statuses of a commit say together. "pending" is also said where there are none."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILURE = "failure"
    ERROR = "error"


class CommitStatus(_Shape):
    """One old-style status."""

    context: str
    state: CommitState
    description: str | None = None


class CombinedStatus(_Shape):
    """The old-style statuses of a commit."""

    state: CommitState
    total_count: int
    statuses: tuple[CommitStatus, ...]

    @property
    def green(self) -> bool:
        """There are none, or all of them succeeded."""
        return self.total_count == 0 or self.state is CommitState.SUCCESS


class Comparison(_Shape):
    """How a commit stands to another: "ahead", "behind", "diverged" or "identical"."""

    status: str
    ahead_by: int
    behind_by: int


class Branch(_Shape):
    """A branch and the commit that it ends at."""

    name: str
    commit: Tip
