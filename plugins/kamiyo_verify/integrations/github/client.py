"""Read GitHub: reviews of a commit, and the results of its checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, RootModel

from kamiyo_verify.http.client import Answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import segment
from kamiyo_verify.integrations.github.access import ROWS_A_PAGE, next_page, open_service
from kamiyo_verify.integrations.github.settings import GitHub as Table
from kamiyo_verify.model.outside.review import (
    Branch,
    CheckRun,
    CombinedStatus,
    CommitStatus,
    Comparison,
    Pull,
    Review,
    Rule,
    standing,
)
from kamiyo_verify.model.outside.workflow import WorkflowRun


class _Pulls(RootModel[tuple[Pull, ...]]):
    pass


class _Reviews(RootModel[tuple[Review, ...]]):
    pass


class _CheckRuns(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    total_count: int
    check_runs: tuple[CheckRun, ...]


class _WorkflowRuns(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    workflow_runs: tuple[WorkflowRun, ...]


class _Rules(RootModel[tuple[Rule, ...]]):
    pass


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class _Tree(_Shape):
    sha: str


class _Commit(_Shape):
    tree: _Tree


class _DecidedPull(_Shape):
    reviewDecision: str | None  # noqa: N815 - GitHub's own name


class _DecidedRepository(_Shape):
    pullRequest: _DecidedPull  # noqa: N815 - as above


class _DecidedData(_Shape):
    repository: _DecidedRepository


class _Decision(_Shape):
    data: _DecidedData


_DECISION = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewDecision } }
}"""


class GitHub:
    """Data about commits of our repository. Every method raises `NoAnswer` if GitHub has no usable answer.

    Args:
        table: the environment's [github].
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._repository = table.repository
        self._service = open_service(table, context)

    def pulls_of(self, sha: str) -> tuple[Pull, ...]:
        """The pull requests that merged a commit, or contain it; empty if it was pushed directly."""
        return tuple(
            pull
            for answer in self._pages(f"/commits/{_ref(sha)}/pulls", self._no_commit(sha))
            for pull in self._service.read(answer, _Pulls).root
        )

    def reviews(self, pull: Pull) -> tuple[Review, ...]:
        """The reviews that count: each person's latest that is not only a comment, without the author's.

        Compare their `commit_id` with `pull.head.sha`: a review of an older head approved other code.
        """
        hint = f"no pull request {pull.number} in {self._repository}"
        pages = self._pages(f"/pulls/{pull.number}/reviews", hint)
        return standing(pull, (row for answer in pages for row in self._service.read(answer, _Reviews).root))

    def check_runs(self, sha: str) -> tuple[CheckRun, ...]:
        """The latest run of each check of a commit.

        Raises:
            NoAnswer: also if GitHub lists fewer runs than its total.
        """
        path, announced, runs = f"/commits/{_ref(sha)}/check-runs", 0, list[CheckRun]()
        for answer in self._pages(path, self._no_commit(sha), {"filter": "latest"}):
            page = self._service.read(answer, _CheckRuns)
            announced = page.total_count
            runs += page.check_runs
        if len(runs) < announced:
            self._service.unusable(f"GitHub says that {sha} has {announced} checks, and lists {len(runs)}")
        return tuple(runs)

    def workflow_runs(self, sha: str) -> tuple[WorkflowRun, ...]:
        """The runs of GitHub Actions for a commit, of every workflow and event.

        The token needs "Actions: read".
        """
        hint = f"{self._repository} shows no workflow runs: the credential needs Actions: read"
        return tuple(
            run
            for answer in self._pages("/actions/runs", hint, {"head_sha": sha})
            for run in self._service.read(answer, _WorkflowRuns).workflow_runs
        )

    def status(self, sha: str) -> CombinedStatus:
        """The commit statuses of a commit, an older API that is separate from check runs."""
        path, found = f"/commits/{_ref(sha)}/status", list[CommitStatus]()
        announced = 0
        for answer in self._pages(path, self._no_commit(sha)):
            page = self._service.read(answer, CombinedStatus)
            found += page.statuses
            announced = page.total_count
        if len(found) < announced:
            self._service.unusable(f"GitHub says that {sha} has {announced} statuses, and lists {len(found)}")
        return page.model_copy(update={"statuses": tuple(found)})

    def compare(self, base: str, head: str) -> Comparison:
        """Compare `head` with `base`; both are branches or commits."""
        return self._service.ask(
            f"{self._root}/compare/{_ref(base)}...{_ref(head)}",
            Comparison,
            params={"per_page": 1},
            hint=f"{self._repository} has no {base}, or no {head}: is it pushed?",
        )

    def branch(self, name: str) -> Branch:
        """A branch and the commit at its tip."""
        return self._service.ask(
            f"{self._root}/branches/{_ref(name)}",
            Branch,
            hint=f"{self._repository} has no branch {name}, or the credential may not read it",
        )

    def required_checks(self, branch: str) -> frozenset[str]:
        """The checks that a branch requires, by its protection and by the active rulesets."""
        pages = self._pages(f"/rules/branches/{_ref(branch)}", f"{self._repository} has no branch {branch}")
        rules = [rule for answer in pages for rule in self._service.read(answer, _Rules).root]
        return self.branch(branch).required.union(*(rule.required for rule in rules))

    def tree(self, sha: str) -> str:
        """The tree id of a commit: two commits with the same tree have the same files."""
        path = f"{self._root}/git/commits/{_ref(sha)}"
        return self._service.ask(path, _Commit, hint=self._no_commit(sha)).tree.sha

    def review_decision(self, pull: Pull) -> str:
        """The result of GitHub's own rules (number of reviews, code owners) for a pull request's reviews.

        Returns:
            "APPROVED", "CHANGES_REQUESTED", "REVIEW_REQUIRED", or "" if no rule requires a review.
        """
        owner, _, name = self._repository.partition("/")
        variables = {"owner": owner, "name": name, "number": pull.number}
        answer = self._service.send("POST", "/graphql", json={"query": _DECISION, "variables": variables})
        return self._service.read(answer, _Decision).data.repository.pullRequest.reviewDecision or ""

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    @property
    def _root(self) -> str:
        return f"/repos/{self._repository}"

    def _no_commit(self, sha: str) -> str:
        return f"{self._repository} has no commit {sha}, or the credential may not read it: is it pushed?"

    def _pages(self, path: str, hint: str, params: Mapping[str, object] | None = None) -> Iterator[Answer]:
        params = {"per_page": ROWS_A_PAGE, **(params or {})}
        return self._service.pages(self._root + path, next_page, params=params, hint=hint)


def _ref(name: str) -> str:
    return segment(name, safe="/")
