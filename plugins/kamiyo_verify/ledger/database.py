"""The database behind the ledger: SQLite beside the reports, or PostgreSQL by URL."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from kamiyo_verify.ledger.migrations import NewerLedger, is_current, migrate
from kamiyo_verify.ledger.schema import METADATA
from kamiyo_verify.ledger.time_limit import TimeLimit, TooSlow

PATIENCE_S = 15.0
"""How many seconds one process waits for another that is writing."""

CONNECT_S = 5

TRANSACTION_S = 60.0
"""How many seconds a transaction may take before its connection to PostgreSQL is cut."""


UPGRADE_S = 600.0
"""How many seconds an upgrade may take: it may have to read every run."""


class LedgerUnavailable(Exception):
    """The ledger cannot be reached, read or written; the message is one line and contains no password."""


class Database:
    """A database, migrated to the current schema.

    Args:
        url: a SQLAlchemy URL; "postgresql://…" uses psycopg.
        transaction_s: seconds after which a transaction is cut, for PostgreSQL.

    Raises:
        LedgerUnavailable: it cannot be reached, or a newer version has migrated it.
    """

    def __init__(self, url: str, *, transaction_s: float = TRANSACTION_S) -> None:
        parsed = _parsed(url)
        self.name = _shown(parsed)
        self._limit: TimeLimit | None = None
        with _named_errors(self.name):
            if parsed.get_backend_name() == "sqlite":
                _refuse_missing_folder(parsed)
                self._engine = create_engine(parsed, connect_args={"timeout": PATIENCE_S})
                _prepare_sqlite(self._engine)
            else:
                self._engine = _postgres(parsed)
                self._limit = TimeLimit(self._engine, transaction_s)
        try:
            with self.reading() as connection:
                current = is_current(connection)
            if not current:
                with self.writing(within_s=UPGRADE_S) as connection:
                    migrate(connection, METADATA)
        except LedgerUnavailable:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one consistent snapshot.

        Raises:
            LedgerUnavailable: the transaction failed, or took too long.
        """
        engine = self._engine
        if engine.dialect.name == "postgresql":  # where each query would else see a later state
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with _named_errors(self.name), self._in_time(), engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, within_s: float | None = None) -> Iterator[Connection]:
        """Open a transaction that is committed as a whole or rolled back.

        Args:
            within_s: its time limit in seconds, where it is not the usual one.

        Raises:
            LedgerUnavailable: the transaction failed or took too long, and was rolled back.
        """
        engine = self._engine.execution_options(writes=True)
        with _named_errors(self.name), self._in_time(within_s), engine.begin() as connection:
            yield connection

    def _in_time(self, seconds: float | None = None) -> AbstractContextManager[None]:
        return self._limit.block(seconds) if self._limit else nullcontext()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


_POSTGRES = {
    "connect_timeout": CONNECT_S,
    "application_name": "kamiyo-verify",
    "gssencmode": "disable",  # else psycopg's bundled libpq warns
    "options": "",  # else PGOPTIONS would be sent, which a pooler rejects
    "prepare_threshold": None,  # a pooler in transaction mode loses prepared statements
}
"""psycopg's connection parameters, where the URL has no others."""

_IDLE_S = 30
"""Seconds after which a connection is not used again: what lies between may have forgotten it."""


def _postgres(url: URL) -> Engine:
    """An engine that limits each statement, for its transaction alone: a pooler shares sessions."""

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(PATIENCE_S * 1000)}")

    options = {name: value for name, value in _POSTGRES.items() if name not in url.query}
    engine = create_engine(url, connect_args=options, pool_recycle=_IDLE_S)
    event.listen(engine, "begin", begun)
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        name = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):  # ValueError: the port is no number
        name = ""
    if name in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise LedgerUnavailable(
            "the ledger's URL is neither sqlite:///PATH nor postgresql://USER:PASSWORD@HOST/NAME"
        )
    return parsed


def _refuse_missing_folder(url: URL) -> None:
    """Raise FileNotFoundError, because SQLite's own message does not name what is missing."""
    folder = Path(url.database or "").parent
    if url.database not in {None, "", ":memory:"} and not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; the first run makes reports/ and its ledger")


def _shown(url: URL) -> str:
    """Return the URL without secrets: a password may also be one of libpq's parameters."""
    secret = {name for name in url.query if "password" in name.lower()}
    return url.difference_update_query(secret).render_as_string(hide_password=True)


@contextmanager
def _named_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        raise LedgerUnavailable(f"{name}: {lines[0]}") from error
    except (NewerLedger, TooSlow) as error:
        raise LedgerUnavailable(f"{name}: {error}") from error


def _prepare_sqlite(engine: Engine) -> None:
    """Begin transactions explicitly: sqlite3 begins them too late for a stable snapshot or a write lock.

    See https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl.
    A writer takes the lock immediately: SQLite may refuse the lock without waiting after a read.
    """

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        _write_ahead(connection)
        connection.execute("PRAGMA foreign_keys = ON")

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode, in which readers and a writer do not block each other.

    The first switch needs exclusive access to the file, and SQLite does not wait for that itself.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.005, 0.05))  # noqa: S311 - so that two do not wait in step
        else:
            return
