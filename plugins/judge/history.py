"""What the ledger's runs say of an environment, for the objectives that one run alone cannot judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from plugins.judge.availability import availability, window_seconds
from plugins.judge.deployments import deployments, success, together
from plugins.judge.recent import recent
from plugins.model.commits import same_commit
from plugins.model.history import (
    Availability,
    Deployed,
    DeploymentRecord,
    History,
    PastRun,
    TrafficSlice,
)
from plugins.model.runbook import Runbook

AVAILABILITY = "availability"
"""The id of the objective that availability feeds."""


def history(
    runbook: Runbook, runs: Sequence[PastRun], slices: Iterable[TrafficSlice], *, commit: str, now: float
) -> History:
    """The history of an environment.

    Args:
        runbook: whose objectives count.
        runs: recorded ones of the environment, in any order, without the one that is judged.
        slices: traffic of any time, with that of the run that is judged.
        commit: of the run that is judged, or "".
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
    """Availability over the window of the runbook's objective; None where it has none."""
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
    """What this run saw of its deployment, and for the rest what earlier runs saw of it."""
    earlier = past.current if past else None
    return together([earlier.seen, now]) if earlier else now
