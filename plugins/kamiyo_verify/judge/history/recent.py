"""The last deployments of an environment, each in a few numbers, for a trend chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kamiyo_verify.model.history.history import DeploymentRecord, Ended, PastDeployment, PastRun

MOST = 11
"""Maximum number of earlier deployments: as many as fit side by side on a phone screen."""


def recent(
    records: Sequence[DeploymentRecord], runs: Iterable[PastRun], *, most: int = MOST
) -> tuple[PastDeployment, ...]:
    """Return the last of these deployments, oldest first.

    Args:
        records: the deployments, oldest first.
        runs: runs that include those of all these deployments.
        most: maximum number of deployments.
    """
    by_id = {run.id: run for run in runs}
    return tuple(_past(record, [by_id[run] for run in record.runs]) for record in records[-most:])


def ended(record: DeploymentRecord) -> Ended:
    """Return how a deployment ended."""
    if record.rolled_back:
        return Ended.ROLLED_BACK
    if record.succeeded is None:
        return Ended.UNKNOWN
    return Ended.GOOD if record.succeeded else Ended.FAILED


def _past(record: DeploymentRecord, runs: Iterable[PastRun]) -> PastDeployment:
    values: dict[str, float] = {}
    for run in runs:
        values |= {**run.quantiles, **run.shares}
    return PastDeployment(
        commit=record.commit,
        began_at=record.began_at,
        ended=ended(record),
        duration_s=record.seen.duration_s,
        downtime_s=record.seen.downtime_s,
        values=values,
    )
