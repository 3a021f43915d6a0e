"""Find runs in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from kamiyo_verify.ledger import queries, rows
from kamiyo_verify.ledger.database import Database
from kamiyo_verify.ledger.export import Column, Writer, export
from kamiyo_verify.ledger.samples import sampled
from kamiyo_verify.ledger.schema import DECISIONS, REMOVED, RUNS, TRAFFIC
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.credentials import Accepted
from kamiyo_verify.model.history.earlier import SampledRun
from kamiyo_verify.model.history.history import PastRun, TrafficSlice
from kamiyo_verify.model.history.recorded_run import (
    Decision,
    DecisionKind,
    Outline,
    RecordedRun,
    Recording,
)
from kamiyo_verify.model.words import Action, Phase

_RUNS_SEARCHED = 200
"""The most runs that are read: for when a credential was accepted, and for what a commit's runs sampled."""


class Reader:
    """An open ledger to read from.

    Raises:
        LedgerUnavailable: in every method: the ledger cannot be reached or read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def name(self) -> str:
        """The database's URL without its password."""
        return self._database.name

    def export(
        self,
        folder: Path,
        writer: Callable[[Path, Sequence[Column]], Writer],
        *,
        suffix: str,
        environment: str,
        mask: Callable[[str], str],
    ) -> dict[str, int]:
        """Write the tables into files of a new folder, as `export` does; return the rows by table."""
        with self._database.reading() as connection:
            try:
                return export(connection, folder, writer, suffix=suffix, environment=environment, mask=mask)
            except OSError as error:
                problem = error  # of the files, and not of the ledger
        raise problem

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def decisions(self, environment: str) -> tuple[Decision, ...]:
        """Return the decisions about the runs of an environment, oldest first."""
        of = select(RUNS.c.id).where(RUNS.c.environment == environment)
        with self._database.reading() as connection:
            found = queries.decisions(connection, select(DECISIONS).where(DECISIONS.c.run_id.in_(of)))
        return tuple(sorted((one for row in found.values() for one in row), key=lambda one: one.at))

    def ids(self) -> frozenset[str]:
        """Return the ids of all recorded runs."""
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(RUNS.c.id)).scalars())

    def known(self) -> frozenset[str]:
        """Return the ids of all runs that are recorded, or were and have been removed."""
        with self._database.reading() as connection:
            removed = connection.execute(select(REMOVED.c.run_id)).scalars()
            return self.ids() | frozenset(removed)

    def find(self, start: str) -> tuple[str, ...]:
        """Return the run ids that begin with these characters, ordered by time."""
        query = (
            select(RUNS.c.id).where(RUNS.c.id.startswith(start, autoescape=True)).order_by(RUNS.c.started_at)
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def recordings(self, environment: str = "") -> Iterator[Recording]:
        """Yield every recorded run of one environment or of all, oldest first."""
        query = select(RUNS).order_by(RUNS.c.started_at, RUNS.c.id)
        yield from self._recordings(query.where(RUNS.c.environment == environment) if environment else query)

    def environments(self) -> tuple[str, ...]:
        """Return the names of all environments with recorded runs, in alphabetical order."""
        query = select(RUNS.c.environment).distinct().order_by(RUNS.c.environment)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def outlines(self, environment: str) -> tuple[Outline, ...]:
        """Return all runs in outline, oldest first, including baselines, drills and incomplete runs."""
        with self._database.reading() as connection:
            return queries.outlines(connection, environment)

    def runs(self, ids: Collection[str]) -> Iterator[RecordedRun]:
        """Yield the runs with these ids, oldest first."""
        query = select(RUNS).where(RUNS.c.id.in_(ids)).order_by(RUNS.c.started_at, RUNS.c.id)
        for recording in self._recordings(query):
            yield recording.run

    def last_good(
        self, environment: str, *, before: str, besides: str = "", place: str = ""
    ) -> RecordedRun | None:
        """Return the last postdeploy run with "proceed" that people did not roll back or fix.

        Args:
            environment: the name of the environment.
            before: the run had finished by this time; UTC, ISO 8601.
            besides: the run is of another commit than this one; "" for any commit.
            place: the run looked from this place, because another network has other times and failures.
        """
        query = queries.ended(environment, before).where(
            RUNS.c.recommendation == Action.PROCEED,
            RUNS.c.baseline.is_(other=False),
            RUNS.c.drill.is_(other=False),
        )
        bad = {DecisionKind.ROLLED_BACK, DecisionKind.FIXED}
        for recording in self._recordings(query):
            run = recording.run
            regretted = bool(run.decisions) and run.decisions[-1].deed in bad
            same = bool(besides) and same_commit(run.commit, besides)
            here = run.verdict.place == place
            if here and Phase.POSTDEPLOY in run.phases and not regretted and not same:
                return run
        return None

    def last_baseline(self, environment: str, *, before: str, place: str = "") -> RecordedRun | None:
        """Return this place's last run that recorded the state before a deployment, whatever its verdict."""
        found = self._recordings(queries.ended(environment, before).where(RUNS.c.baseline.is_(other=True)))
        return next((one.run for one in found if one.run.verdict.place == place), None)

    def accepted(
        self, environment: str, fingerprints: Collection[str], *, before: str, since: str
    ) -> dict[str, Accepted]:
        """Return, by fingerprint, the newest run that had this credential accepted and never refused.

        Args:
            environment: the name of the environment.
            fingerprints: the fingerprints to find.
            before: the run had finished by this time; UTC, ISO 8601.
            since: the run finished at this time or later; UTC, ISO 8601.
        """
        found: dict[str, Accepted] = {}
        query = queries.ended(environment, before).where(RUNS.c.finished_at >= since).limit(_RUNS_SEARCHED)
        for recording in self._recordings(query):
            for use in recording.evidence.get("credentials", ()):
                name = use["fingerprint"]
                if name in fingerprints and use["accepted"] and not use["refused"]:
                    found.setdefault(name, Accepted(recording.run.commit, recording.run.finished_at))
            if len(found) == len(fingerprints):
                break
        return found

    def sampled(
        self, environment: str, names: Mapping[str, Collection[str]], *, place: str, since: str
    ) -> tuple[SampledRun, ...]:
        """Return what the newest runs measured, oldest first, without baselines and drills.

        Runs that were cut short are among them, with what they had measured by then.

        Args:
            environment: the name of the environment.
            names: the names of the measurements to read, by item id or `ANY_ITEM`; empty for all of an item.
            place: the runs looked from this place.
            since: the runs began at this time or later; UTC, ISO 8601 with milliseconds.
        """
        with self._database.reading() as connection:
            return sampled(connection, environment, names, place=place, since=since, most=_RUNS_SEARCHED)

    def past(self, environment: str, *, drills: bool = False) -> tuple[PastRun, ...]:
        """Return the history data of drills, or of all other runs, oldest first, without baselines."""
        with self._database.reading() as connection:
            return queries.past(connection, environment, drills=drills)

    def traffic(self, environment: str, *, since: float) -> tuple[TrafficSlice, ...]:
        """Return an environment's requests, without drills; `since` is in seconds since the epoch."""
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
        """Yield recordings, each read in its own transaction, so that a slow reader blocks nobody."""
        with self._database.reading() as connection:
            ids: Sequence[str] = connection.execute(query.with_only_columns(RUNS.c.id)).scalars().all()
        for run_id in ids:
            with self._database.reading() as connection:
                found = queries.one(connection, run_id)
            yield found
