"""Remove runs from the ledger, with everything that belongs to them alone."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from kamiyo_verify.ledger import combined
from kamiyo_verify.ledger.schema import (
    DEPLOYMENTS,
    ITEMS,
    MEASUREMENTS,
    OBJECTIVES,
    REMOVED,
    RUNBOOKS,
    RUNS,
    TRAFFIC,
)

_AT_ONCE = 500
"""Ids in one statement: SQLite takes 32,766 parameters, older ones 999."""


def remove(connection: Connection, ids: Collection[str], *, at: str) -> None:
    """Remove runs and the runbooks that no run uses any more; remember the ids.

    A run that people have decided about cannot be removed: the database checks that its decision has a run.

    Args:
        connection: in a transaction that may write.
        ids: the ids of recorded runs.
        at: now; UTC, ISO 8601.
    """
    listed = sorted(ids)
    for first in range(0, len(listed), _AT_ONCE):
        some = listed[first : first + _AT_ONCE]
        for table in (ITEMS, MEASUREMENTS, OBJECTIVES, DEPLOYMENTS, TRAFFIC):
            connection.execute(delete(table).where(table.c.run_id.in_(some)))
        gone = (
            connection.execute(delete(RUNS).where(RUNS.c.id.in_(some)).returning(RUNS.c.id)).scalars().all()
        )
        combined.remove(connection, some)
        if gone:
            connection.execute(insert(REMOVED), [{"run_id": one, "removed_at": at} for one in gone])
    connection.execute(delete(RUNBOOKS).where(RUNBOOKS.c.digest.not_in(select(RUNS.c.runbook))))
