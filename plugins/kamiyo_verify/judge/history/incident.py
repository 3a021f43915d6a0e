"""Severity, detection time and duration of an incident, from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kamiyo_verify.judge.history.events import epoch, seconds_between
from kamiyo_verify.model.figures import duration, percent
from kamiyo_verify.model.history.deployment_record import DeploymentFile, Happened, Incident, Reached
from kamiyo_verify.model.history.recorded_run import RecordedRun
from kamiyo_verify.model.runbook import Escalation, Runbook
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, SloVerdict, Status

_MINUTE = 60.0


def incident(runbook: Runbook, deployment_file: DeploymentFile, run: RecordedRun) -> Incident:
    """Return the incident of a deployment.

    Args:
        runbook: the runbook with the escalation path.
        deployment_file: the record of the deployment.
        run: the run of that record which found the incident.
    """
    record = deployment_file.record
    failed = deployment_file.first(Happened.FAILED)
    since = record.seen.began_at or run.started_at
    return Incident(
        deployment_file=deployment_file,
        run=run,
        impact=tuple(_impact(deployment_file, run)),
        since=since,
        since_deploy=bool(record.seen.began_at),
        detected_s=seconds_between(since, failed.at) if failed else None,
        called_s=seconds_between(since, run.finished_at),
        recovered_s=seconds_between(since, record.restored_at),
        levels=_levels(runbook.escalation, deployment_file, run, since),
    )


def _impact(deployment_file: DeploymentFile, run: RecordedRun) -> Iterator[str]:
    verdict, seen = run.verdict, deployment_file.record.seen
    losses = {
        item.user_impact: None for item in verdict.items if item.status is Status.FAILED and item.user_impact
    }
    yield from (f"users: {loss}" for loss in losses)
    back = [step.service for step in verdict.rollback.services]
    if back:
        yield f"to be taken back: {', '.join(back)}"
    yield from (f"{report.title}: {report.message}" for report in verdict.slos if _failing_share(report))
    if seen.first_hour and seen.first_hour.total:
        hour = seen.first_hour
        share = percent(hour.bad / hour.total)
        yield f"{hour.bad:,} of {hour.total:,} {hour.what} failed in the first hour ({share})"
    if seen.downtime_s:
        yield f"{duration(seen.downtime_s)} of downtime while it was deployed"


def _failing_share(report: SloReport) -> bool:
    """Return whether the objective is a share of requests that is breached, or may be."""
    is_share = not report.unit and report.better == "below"
    return is_share and bool(report.value) and report.verdict is not SloVerdict.MET


def _levels(
    escalation: Sequence[Escalation], deployment_file: DeploymentFile, run: RecordedRun, since: str
) -> tuple[Reached, ...]:
    """Return every escalation level, and whether it was reached by the end, or by the last known time."""
    end = deployment_file.record.restored_at
    known_until = end or deployment_file.events[-1].at
    minutes = (epoch(known_until) - epoch(since)) / _MINUTE
    timed = sorted((row for row in escalation if not row.critical), key=lambda row: row.from_minute or 0)
    critical = [row for row in escalation if row.critical]
    called = run.verdict.recommendation is Action.ROLL_BACK
    return (
        *(Reached(row, _reached(row, minutes, over=bool(end))) for row in timed),
        *(Reached(row, True if called else None) for row in critical),
    )


def _reached(row: Escalation, minutes: float, *, over: bool) -> bool | None:
    if (row.from_minute or 0) <= minutes:
        return True
    return False if over else None
