"""A list may be a page of more rows: its total is measured, and that it is a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kamiyo_verify.checks.library import has_rows
from tests.engine.checks.test_library import Measured, opened, serving

ROWS = [{"id": number} for number in range(20)]
PAGE = "a page of more"


def measured(body: object, within: str = "", **heads: str) -> tuple[Any, Any]:
    """The total that is measured of an answer, and how it is listed."""
    taken = Measured()
    named = {name.replace("_", "-"): value for name, value in heads.items()}
    with serving({"GET /items": (200, named, json.dumps(body))}) as origin:
        has_rows(opened(origin), "/items", taken, within=within)
    assert taken["listed_rows"] == len(ROWS)
    return taken.get("total_rows"), taken.get("listed_as")


@pytest.mark.parametrize(
    ("body", "within", "heads", "total", "listed_as"),
    [
        (ROWS, "", {}, None, None),
        (ROWS, "", {"X_Total_Count": "431"}, 431, None),
        (ROWS, "", {"Link": '</items?page=2>; rel="next"'}, None, PAGE),
        (ROWS, "", {"Link": '</items?page=1>; rel="first"'}, None, None),
        (ROWS, "", {"Content_Range": "items 0-19/431"}, 431, None),
        (ROWS, "", {"Content_Range": "items 0-19/*"}, None, None),
        (ROWS, "", {"X_WP_Total": "20"}, 20, None),
        ({"count": 431, "next": "/items?page=2", "results": ROWS}, "results", {}, 431, PAGE),
        ({"count": 20, "next": None, "results": ROWS}, "results", {}, 20, None),
        ({"items": ROWS, "total": 431, "page": 1, "per_page": 20}, "items", {}, 431, PAGE),
        ({"items": ROWS, "total": 431, "page": 1, "per_page": 50}, "items", {}, 431, None),
        ({"content": ROWS, "totalElements": 431, "size": 20, "last": False}, "content", {}, 431, PAGE),
        ({"value": ROWS, "@odata.count": 431, "@odata.nextLink": "/x"}, "value", {}, 431, PAGE),
        ({"data": ROWS, "meta": {"pagination": {"total": 431, "pageSize": 25}}}, "data", {}, 431, None),
        ({"data": ROWS, "links": {"next": "/items?cursor=b"}}, "data", {}, None, PAGE),
        ({"d": {"nodes": ROWS, "pageInfo": {"hasNextPage": True}}}, "d.nodes", {}, None, PAGE),
        ({"d": {"nodes": ROWS, "pageInfo": {"hasNextPage": False}}}, "d.nodes", {}, None, None),
        ({"object": "list", "has_more": True, "data": ROWS}, "data", {}, None, PAGE),
        ({"items": ROWS, "nextPageToken": "", "total": True}, "items", {}, None, None),
        ({"hits": ROWS, "count": 3, "total": "431"}, "hits", {}, None, None),
    ],
)
def test_what_an_answer_says_of_its_pages_is_measured(
    body: object, within: str, heads: dict[str, str], total: int | None, listed_as: str | None
) -> None:
    assert measured(body, within, **heads) == (total, listed_as)
