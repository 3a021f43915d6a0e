"""How GitHub is reached: address, credential, version, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plugins.clients.http import Answer, Record, Throttle
from plugins.clients.links import link
from plugins.clients.service import Service
from plugins.model.environment import Timeouts
from plugins.model.outside import GitHub as Table

ROWS_A_PAGE = 100
"""GitHub's own maximum."""


def open_service(
    table: Table,
    *,
    timeouts: Timeouts,
    record: Record,
    remaining: Callable[[], float],
    throttle: Throttle | None,
) -> Service:
    """GitHub's API with the token of the table; arguments as of `Service`."""
    return Service(
        "GitHub",
        table.address,
        table.token.name,
        timeouts=timeouts,
        record=record,
        remaining=remaining,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {table.token.reveal()}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        throttle=throttle,
    )


def next_page(answer: Answer) -> Mapping[str, str] | None:
    """What to ask for the page after this one; None after the last."""
    following = link(answer.headers.get("link", ""), "next")
    return {"page": following.query("page")} if following else None
