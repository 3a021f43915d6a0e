"""Read the on-call schedule from PagerDuty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from kamiyo_verify.http.client import Answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import MOST_ROWS, Service
from kamiyo_verify.integrations.pagerduty.settings import PagerDuty as Table
from kamiyo_verify.model.outside.oncall import OnCall, Rota

_ROWS_A_PAGE = 100
"""PagerDuty's own maximum."""


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    oncalls: tuple[OnCall, ...]
    more: bool


class PagerDuty:
    """The people on call. Every method raises `NoAnswer` if PagerDuty has no usable answer.

    Args:
        table: the environment's [pagerduty].
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._service = Service(
            "PagerDuty",
            table.address,
            table.token.name,
            context,
            headers={
                "Accept": "application/vnd.pagerduty+json;version=2",
                "Authorization": f"Token token={table.token.reveal()}",
            },
        )

    def on_calls(self, schedules: Iterable[str], since: datetime, until: datetime) -> Rota:
        """The people on call in those schedules, with their contact methods.

        Args:
            schedules: ids, such as "PI7DH85".
            since: start, with a time zone.
            until: end, with a time zone; PagerDuty accepts at most three months.
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
