"""Access to GitHub: address, credential, version, and pagination."""

from __future__ import annotations

from collections.abc import Mapping

from kamiyo_verify.http.client import Answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.links import link
from kamiyo_verify.http.service import Service
from kamiyo_verify.integrations.github.settings import GitHub as Table

ROWS_A_PAGE = 100
"""GitHub's own maximum."""


def open_service(table: Table, context: ClientContext) -> Service:
    """GitHub's API with the token of the table; for the arguments see `Service`."""
    return Service(
        "GitHub",
        table.address,
        table.token.name,
        context,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {table.token.reveal()}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )


def next_page(answer: Answer) -> Mapping[str, str] | None:
    """The parameters of the next page; None after the last."""
    following = link(answer.headers.get("link", ""), "next")
    return {"page": following.query("page")} if following else None
