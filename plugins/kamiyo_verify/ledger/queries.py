"""Queries that more than one method of the ledger uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, select

from kamiyo_verify.ledger import combined, rows
from kamiyo_verify.ledger.schema import DECISIONS, DEPLOYMENTS, OBJECTIVES, RUNBOOKS, RUNS
from kamiyo_verify.model.history.history import Deployed, PastRun
from kamiyo_verify.model.history.recorded_run import Decision, Ending, Outline, Recording
from kamiyo_verify.model.words import Action

_QUANTILE_UNITS = ("ms", "s")
_SHARE_UNITS = ("",)

_LIGHT = (RUNS.c.id, RUNS.c.phases, RUNS.c.started_at, RUNS.c.recommendation, RUNS.c.blamed)


_OUTLINE = (
    *_LIGHT,
    RUNS.c.environment,
    RUNS.c.commit_sha,
    RUNS.c.baseline,
    RUNS.c.drill,
    RUNS.c.ending,
    RUNS.c.folder,
    RUNS.c.headline,
    RUNS.c.finished_at,
    RUNS.c.place,
)


def past(connection: Connection, environment: str, *, drills: bool) -> tuple[PastRun, ...]:
    """Return the history data of finished runs, without baselines: only drills, or only other runs."""
    query = (
        select(*_LIGHT)
        .where(RUNS.c.environment == environment, RUNS.c.ending == Ending.FINISHED)
        .where(RUNS.c.baseline.is_(other=False), RUNS.c.drill.is_(other=drills))
        .order_by(RUNS.c.started_at, RUNS.c.id)
    )
    found = connection.execute(query).all()
    known = seen(connection, select(DEPLOYMENTS))
    deeds = decisions(connection, select(DECISIONS))
    durations = values(connection, environment, units=_QUANTILE_UNITS)
    shares = values(connection, environment, units=_SHARE_UNITS)
    runs = tuple(
        replace(
            rows.past_run(row, known.get(row.id, Deployed(commit="")), durations[row.id], deeds[row.id]),
            shares=shares[row.id],
        )
        for row in found
    )
    return runs if drills else combined.counted(runs, combined.found(connection, environment))


def outlines(connection: Connection, environment: str) -> tuple[Outline, ...]:
    """Return every run in outline, oldest first."""
    query = select(*_OUTLINE).where(RUNS.c.environment == environment).order_by(RUNS.c.started_at, RUNS.c.id)
    known = values(connection, environment)
    runs = [_outline(row, known[row.id]) for row in connection.execute(query)]
    runs += map(combined.outline, combined.found(connection, environment))
    return tuple(sorted(runs, key=lambda run: (run.started_at, run.id)))


def one(connection: Connection, run_id: str) -> Recording:
    """Return a recorded run."""
    row = connection.execute(
        select(RUNS, RUNBOOKS.c.body)
        .join(RUNBOOKS, RUNBOOKS.c.digest == RUNS.c.runbook)
        .where(RUNS.c.id == run_id)
    ).one()
    known = seen(connection, select(DEPLOYMENTS).where(DEPLOYMENTS.c.run_id == run_id))
    deeds = decisions(connection, select(DECISIONS).where(DECISIONS.c.run_id == run_id))
    return rows.recording_from(row, row.body, known.get(run_id, Deployed(commit="")), deeds[run_id])


def ended(environment: str, before: str) -> Select[Any]:
    """Select the runs that had finished by this time (UTC, ISO 8601), newest first."""
    return (
        select(RUNS)
        .where(RUNS.c.environment == environment, RUNS.c.finished_at <= before)
        .where(RUNS.c.ending == Ending.FINISHED)
        .order_by(RUNS.c.finished_at.desc(), RUNS.c.id.desc())
    )


def seen(connection: Connection, query: Select[Any]) -> dict[str, Deployed]:
    """Return the deployment data of runs, by run id."""
    return {row.run_id: rows.deployed_from(row) for row in connection.execute(query)}


def decisions(connection: Connection, query: Select[Any]) -> defaultdict[str, list[Decision]]:
    """Return people's decisions, oldest first, by run id."""
    found: defaultdict[str, list[Decision]] = defaultdict(list)
    for row in connection.execute(query.order_by(DECISIONS.c.decided_at, DECISIONS.c.id)):
        found[row.run_id].append(rows.decision_from(row))
    return found


def values(
    connection: Connection, environment: str, *, units: Collection[str] = ()
) -> defaultdict[str, dict[str, float]]:
    """Return the values of objectives, by run id; only those in `units` if any are given."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    query = (
        select(OBJECTIVES.c.run_id, OBJECTIVES.c.slo, OBJECTIVES.c.value)
        .join(RUNS, RUNS.c.id == OBJECTIVES.c.run_id)
        .where(RUNS.c.environment == environment, OBJECTIVES.c.value.is_not(None))
    )
    for run_id, slo, value in connection.execute(
        query.where(OBJECTIVES.c.unit.in_(units)) if units else query
    ):
        found[run_id][slo] = value
    return found


def _outline(row: rows.Found, values: Mapping[str, float]) -> Outline:
    return Outline(
        id=row.id,
        environment=row.environment,
        phases=rows.phases(row),
        commit=row.commit_sha,
        baseline=row.baseline,
        drill=row.drill,
        started_at=row.started_at,
        ending=Ending(row.ending),
        folder=row.folder,
        recommendation=Action(row.recommendation),
        headline=row.headline,
        finished_at=row.finished_at,
        place=row.place,
        values=values,
    )
