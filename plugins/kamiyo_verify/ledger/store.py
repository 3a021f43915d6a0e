"""The ledger: adds runs and people's decisions, finds them, and removes old runs."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection, Table, insert, literal

from kamiyo_verify.ledger import combined, rows
from kamiyo_verify.ledger.database import TRANSACTION_S, Database
from kamiyo_verify.ledger.insertion import insert_if_new
from kamiyo_verify.ledger.reader import Reader
from kamiyo_verify.ledger.retention import remove
from kamiyo_verify.ledger.schema import (
    DECISIONS,
    DEPLOYMENTS,
    ITEMS,
    MEASUREMENTS,
    OBJECTIVES,
    RUNBOOKS,
    RUNS,
    TRAFFIC,
)
from kamiyo_verify.model.history.recorded_run import Decision, Recording
from kamiyo_verify.model.verdict import Verdict


class Store(Reader):
    """An open ledger; safe for several processes, and for one thread at a time.

    Args:
        url: "sqlite:///PATH" or "postgresql://USER:PASSWORD@HOST/NAME".
        transaction_s: seconds after which a PostgreSQL that does not answer is given up.

    Raises:
        LedgerUnavailable: here and in every method: the ledger cannot be reached, read or written.
    """

    def __init__(self, url: str, *, transaction_s: float = TRANSACTION_S) -> None:
        super().__init__(Database(url, transaction_s=transaction_s))

    @classmethod
    @contextmanager
    def opened(cls, url: str, *, transaction_s: float = TRANSACTION_S) -> Iterator[Self]:
        """Open a ledger; close it after the block."""
        store = cls(url, transaction_s=transaction_s)
        try:
            yield store
        finally:
            store.close()

    def add(self, recording: Recording) -> bool:
        """Record a whole run; return whether it was new. A run that is already recorded is not changed."""
        run = recording.run
        runbook = rows.runbook_row(recording.runbook)
        with self._database.writing() as connection:
            # By itself: others with the same runbook wait for the end of this transaction.
            _add(connection, RUNBOOKS, runbook)
        with self._database.writing() as connection:
            _add(connection, RUNBOOKS, runbook)  # it may have been removed meanwhile
            if not _add(connection, RUNS, rows.run_row(recording, runbook["digest"])):
                return False
            _fill(connection, ITEMS, [*rows.item_rows(run)])
            _fill(connection, MEASUREMENTS, [*rows.measurement_rows(run)])
            _fill(connection, OBJECTIVES, [*rows.objective_rows(run)])
            _fill(connection, TRAFFIC, [*rows.traffic_rows(run.id, recording.traffic)])
            if recording.deployed is not None:
                _fill(connection, DEPLOYMENTS, [rows.deployment_row(run.id, recording.deployed)])
        return True

    def combine(self, verdict: Verdict) -> bool:
        """Record the call of several places; return whether none was recorded of these runs before."""
        with self._database.writing() as connection:
            return combined.add(connection, verdict)

    def decide(self, decision: Decision) -> None:
        """Store a decision; its run must be recorded."""
        row = {
            "id": uuid.uuid4().hex,
            "run_id": decision.run,
            "decided_at": decision.at,
            "deed": decision.deed,
            "who": decision.who,
            "note": decision.note,
        }
        with self._database.writing() as connection:
            _fill(connection, DECISIONS, [row])

    def remove(self, ids: Collection[str], *, at: str) -> None:
        """Remove runs, all of them or none; `at` is now, UTC, ISO 8601.

        Raises:
            LedgerUnavailable: nothing was removed; also if somebody has decided about one meanwhile.
        """
        with self._database.writing() as connection:
            remove(connection, ids, at=at)


def _add(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its key exists, and return whether it did."""
    return connection.execute(insert_if_new(table, literal(1), connection), row).first() is not None


def _fill(connection: Connection, table: Table, found: list[dict[str, Any]]) -> None:
    if found:
        connection.execute(insert(table), found)
