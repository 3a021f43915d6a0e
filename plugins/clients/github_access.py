"""How GitHub is reached: address, credential, version, and its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from plugins.clients.http import Answer
from plugins.clients.links import link
from plugins.clients.manner import Manner
from plugins.clients.service import Service
from plugins.model.outside import GitHub as Table

ROWS_A_PAGE = 100
"""GitHub's own maximum."""


def open_service(table: Table, **manner: Unpack[Manner]) -> Service:
    """GitHub's API with the token of the table; arguments as of `Service`."""
    return Service(
        "GitHub",
        table.address,
        table.token.name,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {table.token.reveal()}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        **manner,
    )


def next_page(answer: Answer) -> Mapping[str, str] | None:
    """What to ask for the page after this one; None after the last."""
    following = link(answer.headers.get("link", ""), "next")
    return {"page": following.query("page")} if following else None
