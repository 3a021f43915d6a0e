"""The schema migrations between two releases, from Prisma's table and the files of the checkout."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.migrations import Effect, MigrationFile, RecordedMigration

SEPARATOR = ", "
"""The separator between migration names in a baseline's measurement."""

IN_PART = " (not finished)"
"""After the name of a migration that stopped, or still runs: part of it may be applied."""


def migrated(rows: Sequence[RecordedMigration], files: Sequence[MigrationFile], since: datetime) -> Migrated:
    """Return the migrations begun since a time, sorted by their effect on the code of that time.

    Args:
        rows: migration rows of the database.
        files: migrations of the checkout; empty if there is no checkout.
        since: when the code to roll back to was live.
    """
    return _sorted(rows, files, lambda row: row.started_at >= since)


def migrated_beyond(
    rows: Sequence[RecordedMigration], files: Sequence[MigrationFile], known: Collection[str]
) -> Migrated:
    """Return the migrations that a baseline did not list, sorted by their effect on the code of that time.

    Args:
        rows: migration rows of the database.
        files: migrations of the checkout; empty if there is no checkout.
        known: names of the migrations that were applied then.
    """
    return _sorted(rows, files, lambda row: row.name not in known)


def _sorted(
    rows: Sequence[RecordedMigration],
    files: Sequence[MigrationFile],
    is_new: Callable[[RecordedMigration], bool],
) -> Migrated:
    by_name = {file.name: file for file in files}
    safe: list[str] = []
    grave: list[str] = []
    unread: list[str] = []
    for name in dict.fromkeys(row.name for row in rows if is_new(row)):
        tries = [row for row in rows if row.name == name and is_new(row)]
        if all(row.recorded_only for row in tries):
            continue  # `migrate resolve --applied` ran none of it
        file = by_name.get(name)
        ran = next((row for row in tries if row.applied), tries[-1])
        if file is None:
            unread.append(f"{name} (not in the checkout)")
        elif ran.checksum.lower() not in file.checksums:
            unread.append(f"{name} (not in the checkout as it was applied)")
        elif file.effect is Effect.ADDITIVE:
            safe.append(f"{name}{IN_PART}" if ran.unfinished else name)
        elif file.effect is Effect.DESTRUCTIVE:
            grave.append(f"{name}: {_why(file)}")
        else:
            unread.append(f"{name}: {_why(file)}")
    return Migrated(tuple(safe), tuple(grave), tuple(unread))


def _why(file: MigrationFile) -> str:
    if file.problem:
        return file.problem
    return "; ".join(f"{change.statement} ({change.effect}: {change.why})" for change in file.grave)
