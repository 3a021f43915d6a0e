"""Ledgers of tests: new ones in both databases, and those that earlier versions left."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Boolean, Connection, Engine, Table, create_engine, insert, select

from kamiyo_verify.ledger.revisions.versions.r0001_baseline import STATEMENTS
from kamiyo_verify.ledger.schema import METADATA

STEP_1 = Path(__file__).parents[1] / "engine" / "ledger" / "older" / "step-1.db.gz"
"""A file that the last version before Alembic wrote: eleven runs, two of them of places, and a decision."""

TABLES = ("runbooks", "runs", "items", "measurements", "objectives", "deployments", "traffic", "decisions")
"""The tables that versions before Alembic had, each after those that it refers to."""

Rows = dict[str, list[dict[str, object]]]


def new_database(server: str) -> str:
    """The URL of a new, empty database of a PostgreSQL server."""
    name = f"ledger_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rpartition("/")[0] + f"/{name}"


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """The database itself, beside the ledger."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        yield engine
    finally:
        engine.dispose()


def rows_of(url: str) -> Rows:
    """Every row of the tables that the first version had, in those columns."""
    with engine_of(url) as engine, engine.connect() as connection:
        return _rows(connection)


def old_file(folder: Path) -> str:
    """The URL of a copy of the old file."""
    path = folder / f"{uuid.uuid4().hex}.db"
    path.write_bytes(gzip.decompress(STEP_1.read_bytes()))
    return f"sqlite:///{path}"


def old_postgres(server: str, rows: Rows) -> str:
    """The URL of a PostgreSQL ledger as versions before Alembic made it, with these rows."""
    url = new_database(server)
    with engine_of(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE schema_steps (step INTEGER PRIMARY KEY, taken_at TEXT NOT NULL)"
        )
        connection.exec_driver_sql("INSERT INTO schema_steps VALUES (1, '2026-11-01T00:00:00.000+00:00')")
        for statement in STATEMENTS:
            connection.exec_driver_sql(statement.replace("{blob}", "BYTEA"))
        for name in TABLES:
            if rows[name]:
                connection.execute(insert(METADATA.tables[name]), rows[name])
    return url


def _rows(connection: Connection) -> Rows:
    return {name: _rows_of(connection, METADATA.tables[name]) for name in TABLES}


def _rows_of(connection: Connection, table: Table) -> list[dict[str, object]]:
    columns = [column for column in table.columns if (table.name, column.name) != ("runs", "place")]
    found = connection.execute(select(*columns).order_by(*table.primary_key.columns))
    booleans = {column.name for column in columns if isinstance(column.type, Boolean)}
    return [
        {name: value if name not in booleans or value is None else bool(value) for name, value in row.items()}
        for row in found.mappings()
    ]
