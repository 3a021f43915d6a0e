"""Real users' requests since the release went live, measured by a check at the hosting platform."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.statistics.spells import effect_of_blocks
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Attribution

ITEM = "postdeploy.real-traffic"
"""Measures `api_requests`, `api_failed`, `api_p95_by_minute` in ms and `api_since`; likewise `frontend_…`.
If known, also `api_requests_by_minute` and `api_failed_by_minute`."""


@dataclass(frozen=True, slots=True)
class Users:
    """The requests of one service's users.

    Attributes:
        p95_ms: the 95th percentile of each minute, in ms.
        since: when the release went live, such as "14:02 UTC".
        effect: design effect of failures that cluster in minutes.
    """

    requests: int
    failed: int
    p95_ms: tuple[float, ...]
    since: str
    effect: float = 1.0

    def __str__(self) -> str:
        return f"real users: {self.requests:,} requests since {self.since}"


def users_of(slo: Slo, evidence: Evidence) -> Users | None:
    """Return the users of the one service that an objective measures; None if there are no data."""
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
        _clustering(result, service),
    )


def _clustering(result: Result, service: str) -> float:
    """Return the design effect; 1 if the counts by minute are unknown."""
    names = (f"{service}_failed_by_minute", f"{service}_requests_by_minute")
    failed, requests = (result.measurement(name) for name in names)
    if failed is None or requests is None:
        return 1.0
    if not (isinstance(failed.value, tuple) and isinstance(requests.value, tuple)):
        return 1.0
    return effect_of_blocks(failed.value, requests.value)


def _count(result: Result, name: str) -> int | None:
    taken = result.measurement(name)
    value = taken.value if taken else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
