"""Questions to the ledger that more than one of its methods asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, select

from plugins.ledger import rows
from plugins.ledger.schema import DECISIONS, DEPLOYMENTS, OBJECTIVES, RUNBOOKS, RUNS
from plugins.model.history import Deployed, PastRun
from plugins.model.recorded import Decision, Ending, Outline, Recording
from plugins.model.words import Action

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
)


def past(connection: Connection, environment: str, *, drills: bool) -> tuple[PastRun, ...]:
    """What the history needs of runs that came to their end and are no baselines: drills, or all others."""
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
    return tuple(
        replace(
            rows.past_run(row, known.get(row.id, Deployed(commit="")), durations[row.id], deeds[row.id]),
            shares=shares[row.id],
        )
        for row in found
    )


def outlines(connection: Connection, environment: str) -> tuple[Outline, ...]:
    """Every run, oldest first."""
    query = select(*_OUTLINE).where(RUNS.c.environment == environment).order_by(RUNS.c.started_at, RUNS.c.id)
    known = values(connection, environment)
    return tuple(_outline(row, known[row.id]) for row in connection.execute(query))


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


def values(
    connection: Connection, environment: str, *, units: Collection[str] = ()
) -> defaultdict[str, dict[str, float]]:
    """The values of objectives, by the runs' ids; of those in these units, where any are named."""
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
        values=values,
    )
