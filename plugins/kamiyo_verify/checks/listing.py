"""Whether the rows of an answer are a page of more, and how many there are in all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kamiyo_verify.checks.requirement import Measure
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.links import link

_TOTAL_HEADERS = ("x-total-count", "x-total", "total-count", "x-wp-total")
_TOTALS = frozenset(
    {
        *("total", "totalcount", "totalitems", "totalelements", "totalresults", "totalrows", "totalrecords"),
        *(
            "count",
            "recordstotal",
            "numfound",
            "nbhits",
            "odatacount",
            "hydratotalitems",
            "found",
            "itemcount",
        ),
    }
)
_NEXT = frozenset(
    {
        *(
            "next",
            "nextpage",
            "nextpageurl",
            "nexturl",
            "nextlink",
            "nextcursor",
            "nexttoken",
            "nextpagetoken",
        ),
        *("odatanextlink", "hydranext", "hasmore", "hasnext", "hasnextpage", "more", "continuationtoken"),
    }
)
_SIZES = frozenset({"perpage", "pagesize", "limit", "size", "itemsperpage", "maxresults", "rowsperpage"})
_AROUND = frozenset(
    {"meta", "pagination", "paging", "page", "pageinfo", "links", "cursor", "hydraview", "responsemetadata"}
)
"""Objects beside a list that tell of its pages, by their names without punctuation."""


def measure_total(answer: Answer, containers: tuple[object, ...], listed: int, measure: Measure) -> None:
    """Measure how many rows there are in all, and that those listed are a page, as far as it is said."""
    if (total := total_in(answer, containers, listed)) is not None:
        measure("total_rows", total, "count")
    if is_page(answer, containers, listed):
        measure("listed_as", "a page of more")


def total_in(answer: Answer, containers: tuple[object, ...], listed: int) -> int | None:
    """How many rows there are in all, as a header or a key beside the list says; None if none does.

    A smaller number than the rows listed is no total.

    Args:
        answer: the answer.
        containers: the objects around the list, outermost first.
        listed: the rows in it.
    """
    texts = [answer.headers.get(name, "") for name in _TOTAL_HEADERS]
    texts.append(answer.headers.get("content-range", "").rpartition("/")[2])
    found = [int(text) for text in texts if re.fullmatch(r"\d{1,15}", text.strip())]
    for key, value in _beside(containers):
        if key in _TOTALS and isinstance(value, int) and not isinstance(value, bool):
            found.append(value)
    return max((number for number in found if number >= listed), default=None)


def is_page(answer: Answer, containers: tuple[object, ...], listed: int) -> bool:
    """The answer says that there are further rows, or its rows are as many as its page holds."""
    if link(answer.headers.get("link", ""), "next") is not None:
        return True
    for key, value in _beside(containers):
        if key in _NEXT and value not in ("", None, False, 0, "false"):
            return True
        if key in _SIZES and listed and value in {listed, str(listed)}:
            return True
    return False


def _beside(containers: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    """The keys around a list, without case and punctuation, and their values."""
    for outer in containers:
        for key, value in outer.items() if isinstance(outer, Mapping) else ():
            yield _plain(key), value
            if _plain(key) in _AROUND and isinstance(value, Mapping):
                yield from _beside((value,))


def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())
