"""Each run's place, the calls that were made from several places, and the ids of removed runs."""

from __future__ import annotations

import json
import zlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and the tables, and fill the places of the recorded runs from their verdicts."""
    op.add_column("runs", sa.Column("place", sa.Text, nullable=False, server_default=""))
    _fill_places(op.get_bind())
    op.create_table(
        "combined",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("phases", sa.Text, nullable=False),
        sa.Column("commit_sha", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text, nullable=False),
        sa.Column("recommendation", sa.Text, nullable=False),
        sa.Column("exit_code", sa.Integer, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("blamed", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.LargeBinary, nullable=False),
    )
    op.create_index("combined_by_time", "combined", ["environment", "started_at"])
    op.create_table(
        "combined_places",
        sa.Column("combined_id", sa.Text, sa.ForeignKey("combined.id"), primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("finished_at", sa.Text, nullable=False),
        sa.Column("recommendation", sa.Text, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("left_out", sa.Text, nullable=False),
    )
    op.create_table(
        "removed",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("removed_at", sa.Text, nullable=False),
    )
    # Versions that know only numbered steps refuse a ledger with a step that they do not know.
    op.execute("INSERT INTO schema_steps (step, taken_at) VALUES (2, 'see alembic_version')")


def _fill_places(connection: sa.Connection) -> None:
    ids = connection.execute(sa.text("SELECT id FROM runs")).scalars().all()
    for run in ids:  # one verdict at a time, as one of 5,000 items takes megabytes
        query = sa.text("SELECT verdict FROM runs WHERE id = :run")
        verdict = zlib.decompress(connection.execute(query, {"run": run}).scalar_one())
        if b'"place":"' not in verdict.replace(b'"place":""', b""):
            continue  # most runs: to parse megabytes takes ten times as long as to search them
        if place := json.loads(verdict).get("place", ""):
            update = sa.text("UPDATE runs SET place = :place WHERE id = :run")
            connection.execute(update, {"place": place, "run": run})
