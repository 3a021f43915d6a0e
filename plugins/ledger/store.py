"""The ledger itself: adds runs, finds them again, and keeps what people did."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection, Select, Table, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from plugins.ledger import queries, rows
from plugins.ledger.database import Database
from plugins.ledger.schema import (
    DECISIONS,
    DEPLOYMENTS,
    ITEMS,
    MEASUREMENTS,
    OBJECTIVES,
    RUNBOOKS,
    RUNS,
    TRAFFIC,
)
from plugins.model.commits import same_commit
from plugins.model.history import PastRun, TrafficSlice
from plugins.model.recorded import Decision, Deed, Outline, RecordedRun, Recording
from plugins.model.words import Action, Phase


class Store:
    """An open ledger; safe for several processes at once, and for one thread at a time.

    Args:
        url: "sqlite:///PATH" or "postgresql://USER:PASSWORD@HOST/NAME".

    Raises:
        LedgerUnavailable: here and from every method: it cannot be reached, read or written.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    @property
    def name(self) -> str:
        """Where it is, without a password."""
        return self._database.name

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> Iterator[Self]:
        """An open ledger, closed at the end."""
        store = cls(url)
        try:
            yield store
        finally:
            store.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def add(self, recording: Recording) -> bool:
        """Record a run, whole; returns whether it was new. One that is there already stays as it is."""
        run = recording.run
        runbook = rows.runbook_row(recording.runbook)
        with self._database.writing() as connection:
            _add(connection, RUNBOOKS, runbook)
            if not _add(connection, RUNS, rows.run_row(recording, runbook["digest"])):
                return False
            _fill(connection, ITEMS, [*rows.item_rows(run)])
            _fill(connection, MEASUREMENTS, [*rows.measurement_rows(run)])
            _fill(connection, OBJECTIVES, [*rows.objective_rows(run)])
            _fill(connection, TRAFFIC, [*rows.traffic_rows(run.id, recording.traffic)])
            if recording.deployed is not None:
                _fill(connection, DEPLOYMENTS, [rows.deployment_row(run.id, recording.deployed)])
        return True

    def decide(self, decision: Decision) -> None:
        """Keep what people did; the run must be recorded."""
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

    def decisions(self, environment: str) -> tuple[Decision, ...]:
        """What people did about the runs of an environment, oldest first."""
        of = select(RUNS.c.id).where(RUNS.c.environment == environment)
        with self._database.reading() as connection:
            found = queries.decisions(connection, select(DECISIONS).where(DECISIONS.c.run_id.in_(of)))
        return tuple(sorted((one for row in found.values() for one in row), key=lambda one: one.at))

    def ids(self) -> frozenset[str]:
        """Of all recorded runs."""
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(RUNS.c.id)).scalars())

    def find(self, start: str) -> tuple[str, ...]:
        """The ids that begin with these characters, in order of time."""
        query = (
            select(RUNS.c.id).where(RUNS.c.id.startswith(start, autoescape=True)).order_by(RUNS.c.started_at)
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def recordings(self, environment: str = "") -> Iterator[Recording]:
        """Every recorded run, of an environment or of all, oldest first."""
        query = select(RUNS).order_by(RUNS.c.started_at, RUNS.c.id)
        yield from self._recordings(query.where(RUNS.c.environment == environment) if environment else query)

    def environments(self) -> tuple[str, ...]:
        """The names of all environments that a run was recorded of, in alphabetical order."""
        query = select(RUNS.c.environment).distinct().order_by(RUNS.c.environment)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def outlines(self, environment: str) -> tuple[Outline, ...]:
        """Every run of an environment in outline, oldest first: baselines, drills and those cut short too."""
        with self._database.reading() as connection:
            return queries.outlines(connection, environment)

    def runs(self, ids: Collection[str]) -> Iterator[RecordedRun]:
        """The runs of these ids, oldest first."""
        query = select(RUNS).where(RUNS.c.id.in_(ids)).order_by(RUNS.c.started_at, RUNS.c.id)
        for recording in self._recordings(query):
            yield recording.run

    def last_good(self, environment: str, *, before: str, besides: str = "") -> RecordedRun | None:
        """The last run after a deployment that said "proceed", and that people did not take back.

        Args:
            environment: its name.
            before: it had ended by then; UTC, ISO 8601.
            besides: it was of another commit than this one; "" for any.
        """
        query = queries.ended(environment, before).where(
            RUNS.c.recommendation == Action.PROCEED,
            RUNS.c.baseline.is_(other=False),
            RUNS.c.drill.is_(other=False),
        )
        bad = {Deed.ROLLED_BACK, Deed.FIXED}
        for recording in self._recordings(query):
            run = recording.run
            regretted = bool(run.decisions) and run.decisions[-1].deed in bad
            same = bool(besides) and same_commit(run.commit, besides)
            if Phase.POSTDEPLOY in run.phases and not regretted and not same:
                return run
        return None

    def last_baseline(self, environment: str, *, before: str) -> RecordedRun | None:
        """The last run that recorded the state before a deployment, whatever it said."""
        found = next(
            self._recordings(queries.ended(environment, before).where(RUNS.c.baseline.is_(other=True))), None
        )
        return found.run if found else None

    def past(self, environment: str, *, drills: bool = False) -> tuple[PastRun, ...]:
        """What the history needs of an environment's runs, oldest first: no baselines, and drills apart."""
        with self._database.reading() as connection:
            return queries.past(connection, environment, drills=drills)

    def traffic(self, environment: str, *, since: float) -> tuple[TrafficSlice, ...]:
        """What is known of an environment's requests, drills apart; `since` is in seconds since the epoch."""
        query = (
            select(TRAFFIC)
            .join(RUNS, RUNS.c.id == TRAFFIC.c.run_id)
            .where(RUNS.c.environment == environment, RUNS.c.drill.is_(other=False))
            .where(TRAFFIC.c.began_at >= since)
            .order_by(TRAFFIC.c.began_at, TRAFFIC.c.run_id, TRAFFIC.c.number)
        )
        with self._database.reading() as connection:
            return tuple(rows.slice_from(row) for row in connection.execute(query))

    def _recordings(self, query: Select[Any]) -> Iterator[Recording]:
        """One at a time, each read in a transaction of its own, so that nobody waits for who reads slowly."""
        with self._database.reading() as connection:
            ids: Sequence[str] = connection.execute(query.with_only_columns(RUNS.c.id)).scalars().all()
        for run_id in ids:
            with self._database.reading() as connection:
                found = queries.one(connection, run_id)
            yield found


def _add(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Add a row unless its key is there; both databases decide that at once, whoever else is writing."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(table).on_conflict_do_nothing().returning(literal(1))
    return connection.execute(added, row).first() is not None


def _fill(connection: Connection, table: Table, found: list[dict[str, Any]]) -> None:
    if found:
        connection.execute(insert(table), found)
