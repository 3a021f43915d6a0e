"""Read what one run observed of a deployment and of the platform's traffic from its measurements.

This is the only module that names the items and measurements that feed the history; docs/ledger.md lists
them for authors of checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM, RELEASE
from kamiyo_verify.model.history.history import Deployed, Source, Tally, TrafficSlice
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Status

DURATION_ITEM = "deploy.duration"
DOWNTIME_ITEM = "deploy.downtime"
LIVE_ITEM = "deploy.services-live"
ANNOUNCED_ITEM = "deploy.team-told"
FIRST_HOUR_ITEM = "followup.error-rate-first-hour"

_SERIES = ("traffic_began", "traffic_seconds", "traffic_requests", "traffic_failed")
"""Four series of equal length: users' requests by time span."""


def deployed(asked: str, results: Iterable[Result]) -> Deployed:
    """Return what the run observed of the deployment.

    Args:
        asked: the requested commit, or "".
        results: the results of the run.
    """
    of = {result.item: result for result in results}
    live = of.get(LIVE_ITEM)
    failed = live.status is Status.FAILED if live and live.status in {Status.PASSED, Status.FAILED} else None
    return Deployed(
        commit=asked or commit_answering(of.values()),
        began_at=_text(of.get(DURATION_ITEM), "began_at"),
        committed_at=_text(of.get(DURATION_ITEM), "committed_at"),
        duration_s=max(_numbers(of.get(DURATION_ITEM), "duration"), default=None),
        downtime_s=max(_numbers(of.get(DOWNTIME_ITEM), "downtime"), default=None),
        deployer=_text(of.get(ANNOUNCED_ITEM), "who"),
        branch=_text(of.get(DURATION_ITEM), "branch"),
        failed=failed,
        first_hour=_first_hour(of.get(FIRST_HOUR_ITEM)),
    )


def commit_answering(results: Iterable[Result]) -> str:
    """Return the release that the host reported; else the services' common commit, "" if they differ."""
    results = tuple(results)
    if release := _text(next((one for one in results if one.item == COMMIT_ITEM), None), RELEASE):
        return release
    named = {
        str(taken.value)
        for result in results
        if result.item == COMMIT_ITEM
        for taken in result.measurements
        if taken.name.partition("[")[0].endswith("commit") and taken.value
    }
    return named.pop() if len(named) == 1 else ""


def traffic(runbook: Runbook, results: Sequence[Result]) -> tuple[TrafficSlice, ...]:
    """Return users' requests, if a check measured them, and the samples that feed a ratio objective."""
    return (*_users(results), *_samples(runbook, results))


def _users(results: Iterable[Result]) -> Iterator[TrafficSlice]:
    for result in results:
        for taken in result.measurements:
            name, _, variant = taken.name.partition("[")
            if name != _SERIES[0]:
                continue
            suffix = f"[{variant}" if variant else ""
            columns = [_series(result, one + suffix) for one in _SERIES]
            if len({len(column) for column in columns}) == 1:
                for began, seconds, total, bad in zip(*columns, strict=True):
                    service = variant.removesuffix("]")
                    yield TrafficSlice(Source.USERS, service, began, seconds, int(total), int(bad))


def _samples(runbook: Runbook, results: Iterable[Result]) -> Iterator[TrafficSlice]:
    of = {result.item: result for result in results}
    for slo in runbook.slos:
        result = of.get(slo.item)
        if slo.kind != "ratio" or result is None or not result.started_at:
            continue
        bad, total = _numbers(result, slo.measurement), _numbers(result, slo.total)
        if bad and total and 0 <= bad[0] <= total[0]:
            began = datetime.fromisoformat(result.started_at).timestamp()
            yield TrafficSlice(Source.SAMPLES, "", began, result.duration_s, int(total[0]), int(bad[0]))


def _first_hour(result: Result | None) -> Tally | None:
    total, bad = _numbers(result, "requests"), _numbers(result, "failed")
    return Tally(int(sum(bad)), int(sum(total)), "requests of users") if total and bad else None


def _series(result: Result, name: str) -> tuple[float, ...]:
    taken = result.measurement(name)
    return taken.value if taken and isinstance(taken.value, tuple) else ()


def _numbers(result: Result | None, name: str) -> list[float]:
    """Return the numbers of the measurement with that name, and of its variants."""
    return [
        float(taken.value)
        for taken in (result.measurements if result else ())
        if taken.name.partition("[")[0] == name
        and isinstance(taken.value, int | float)
        and not isinstance(taken.value, bool)
    ]


def _text(result: Result | None, name: str) -> str:
    taken = result.measurement(name) if result else None
    return taken.value if taken and isinstance(taken.value, str) else ""
