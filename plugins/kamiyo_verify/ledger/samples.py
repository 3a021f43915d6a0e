"""Read what the runs of a time sampled, in one query and without their whole evidence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, and_, or_, select, true

from kamiyo_verify.ledger.rows import Found
from kamiyo_verify.ledger.schema import ITEMS, MEASUREMENTS, RUNS
from kamiyo_verify.model.history.earlier import ANY_ITEM, SampledRun
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.words import Attribution


def sampled(
    connection: Connection,
    environment: str,
    names: Mapping[str, Collection[str]],
    *,
    place: str,
    since: str,
    most: int,
) -> tuple[SampledRun, ...]:
    """Return the measurements of the newest runs since a time, without baselines and drills; see `Reader`."""
    newest = (
        select(RUNS.c.id, RUNS.c.commit_sha, RUNS.c.started_at, RUNS.c.finished_at)
        .where(RUNS.c.environment == environment, RUNS.c.started_at >= since, RUNS.c.place == place)
        .where(RUNS.c.baseline.is_(other=False), RUNS.c.drill.is_(other=False))
        .order_by(RUNS.c.started_at.desc(), RUNS.c.id.desc())
        .limit(most)
        .subquery()
    )
    wanted = [
        and_(
            true() if item == ANY_ITEM else MEASUREMENTS.c.item == item,
            MEASUREMENTS.c.name.in_(some) if some else true(),
        )
        for item, some in names.items()
    ]
    columns = (MEASUREMENTS.c.item, MEASUREMENTS.c.name, MEASUREMENTS.c.value, MEASUREMENTS.c.unit)
    query = (
        select(newest, *columns, ITEMS.c.attribution)
        .join(MEASUREMENTS, MEASUREMENTS.c.run_id == newest.c.id)
        .outerjoin(ITEMS, and_(ITEMS.c.run_id == newest.c.id, ITEMS.c.item == MEASUREMENTS.c.item))
        .where(or_(*wanted))
        .order_by(newest.c.started_at, newest.c.id)
    )
    found: dict[str, list[Found]] = {}
    for row in connection.execute(query):
        found.setdefault(row.id, []).append(row)
    return tuple(_sampled_run(of_run) for of_run in found.values())


def _sampled_run(measured: Sequence[Found]) -> SampledRun:
    """Build the counts of one run from its rows of `measurements`, each with its run and attribution."""
    of: dict[str, list[Measurement]] = {}
    for row in measured:
        value = json.loads(row.value)
        taken = Measurement(row.name, tuple(value) if isinstance(value, list) else value, row.unit)
        of.setdefault(row.item, []).append(taken)
    run = measured[0]
    return SampledRun(
        id=run.id,
        commit=run.commit_sha,
        started_at=run.started_at,
        finished_at=run.finished_at,
        measurements={item: tuple(taken) for item, taken in of.items()},
        disturbed=frozenset(row.item for row in measured if row.attribution == Attribution.PROBER),
    )
