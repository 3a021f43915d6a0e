"""The current tables. A new ledger gets them at once; a test compares them with what the revisions make.

Rows are only added; `retention` alone removes some. Times are text, UTC, ISO 8601 with milliseconds, so that
text order is time order.
"""

from __future__ import annotations

from sqlalchemy import (
    DOUBLE_PRECISION,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

METADATA = MetaData()

SCHEMA_STEPS = Table(
    "schema_steps",
    METADATA,
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("taken_at", Text, nullable=False),
)
"""Numbered steps, for versions before Alembic: they refuse a ledger with a step that they do not know."""

RUNBOOKS = Table(
    "runbooks",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Each runbook once: the SHA-256 of its JSON, and that JSON, compressed."""

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("phases", Text, nullable=False),
    Column("commit_sha", Text, nullable=False),
    Column("baseline", Boolean, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text, nullable=False),
    Column("ending", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("recommendation", Text, nullable=False),
    Column("exit_code", Integer, nullable=False),
    Column("headline", Text, nullable=False),
    Column("blamed", Boolean, nullable=False),
    Column("exitstatus", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("runbook", Text, ForeignKey("runbooks.digest"), nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("verdict", LargeBinary, nullable=False),
    Column("place", Text, nullable=False, server_default=""),
    Index("runs_by_time", "environment", "started_at"),
)
"""Each run; `evidence` and `verdict` are JSON, compressed, `phases` is joined by "+"."""

ITEMS = Table(
    "items",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("phase", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("impact", Text, nullable=False),
    Column("attribution", Text),
    Column("message", Text, nullable=False),
    Column("duration_s", DOUBLE_PRECISION, nullable=False),
    Column("flaky", Boolean, nullable=False),
)

MEASUREMENTS = Table(
    "measurements",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", DOUBLE_PRECISION),
    Column("value", Text, nullable=False),
    Column("unit", Text, nullable=False),
)
"""`value` is JSON; `number` is the same value if it is a single number, else NULL."""

OBJECTIVES = Table(
    "objectives",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("slo", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("value", DOUBLE_PRECISION),
    Column("lower_bound", DOUBLE_PRECISION),
    Column("upper_bound", DOUBLE_PRECISION),
    Column("samples", Integer, nullable=False),
)

DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("commit_sha", Text, nullable=False),
    Column("began_at", Text, nullable=False),
    Column("committed_at", Text, nullable=False),
    Column("duration_s", DOUBLE_PRECISION),
    Column("downtime_s", DOUBLE_PRECISION),
    Column("deployer", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("failed", Boolean),
    Column("first_hour_bad", Integer),
    Column("first_hour_total", Integer),
)
"""What each run found out about a deployment; all runs of one commit belong to one deployment."""

TRAFFIC = Table(
    "traffic",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("began_at", DOUBLE_PRECISION, nullable=False),
    Column("seconds", DOUBLE_PRECISION, nullable=False),
    Column("total", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Index("traffic_by_time", "began_at"),
)
"""Requests by time slice; `began_at` is in seconds since the epoch."""

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("decided_at", Text, nullable=False),
    Column("deed", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("decisions_by_run", "run_id"),
)
"""People's decisions about runs; the latest decision about a run is the valid one."""

COMBINED = Table(
    "combined",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("phases", Text, nullable=False),
    Column("commit_sha", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text, nullable=False),
    Column("recommendation", Text, nullable=False),
    Column("exit_code", Integer, nullable=False),
    Column("headline", Text, nullable=False),
    Column("blamed", Boolean, nullable=False),
    Column("verdict", LargeBinary, nullable=False),
    Index("combined_by_time", "environment", "started_at"),
)
"""Calls that were made from the runs of several places; columns as in `runs`."""

COMBINED_PLACES = Table(
    "combined_places",
    METADATA,
    Column("combined_id", Text, ForeignKey("combined.id"), primary_key=True),
    Column("place", Text, primary_key=True),
    Column("finished_at", Text, nullable=False),
    Column("recommendation", Text, nullable=False),
    Column("headline", Text, nullable=False),
    Column("left_out", Text, nullable=False),
)
"""The place's run that each combined call counts: the one of this place that finished at this time."""

REMOVED = Table(
    "removed",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("removed_at", Text, nullable=False),
)
"""The ids of removed runs, so that their reports are not imported again."""
