"""GitHub's data on a commit: its pull requests, their reviews, and its checks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from kamiyo_verify.model.outside.shapes import Moment, Whole


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class ReviewState(StrEnum):
    """The state of a review."""

    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    COMMENTED = "COMMENTED"
    DISMISSED = "DISMISSED"
    PENDING = "PENDING"


class Person(_Shape):
    """An account; `type` is "User", "Bot", "Organization" or "Mannequin"."""

    login: str
    type: str | None = None

    @property
    def is_bot(self) -> bool:
        """Whether it is an app, not a person."""
        return self.type == "Bot" or self.login.lower().endswith("[bot]")


class Tip(_Shape):
    """The branch and commit of one side of a pull request."""

    sha: str
    ref: str = ""


class Pull(_Shape):
    """A pull request; its author is None if the account was deleted."""

    number: Whole
    title: str
    state: str
    author: Person | None = Field(alias="user")
    head: Tip
    base: Tip
    merged_at: Moment | None = None
    merge_commit_sha: str | None = None
    link: str = Field(alias="html_url", default="")


class Review(_Shape):
    """One review, of the commit that was the head when it was submitted."""

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
    """Return the valid reviews: the latest of each person except comments, without the author's own.

    Args:
        pull: the pull request.
        reviews: all reviews, in the order submitted.

    Returns:
        One review per person, in the order submitted.
    """
    author = pull.author.login.lower() if pull.author else None
    latest: dict[str, Review] = {}
    for nth, review in enumerate(reviews):
        # Deleted accounts share one name, so each of their reviews counts as another person's.
        key = review.by.lower() if review.reviewer else f"ghost {nth}"
        if review.state in _SPEAKS and key != author:
            latest.pop(key, None)
            latest[key] = review
    return tuple(latest.values())


class CheckOutcome(StrEnum):
    """The outcome of a commit's check."""

    GREEN = "green"
    RED = "red"
    OPEN = "open"
    """Not finished, or ended without a result: cancelled, stale, waiting for a person."""


class App(_Shape):
    """The app that created a check run, such as "github-actions"."""

    slug: str | None = None


class CheckRun(_Shape):
    """One check of a commit; `conclusion` is None until it is completed."""

    name: str
    status: str
    conclusion: str | None
    link: str | None = Field(alias="html_url", default=None)
    details: str | None = Field(alias="details_url", default=None)
    made_by: App | None = Field(alias="app", default=None)

    @property
    def app(self) -> str:
        """The slug of the app that created it, or ""."""
        return (self.made_by.slug if self.made_by else "") or ""

    @property
    def workflow_run(self) -> str:
        """The id of its workflow run, or ""."""
        found = _WORKFLOW_RUN.search(self.details or "") or _WORKFLOW_RUN.search(self.link or "")
        return found[1] if found else ""

    @property
    def outcome(self) -> CheckOutcome:
        """The outcome of the check; an unknown conclusion is not a result."""
        if self.status != "completed":
            return CheckOutcome.OPEN
        return _CONCLUSIONS.get(self.conclusion or "", CheckOutcome.OPEN)


_WORKFLOW_RUN = re.compile(r"/actions/runs/(\d{1,20})(?:/|$)")
_CONCLUSIONS = {
    "success": CheckOutcome.GREEN,
    "neutral": CheckOutcome.GREEN,
    "skipped": CheckOutcome.GREEN,
    "failure": CheckOutcome.RED,
    "timed_out": CheckOutcome.RED,
    "startup_failure": CheckOutcome.RED,
}


class CommitState(StrEnum):
    """The combined state of a commit's old-style statuses; "pending" also if there are none."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILURE = "failure"
    ERROR = "error"


class CommitStatus(_Shape):
    """One old-style status."""

    context: str
    state: CommitState
    description: str | None = None
    target_url: str | None = None


class CombinedStatus(_Shape):
    """The old-style statuses of a commit."""

    state: CommitState
    total_count: Whole
    statuses: tuple[CommitStatus, ...]


class Comparison(_Shape):
    """The relation of a commit to another: "ahead", "behind", "diverged" or "identical"."""

    status: str
    ahead_by: Whole
    behind_by: Whole


class RequiredChecks(_Shape):
    """The checks that a protected branch requires."""

    contexts: tuple[str, ...] = ()


class Protection(_Shape):
    """The protection of a branch, as far as read access shows it."""

    required_status_checks: RequiredChecks | None = None


class Branch(_Shape):
    """A branch and its latest commit."""

    name: str
    commit: Tip
    protection: Protection | None = None

    @property
    def required(self) -> frozenset[str]:
        """The names of the checks that its protection requires."""
        found = self.protection.required_status_checks if self.protection else None
        return frozenset(found.contexts) if found else frozenset()


class RuleCheck(_Shape):
    """A check that a ruleset requires."""

    context: str


class RuleParameters(_Shape):
    """The parameters of a rule; only required checks are read."""

    required_status_checks: tuple[RuleCheck, ...] = ()


class Rule(_Shape):
    """One active rule of a branch (a ruleset's)."""

    type: str
    parameters: RuleParameters | None = None

    @property
    def required(self) -> frozenset[str]:
        """The names of the checks that it requires."""
        return (
            frozenset(one.context for one in self.parameters.required_status_checks)
            if self.parameters
            else frozenset()
        )
