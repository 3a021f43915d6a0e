"""GitHub: who reviewed a commit, and what its checks say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Unpack

from pydantic import BaseModel, ConfigDict, RootModel

from plugins.clients.github_access import ROWS_A_PAGE, next_page, open_service
from plugins.clients.http import Answer
from plugins.clients.manner import Manner
from plugins.clients.service import segment
from plugins.model.outside import GitHub as Table
from plugins.model.review import (
    Branch,
    CheckRun,
    CombinedStatus,
    CommitStatus,
    Comparison,
    Pull,
    Review,
    standing,
)


class _Pulls(RootModel[tuple[Pull, ...]]):
    pass


class _Reviews(RootModel[tuple[Review, ...]]):
    pass


class _CheckRuns(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    total_count: int
    check_runs: tuple[CheckRun, ...]


class GitHub:
    """What GitHub knows of commits of our repository. Every method raises `NoAnswer` where it does not tell.

    Args:
        table: the environment's [github].
        manner: how to ask, see `Manner`.
    """

    def __init__(self, table: Table, **manner: Unpack[Manner]) -> None:
        self._repository = table.repository
        self._service = open_service(table, **manner)

    def pulls_of(self, sha: str) -> tuple[Pull, ...]:
        """The pull requests that brought a commit, or hold it; none where it was pushed by itself."""
        return tuple(
            pull
            for answer in self._pages(f"/commits/{_ref(sha)}/pulls", self._no_commit(sha))
            for pull in self._service.read(answer, _Pulls).root
        )

    def reviews(self, pull: Pull) -> tuple[Review, ...]:
        """The reviews that count: of each person the latest that is no mere comment, without the author's.

        Compare their `commit_id` with `pull.head.sha`: one of an older head approved something else.
        """
        hint = f"no pull request {pull.number} in {self._repository}"
        pages = self._pages(f"/pulls/{pull.number}/reviews", hint)
        return standing(pull, (row for answer in pages for row in self._service.read(answer, _Reviews).root))

    def check_runs(self, sha: str) -> tuple[CheckRun, ...]:
        """The latest run of each check of a commit.

        Raises:
            NoAnswer: also where GitHub lists fewer than it says there are.
        """
        path, announced, runs = f"/commits/{_ref(sha)}/check-runs", 0, list[CheckRun]()
        for answer in self._pages(path, self._no_commit(sha), {"filter": "latest"}):
            page = self._service.read(answer, _CheckRuns)
            announced = page.total_count
            runs += page.check_runs
        if len(runs) < announced:
            self._service.unusable(f"GitHub says that {sha} has {announced} checks, and lists {len(runs)}")
        return tuple(runs)

    def status(self, sha: str) -> CombinedStatus:
        """The old-style statuses of a commit, which check runs are not among."""
        path, found = f"/commits/{_ref(sha)}/status", list[CommitStatus]()
        for answer in self._pages(path, self._no_commit(sha)):
            page = self._service.read(answer, CombinedStatus)
            found += page.statuses
        return page.model_copy(update={"statuses": tuple(found)})

    def compare(self, base: str, head: str) -> Comparison:
        """How `head` stands to `base`; both are branches or commits."""
        return self._service.ask(
            f"{self._root}/compare/{_ref(base)}...{_ref(head)}",
            Comparison,
            params={"per_page": 1},
            hint=f"{self._repository} has no {base}, or no {head}: is it pushed?",
        )

    def branch(self, name: str) -> Branch:
        """A branch and the commit at its end."""
        return self._service.ask(
            f"{self._root}/branches/{_ref(name)}",
            Branch,
            hint=f"{self._repository} has no branch {name}, or the credential may not read it",
        )

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
