"""The way from an empty database to today's tables, step by step. A step that was released never changes.

Each step is plain SQL that SQLite and PostgreSQL both understand, where {blob} stands for the one word that
differs. A database takes its missing steps in one transaction, one process at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, inspect

_FIRST = (
    "CREATE TABLE runbooks (digest TEXT NOT NULL PRIMARY KEY, body {blob} NOT NULL)",
    """
    CREATE TABLE runs (
        id TEXT NOT NULL PRIMARY KEY,
        environment TEXT NOT NULL,
        phases TEXT NOT NULL,
        commit_sha TEXT NOT NULL,
        baseline BOOLEAN NOT NULL,
        drill BOOLEAN NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT NOT NULL,
        ending TEXT NOT NULL,
        folder TEXT NOT NULL,
        recommendation TEXT NOT NULL,
        exit_code INTEGER NOT NULL,
        headline TEXT NOT NULL,
        blamed BOOLEAN NOT NULL,
        exitstatus INTEGER NOT NULL,
        problem TEXT NOT NULL,
        runbook TEXT NOT NULL REFERENCES runbooks (digest),
        evidence {blob} NOT NULL,
        verdict {blob} NOT NULL
    )
    """,
    "CREATE INDEX runs_by_time ON runs (environment, started_at)",
    """
    CREATE TABLE items (
        run_id TEXT NOT NULL REFERENCES runs (id),
        item TEXT NOT NULL,
        phase TEXT NOT NULL,
        status TEXT NOT NULL,
        impact TEXT NOT NULL,
        attribution TEXT,
        message TEXT NOT NULL,
        duration_s DOUBLE PRECISION NOT NULL,
        flaky BOOLEAN NOT NULL,
        PRIMARY KEY (run_id, item)
    )
    """,
    """
    CREATE TABLE measurements (
        run_id TEXT NOT NULL REFERENCES runs (id),
        item TEXT NOT NULL,
        name TEXT NOT NULL,
        number DOUBLE PRECISION,
        value TEXT NOT NULL,
        unit TEXT NOT NULL,
        PRIMARY KEY (run_id, item, name)
    )
    """,
    """
    CREATE TABLE objectives (
        run_id TEXT NOT NULL REFERENCES runs (id),
        slo TEXT NOT NULL,
        verdict TEXT NOT NULL,
        unit TEXT NOT NULL,
        value DOUBLE PRECISION,
        lower_bound DOUBLE PRECISION,
        upper_bound DOUBLE PRECISION,
        samples INTEGER NOT NULL,
        PRIMARY KEY (run_id, slo)
    )
    """,
    """
    CREATE TABLE deployments (
        run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (id),
        commit_sha TEXT NOT NULL,
        began_at TEXT NOT NULL,
        committed_at TEXT NOT NULL,
        duration_s DOUBLE PRECISION,
        downtime_s DOUBLE PRECISION,
        deployer TEXT NOT NULL,
        branch TEXT NOT NULL,
        failed BOOLEAN,
        first_hour_bad INTEGER,
        first_hour_total INTEGER
    )
    """,
    """
    CREATE TABLE traffic (
        run_id TEXT NOT NULL REFERENCES runs (id),
        number INTEGER NOT NULL,
        source TEXT NOT NULL,
        service TEXT NOT NULL,
        began_at DOUBLE PRECISION NOT NULL,
        seconds DOUBLE PRECISION NOT NULL,
        total INTEGER NOT NULL,
        bad INTEGER NOT NULL,
        PRIMARY KEY (run_id, number)
    )
    """,
    "CREATE INDEX traffic_by_time ON traffic (began_at)",
    """
    CREATE TABLE decisions (
        id TEXT NOT NULL PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs (id),
        decided_at TEXT NOT NULL,
        deed TEXT NOT NULL,
        who TEXT NOT NULL,
        note TEXT NOT NULL
    )
    """,
    "CREATE INDEX decisions_by_run ON decisions (run_id)",
)

STEPS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""In order; the number of a step is its place, from 1."""

_LOCK = 0x6B616D69_796F7631
"""The key of PostgreSQL's advisory lock: "kamiyov1"."""


class NewerLedger(Exception):
    """A newer version of the suite has been here; this one must not write what it does not know."""


def migrate(connection: Connection) -> int:
    """Take the steps that are missing; returns how many there were.

    Args:
        connection: within a transaction that may write. On SQLite that transaction is the lock already.

    Raises:
        NewerLedger: the database has taken steps that are not known here.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    taken = _taken(connection)
    if taken > len(STEPS):
        raise NewerLedger(f"its schema is at step {taken}, this version knows {len(STEPS)}: update the suite")
    blob = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    for number, step in enumerate(STEPS[taken:], taken + 1):
        for statement in step:
            connection.exec_driver_sql(statement.replace("{blob}", blob))
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        connection.exec_driver_sql(f"INSERT INTO schema_steps VALUES ({number}, '{moment}')")  # noqa: S608
    return len(STEPS) - taken


def _taken(connection: Connection) -> int:
    if not inspect(connection).has_table("schema_steps"):
        connection.exec_driver_sql(
            "CREATE TABLE schema_steps (step INTEGER NOT NULL PRIMARY KEY, taken_at TEXT NOT NULL)"
        )
    return int(connection.exec_driver_sql("SELECT coalesce(max(step), 0) FROM schema_steps").scalar_one())
