"""Write statuses of commits and deployments to GitHub; checks cannot reach this module."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, RootModel

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import segment
from kamiyo_verify.integrations.github.access import open_service
from kamiyo_verify.integrations.github.settings import GitHub as Table
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

_CREATED = frozenset({201})


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class _Commit(_Shape):
    sha: str


class _Deployment(_Shape):
    id: int


class _Deployments(RootModel[tuple[_Deployment, ...]]):
    pass


class GitHubStatuses:
    """Writes statuses. Every method raises `NoAnswer` if GitHub does not carry out the request.

    The token needs "Commit statuses: write" and "Deployments: write", for what is used of them.

    Args:
        table: address, token and repository.
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._root = f"/repos/{table.repository}"
        self._repository = table.repository
        self._service = open_service(table, context)

    def of_commit(self, commit: str, status: Mapping[str, object]) -> None:
        """Set a status of a commit, which may be shortened."""
        self._service.send(
            "POST",
            f"{self._root}/statuses/{self._whole(commit)}",
            json=dict(status),
            accepted=_CREATED,
            hint=self._no_commit(commit),
        )

    def of_deployment(self, commit: str, environment: str, status: Mapping[str, object]) -> None:
        """Set a status of the newest deployment of a commit to an environment of that name.

        A deployment is created by the system that deploys; without one there is nothing to set.
        """
        found = self._service.ask(
            f"{self._root}/deployments",
            _Deployments,
            params={"sha": self._whole(commit), "environment": environment, "per_page": 1},
            hint=f"there is no {self._repository}, or the credential may not read its deployments",
        ).root
        if not found:
            message = f"{self._repository} has no deployment of {commit[:7]} to {environment!r}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._service.origin)
        self._service.send(
            "POST",
            f"{self._root}/deployments/{found[0].id}/statuses",
            json=dict(status),
            accepted=_CREATED,
            hint="the credential may not write to it",
        )

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _whole(self, commit: str) -> str:
        """Return the commit in full: neither a status nor a deployment is found by a part of it."""
        if re.fullmatch(r"[0-9a-f]{40}", commit):
            return commit
        path = f"{self._root}/commits/{segment(commit)}"
        found = self._service.ask(path, _Commit, params={"per_page": 1}, hint=self._no_commit(commit)).sha
        if not re.fullmatch(r"[0-9a-f]{40}", found):
            self._service.unusable(f"GitHub calls the commit {commit} {found}, which is no commit")
        return found

    def _no_commit(self, commit: str) -> str:
        return f"{self._repository} has no commit {commit}, or the credential may not use it: is it pushed?"
