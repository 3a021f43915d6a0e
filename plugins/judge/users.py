"""Real users' requests since the release went live, as a check measured them at the hosting platform."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.judge.evidence import Evidence
from plugins.model.result import Result
from plugins.model.runbook import Slo
from plugins.model.words import Attribution

ITEM = "postdeploy.real-traffic"
"""Measures `api_requests`, `api_failed`, `api_p95_by_minute` in ms and `api_since`; likewise `frontend_…`."""


@dataclass(frozen=True, slots=True)
class Users:
    """What the users of one service got.

    Attributes:
        p95_ms: the 95th percentile of each minute.
        since: when the release went live, such as "14:02 UTC".
    """

    requests: int
    failed: int
    p95_ms: tuple[float, ...]
    since: str

    def __str__(self) -> str:
        return f"real users: {self.requests:,} requests since {self.since}"


def users_of(slo: Slo, evidence: Evidence) -> Users | None:
    """The users of the one service that an objective is about; None where nobody saw any."""
    item, result = evidence.runbook.item(slo.item), evidence.result(ITEM)
    if item is None or len(item.services) != 1 or result is None or result.attribution is Attribution.PROBER:
        return None
    (service,) = item.services
    requests, failed = (_count(result, f"{service}_{name}") for name in ("requests", "failed"))
    if not requests or failed is None or failed > requests:
        return None
    series = result.measurement(f"{service}_p95_by_minute")
    since = result.measurement(f"{service}_since")
    return Users(
        requests,
        failed,
        series.value if series and isinstance(series.value, tuple) else (),
        str(since.value) if since else "the release",
    )


def _count(result: Result, name: str) -> int | None:
    taken = result.measurement(name)
    value = taken.value if taken else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
