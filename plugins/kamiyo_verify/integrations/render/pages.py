"""Read Render's lists by cursor, and its logs by time.

Sources: api-docs.render.com/reference/pagination and /list-logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, RootModel, model_validator

from kamiyo_verify.http.client import Answer
from kamiyo_verify.http.service import MOST_ROWS, Service
from kamiyo_verify.model.hosting.data import Shape
from kamiyo_verify.model.hosting.signals import LogLine, Logs

Row = TypeVar("Row", bound=BaseModel)

ROWS_A_PAGE = 100
"""Render's own maximum."""


class Entry(Shape, Generic[Row]):
    """One entry of a list: `{"cursor": …, "service": row}`, the second key named after the kind of row."""

    cursor: str
    row: Row

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, answer: object) -> object:
        match answer:
            case {"cursor": cursor, **rest} if len(rest) == 1:
                return {"cursor": cursor, "row": next(iter(rest.values()))}
        return answer


class Rows(RootModel[tuple[Entry[Row], ...]], Generic[Row]):
    """One page of a list."""


class _LogPage(Shape):
    has_more: bool
    next_start_time: str
    next_end_time: str
    logs: tuple[LogLine, ...]


def text_of(moment: datetime) -> str:
    """Format a time for Render: RFC 3339, UTC.

    Raises:
        ValueError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone is none that another system can know")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Pages:
    """Reads lists to their end.

    Args:
        service: the client.
        size: rows per page, 1 to 100; a page with fewer rows is the last one.
    """

    def __init__(self, service: Service, size: int = ROWS_A_PAGE) -> None:
        self._service = service
        self._size = size

    def rows(
        self, path: str, shape: type[Rows[Row]], *, params: Mapping[str, object] | None = None, hint: str = ""
    ) -> tuple[Row, ...]:
        """All rows of a list.

        Raises:
            NoAnswer: see `Service.pages`; or UNUSABLE, for more than 10,000 rows.
        """
        found: list[Row] = []
        page: tuple[Entry[Row], ...] = ()

        def following(_answer: Answer) -> Mapping[str, str] | None:
            return {"cursor": page[-1].cursor} if len(page) >= self._size else None

        query = {**(params or {}), "limit": self._size}
        for answer in self._service.pages(path, following, params=query, hint=hint):
            page = self._service.read(answer, shape).root
            found += [entry.row for entry in page]
            if len(found) > MOST_ROWS:
                self._service.unusable(f"Render lists more than {MOST_ROWS:,} rows at {path}")
        return tuple(found)

    def logs(self, params: Mapping[str, object], *, at_most: int, hint: str = "") -> Logs:
        """The latest lines that match, without duplicates, in the order of time.

        Raises:
            NoAnswer: see `Service.pages`.
        """
        found: dict[str, LogLine] = {}
        complete = True
        query = {**params, "direction": "backward", "limit": self._size}
        for answer in self._service.pages("/logs", _earlier, params=query, hint=hint):
            page = self._service.read(answer, _LogPage)
            found |= {line.id: line for line in page.logs}
            complete = not page.has_more
            if len(found) >= at_most:
                complete = complete and len(found) == at_most
                break
        latest = sorted(found.values(), key=lambda line: line.timestamp)[-at_most:]
        return Logs(tuple(latest), complete)


def _earlier(answer: Answer) -> Mapping[str, str] | None:
    page = answer.parse(_LogPage)
    return {"startTime": page.next_start_time, "endTime": page.next_end_time} if page.has_more else None
