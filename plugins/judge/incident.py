"""How bad an incident was, how soon it was seen, and how long it lasted, by what the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plugins.judge.moments import epoch, seconds_between
from plugins.model.dossier import Dossier, Happened, Incident, Reached
from plugins.model.figures import duration, percent
from plugins.model.recorded import RecordedRun
from plugins.model.runbook import Escalation, Runbook
from plugins.model.verdict import SloReport
from plugins.model.words import Action, SloVerdict, Status

_MINUTE = 60.0


def incident(runbook: Runbook, dossier: Dossier, run: RecordedRun) -> Incident:
    """What went wrong with a deployment.

    Args:
        runbook: whose escalation path counts.
        dossier: of the deployment.
        run: the one that found it; one of the dossier's.
    """
    record = dossier.record
    failed = dossier.first(Happened.FAILED)
    since = record.seen.began_at or run.started_at
    return Incident(
        dossier=dossier,
        run=run,
        impact=tuple(_impact(dossier, run)),
        since=since,
        since_deploy=bool(record.seen.began_at),
        detected_s=seconds_between(since, failed.at) if failed else None,
        called_s=seconds_between(since, run.finished_at),
        recovered_s=seconds_between(since, record.restored_at),
        levels=_levels(runbook.escalation, dossier, run, since),
    )


def _impact(dossier: Dossier, run: RecordedRun) -> Iterator[str]:
    verdict, seen = run.verdict, dossier.record.seen
    losses = {item.loses: None for item in verdict.items if item.status is Status.FAILED and item.loses}
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
    """The objective is a share of requests, and more of them failed than it allows, or may have."""
    is_share = not report.unit and report.better == "below"
    return is_share and bool(report.value) and report.verdict is not SloVerdict.MET


def _levels(
    escalation: Sequence[Escalation], dossier: Dossier, run: RecordedRun, since: str
) -> tuple[Reached, ...]:
    """By the clock: up to the end, or as far as it went by the last moment that is known."""
    end = dossier.record.restored_at
    known_until = end or dossier.events[-1].at
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
