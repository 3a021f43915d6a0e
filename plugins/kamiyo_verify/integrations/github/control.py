"""Write to GitHub: commit comments and our own events; checks cannot reach this module."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, RootModel

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import segment
from kamiyo_verify.integrations.github.access import ROWS_A_PAGE, next_page, open_service
from kamiyo_verify.integrations.github.settings import GitHub as Table

_CREATED = frozenset({201})
_ACCEPTED = frozenset({204})


class Comment(BaseModel):
    """A comment on a commit; `body` is Markdown."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: int
    body: str
    html_url: str


class _Comments(RootModel[tuple[Comment, ...]]):
    pass


class GitHubControl:
    """Changes GitHub. Every method raises `NoAnswer` if GitHub does not carry out the request.

    The token needs "Contents: write", for comments as well: with "read" GitHub answers 403, although its
    documentation said otherwise before github/docs#35024.

    Args:
        table: address, token and repository.
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._repository = table.repository
        self._service = open_service(table, context)

    def comment(self, sha: str, body: str, *, mark: str) -> Comment:
        """Comment on a commit, once: an existing comment that begins with the mark is updated.

        Args:
            sha: the commit.
            body: Markdown of at most 65,536 characters, which begins with the mark.
            mark: identifies the comment.
        """
        hint = (
            f"{self._repository} has no commit {sha}, or the credential may not comment on it: is it pushed?"
        )
        path = f"{self._root}/commits/{segment(sha)}/comments"
        pages = self._service.pages(path, next_page, params={"per_page": ROWS_A_PAGE}, hint=hint)
        known = (one for page in pages for one in self._service.read(page, _Comments).root)
        before = next((one for one in known if one.body.startswith(mark)), None)
        if before is None:
            answer = self._service.send("POST", path, json={"body": body}, accepted=_CREATED, hint=hint)
        else:
            answer = self._service.send("PATCH", f"{self._root}/comments/{before.id}", json={"body": body})
        return self._service.read(answer, Comment)

    def dispatch(self, event: str, payload: Mapping[str, str]) -> None:
        """Start the workflows that are triggered by that event (`repository_dispatch`).

        Args:
            event: its type, at most 100 characters.
            payload: the data for the workflows, at most ten keys.
        """
        self._service.send(
            "POST",
            f"{self._root}/dispatches",
            json={"event_type": event, "client_payload": dict(payload)},
            accepted=_ACCEPTED,
            hint=f"there is no {self._repository}, or the credential may not write to it",
        )

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    @property
    def _root(self) -> str:
        return f"/repos/{self._repository}"
