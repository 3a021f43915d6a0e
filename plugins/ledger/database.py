"""The database behind the ledger: SQLite beside the reports, or PostgreSQL by URL."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from plugins.ledger.migrations import NewerLedger, migrate

PATIENCE_S = 15.0
"""How long one process waits for another that is writing."""

CONNECT_S = 5


class LedgerUnavailable(Exception):
    """It cannot be reached, read or written; the message says why, on one line and without a password."""


class Database:
    """A database whose tables are today's.

    Args:
        url: as SQLAlchemy has it; "postgresql://…" means psycopg.

    Raises:
        LedgerUnavailable: it cannot be reached, or a newer version has been there.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.name = parsed.render_as_string(hide_password=True)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_timeout": CONNECT_S, "application_name": "kamiyo-verify"}
        if is_sqlite:
            options = {"timeout": PATIENCE_S}
        with _told(self.name):
            self._engine = create_engine(parsed, connect_args=options)
            if is_sqlite:
                _prepare_sqlite(self._engine)
        try:
            with self.writing() as connection:
                migrate(connection)
        except LedgerUnavailable:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the ledger.

        Raises:
            LedgerUnavailable: something went wrong in it.
        """
        with _told(self.name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is kept whole, or not at all.

        Raises:
            LedgerUnavailable: something went wrong in it, and nothing of it is kept.
        """
        engine = self._engine.execution_options(writes=True)
        with _told(self.name), engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """No more connections."""
        self._engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        name = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        name = ""
    if name in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise LedgerUnavailable("its URL is neither sqlite:///PATH nor postgresql://USER:PASSWORD@HOST/NAME")
    return parsed


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        raise LedgerUnavailable(f"{name}: {lines[0]}") from error
    except NewerLedger as error:
        raise LedgerUnavailable(f"{name}: {error}") from error


def _prepare_sqlite(engine: Engine) -> None:
    """Transactions are begun by us: Python's own begin too late to keep a reader's view, or a writer's lock.

    See https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl.
    A writer takes the lock at once: one that has read before it writes could be refused without waiting.
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
    """Switch to WAL, in which readers and a writer do not wait for each other.

    The first switch needs the file alone, and SQLite does not wait for that by itself.
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
