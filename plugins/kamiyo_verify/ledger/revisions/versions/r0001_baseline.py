"""The tables of the first ledgers, which had numbered steps in place of revisions."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS: tuple[str, ...] = (
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


def upgrade() -> None:
    """Create the tables. A ledger that has them already is marked with this revision instead."""
    blob = "BYTEA" if op.get_context().dialect.name == "postgresql" else "BLOB"
    for statement in STATEMENTS:
        op.execute(statement.replace("{blob}", blob))
