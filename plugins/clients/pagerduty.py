"""PagerDuty: who is on call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Unpack

from pydantic import BaseModel, ConfigDict

from plugins.clients.http import Answer
from plugins.clients.manner import Manner
from plugins.clients.service import MOST_ROWS, Service
from plugins.model.oncall import OnCall, Rota
from plugins.model.outside import PagerDuty as Table

_ROWS_A_PAGE = 100
"""PagerDuty's own maximum."""


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    oncalls: tuple[OnCall, ...]
    more: bool


class PagerDuty:
    """Who is on call. Every method raises `NoAnswer` where PagerDuty does not tell.

    Args:
        table: the environment's [pagerduty].
        manner: how to ask, see `Manner`.
    """

    def __init__(self, table: Table, **manner: Unpack[Manner]) -> None:
        self._service = Service(
            "PagerDuty",
            table.address,
            table.token.name,
            headers={
                "Accept": "application/vnd.pagerduty+json;version=2",
                "Authorization": f"Token token={table.token.reveal()}",
            },
            **manner,
        )

    def on_calls(self, schedules: Iterable[str], since: datetime, until: datetime) -> Rota:
        """Who is on call by those schedules, with their contact methods.

        Args:
            schedules: ids, such as "PI7DH85".
            since: with a zone.
            until: with a zone; PagerDuty takes at most three months.
        """
        ids = tuple(schedules)
        duties: list[OnCall] = []

        def onward(answer: Answer) -> Mapping[str, str] | None:
            return {"offset": str(len(duties))} if self._service.read(answer, _Page).more else None

        params = {
            "schedule_ids[]": list(ids),
            "include[]": ["users"],
            "since": _text(since),
            "until": _text(until),
            "limit": _ROWS_A_PAGE,
            "offset": 0,
        }
        hint = "no such schedule: look at [pagerduty] schedules"
        for answer in self._service.pages("/oncalls", onward, params=params, hint=hint):
            duties += self._service.read(answer, _Page).oncalls
            if len(duties) > MOST_ROWS:
                self._service.unusable(f"PagerDuty lists more than {MOST_ROWS:,} duties")
        return Rota(since, until, ids, tuple(duties))

    def close(self) -> None:
        """Close the connections."""
        self._service.close()


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
