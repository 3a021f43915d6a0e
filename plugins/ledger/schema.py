"""The tables as they are today. `migrations` makes them; a test keeps the two the same.

Rows are only ever added. Moments are text, UTC, ISO 8601 with milliseconds, so that text order is time order.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
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
"""The steps that this database has taken."""

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
    Column("duration_s", Double, nullable=False),
    Column("flaky", Boolean, nullable=False),
)

MEASUREMENTS = Table(
    "measurements",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Double),
    Column("value", Text, nullable=False),
    Column("unit", Text, nullable=False),
)
"""`value` is JSON; `number` is the same where it is one number."""

OBJECTIVES = Table(
    "objectives",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("slo", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("value", Double),
    Column("lower_bound", Double),
    Column("upper_bound", Double),
    Column("samples", Integer, nullable=False),
)

DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("commit_sha", Text, nullable=False),
    Column("began_at", Text, nullable=False),
    Column("committed_at", Text, nullable=False),
    Column("duration_s", Double),
    Column("downtime_s", Double),
    Column("deployer", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("failed", Boolean),
    Column("first_hour_bad", Integer),
    Column("first_hour_total", Integer),
)
"""What each run saw of a deployment; runs of one commit are one deployment's."""

TRAFFIC = Table(
    "traffic",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("total", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Index("traffic_by_time", "began_at"),
)
"""Requests by stretches of time; `began_at` is seconds since the epoch."""

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
"""What people did; the latest word on a run stands."""
