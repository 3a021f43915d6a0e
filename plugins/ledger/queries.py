"""Questions to the ledger that more than one of its methods asks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Select, select

from plugins.ledger import rows
from plugins.ledger.schema import DECISIONS, DEPLOYMENTS, OBJECTIVES, RUNBOOKS, RUNS
from plugins.model.history import Deployed, PastRun
from plugins.model.recorded import Decision, Ending, Recording

_QUANTILE_UNITS = ("ms", "s")

_LIGHT = (RUNS.c.id, RUNS.c.phases, RUNS.c.started_at, RUNS.c.recommendation, RUNS.c.blamed)


def past(connection: Connection, environment: str) -> tuple[PastRun, ...]:
    """What the history needs of every run that came to its end, and is no baseline and no drill."""
    query = (
        select(*_LIGHT)
        .where(RUNS.c.environment == environment, RUNS.c.ending == Ending.FINISHED)
        .where(RUNS.c.baseline.is_(other=False), RUNS.c.drill.is_(other=False))
        .order_by(RUNS.c.started_at, RUNS.c.id)
    )
    found = connection.execute(query).all()
    known = seen(connection, select(DEPLOYMENTS))
    deeds = decisions(connection, select(DECISIONS))
    values = quantiles(connection, environment)
    return tuple(
        rows.past_run(row, known.get(row.id, Deployed(commit="")), values[row.id], deeds[row.id])
        for row in found
    )


def one(connection: Connection, run_id: str) -> Recording:
    """A run that is recorded."""
    row = connection.execute(
        select(RUNS, RUNBOOKS.c.body)
        .join(RUNBOOKS, RUNBOOKS.c.digest == RUNS.c.runbook)
        .where(RUNS.c.id == run_id)
    ).one()
    known = seen(connection, select(DEPLOYMENTS).where(DEPLOYMENTS.c.run_id == run_id))
    deeds = decisions(connection, select(DECISIONS).where(DECISIONS.c.run_id == run_id))
    return rows.recording_from(row, row.body, known.get(run_id, Deployed(commit="")), deeds[run_id])


def ended(environment: str, before: str) -> Select[Any]:
    """The runs that had come to their end by a moment, the newest first."""
    return (
        select(RUNS)
        .where(RUNS.c.environment == environment, RUNS.c.finished_at <= before)
        .where(RUNS.c.ending == Ending.FINISHED)
        .order_by(RUNS.c.finished_at.desc(), RUNS.c.id.desc())
    )


def seen(connection: Connection, query: Select[Any]) -> dict[str, Deployed]:
    """What runs saw of deployments, by the runs' ids."""
    return {row.run_id: rows.deployed_from(row) for row in connection.execute(query)}


def decisions(connection: Connection, query: Select[Any]) -> defaultdict[str, list[Decision]]:
    """What people did, oldest first, by the runs' ids."""
    found: defaultdict[str, list[Decision]] = defaultdict(list)
    for row in connection.execute(query.order_by(DECISIONS.c.decided_at, DECISIONS.c.id)):
        found[row.run_id].append(rows.decision_from(row))
    return found


def quantiles(connection: Connection, environment: str) -> defaultdict[str, dict[str, float]]:
    """The values of the objectives that are durations, by the runs' ids."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    query = (
        select(OBJECTIVES.c.run_id, OBJECTIVES.c.slo, OBJECTIVES.c.value)
        .join(RUNS, RUNS.c.id == OBJECTIVES.c.run_id)
        .where(RUNS.c.environment == environment, OBJECTIVES.c.value.is_not(None))
        .where(OBJECTIVES.c.unit.in_(_QUANTILE_UNITS))
    )
    for run_id, slo, value in connection.execute(query):
        found[run_id][slo] = value
    return found
