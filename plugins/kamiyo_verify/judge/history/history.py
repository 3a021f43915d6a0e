"""Summarise the ledger's runs of an environment for the objectives that one run cannot judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from kamiyo_verify.judge.history.availability import availability, window_seconds
from kamiyo_verify.judge.history.deployments import deployments, success, together
from kamiyo_verify.judge.history.recent import recent
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.history.history import (
    Availability,
    Deployed,
    DeploymentRecord,
    History,
    PastRun,
    TrafficSlice,
)
from kamiyo_verify.model.runbook import Runbook

AVAILABILITY = "availability"
"""The id of the objective that availability feeds."""


def history(
    runbook: Runbook, runs: Sequence[PastRun], slices: Iterable[TrafficSlice], *, commit: str, now: float
) -> History:
    """Return the history of an environment.

    Args:
        runbook: the runbook with the objectives.
        runs: recorded runs of the environment, in any order, without the run that is judged.
        slices: traffic of any time, including that of the run that is judged.
        commit: commit of the run that is judged, or "".
        now: seconds since the epoch.
    """
    records = deployments(runs)
    ours = next((one for one in records if commit and same_commit(one.commit, commit)), None)
    others = [one for one in records if one is not ours and (ours is None or one.seen_at < ours.seen_at)]
    return History(
        availability=over_a_month(runbook, records, slices, now=now),
        deployments=success(records),
        current=ours,
        previous=others[-1] if others else None,
        recent=recent(others, runs),
    )


def over_a_month(
    runbook: Runbook, records: Sequence[DeploymentRecord], slices: Iterable[TrafficSlice], *, now: float
) -> Availability | None:
    """Return the availability over the window of the runbook's objective; None if it has none."""
    slo = next((one for one in runbook.slos if one.kind == "history" and one.id == AVAILABILITY), None)
    if slo is None:
        return None
    window_s = window_seconds(slo.window)
    downtime_s = sum(
        record.seen.downtime_s or 0.0
        for record in records
        if now - window_s <= datetime.fromisoformat(record.began_at).timestamp() <= now
    )
    return availability(slices, objective=slo.objective, window_s=window_s, now=now, downtime_s=downtime_s)


def known_of(now: Deployed, past: History | None) -> Deployed:
    """Complete what this run saw of its deployment with what earlier runs saw of it."""
    earlier = past.current if past else None
    return together([earlier.seen, now]) if earlier else now
