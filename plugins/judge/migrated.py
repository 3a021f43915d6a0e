"""What a deployment did to the schema, from Prisma's record and the files of the checkout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plugins.model.circumstances import Migrated
from plugins.model.migrations import MigrationFile, RecordedMigration


def migrated(rows: Sequence[RecordedMigration], files: Sequence[MigrationFile], since: datetime) -> Migrated:
    """The migrations that were applied since then, by what they mean for the code before.

    Args:
        rows: of the database.
        files: of the checkout; none where there is no checkout.
        since: when the deployment began.
    """
    by_name = {file.name: file for file in files}
    safe: list[str] = []
    grave: list[str] = []
    unread: list[str] = []
    for row in rows:
        if not row.applied or row.started_at < since:
            continue
        file = by_name.get(row.name)
        if file is None or row.checksum.lower() not in file.checksums:
            unread.append(row.name)
        elif file.reversible:
            safe.append(row.name)
        else:
            grave.append(f"{row.name}: {_why(file)}")
    return Migrated(tuple(safe), tuple(grave), tuple(unread))


def _why(file: MigrationFile) -> str:
    if file.problem:
        return file.problem
    return "; ".join(f"{change.statement} ({change.effect}: {change.why})" for change in file.grave)
