"""Pagination by a Link header, as Sentry and GitHub implement it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MOST_ROWS = 100
"""Most rows of a page in both APIs."""


def sentry_page(request: Request, rows: Sequence[object]) -> Response:
    """Return one page in Sentry's format; cursors count rows."""
    limit = request.query_params.get("limit", str(MOST_ROWS))
    if not limit.isdigit() or not 1 <= int(limit) <= MOST_ROWS:
        raise HTTPException(400, f"Invalid limit value: must be between 1 and {MOST_ROWS}")
    steps = request.query_params.get("cursor", "0:0:0").split(":")
    if len(steps) != 3 or not steps[1].isdigit():
        raise HTTPException(400, "Invalid cursor parameter.")
    size, offset = int(limit), int(steps[1])
    cursors = {"previous": f"0:{max(offset - size, 0)}:1", "next": f"0:{offset + size}:0"}
    results = {"previous": offset > 0, "next": offset + size < len(rows)}
    header = _links(
        request.url,
        {relation: {"cursor": cursor} for relation, cursor in cursors.items()},
        {
            relation: f'; results="{str(results[relation]).lower()}"; cursor="{cursor}"'
            for relation, cursor in cursors.items()
        },
    )
    return JSONResponse(list(rows[offset : offset + size]), headers={"Link": header})


def github_page(
    request: Request, rows: Sequence[object], wrap: Callable[[list[object]], object] = list
) -> Response:
    """Return one page in GitHub's format; invalid page numbers are corrected, as on GitHub."""
    size = min(_number(request, "per_page", 30), MOST_ROWS)
    page = _number(request, "page", 1)
    part = list(rows[(page - 1) * size : page * size])
    last = max((len(rows) + size - 1) // size, 1)
    pages = {"next": page + 1, "last": last} if page < last else {}
    pages |= {"prev": page - 1, "first": 1} if page > 1 else {}
    header = _links(request.url, {relation: {"page": number} for relation, number in pages.items()})
    return JSONResponse(wrap(part), headers={"Link": header} if header else {})


def _number(request: Request, key: str, default: int) -> int:
    text = request.query_params.get(key, "")
    return int(text) if text.isdigit() and int(text) > 0 else default


def _links(
    url: URL, pages: Mapping[str, Mapping[str, str | int]], tails: Mapping[str, str] | None = None
) -> str:
    """Format a Link header.

    Args:
        url: the URL of the current page.
        pages: changed query parameters, by relation.
        tails: additional link parameters, by relation.
    """
    return ", ".join(
        f'<{url.include_query_params(**query)}>; rel="{relation}"{(tails or {}).get(relation, "")}'
        for relation, query in pages.items()
    )
