"""Plan the schema changes of the next deployment: compare the files on disk with the database's record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kamiyo_verify.model.migrations import MigrationFile, RecordedMigration

_STAMPED = re.compile(r"\d{14}(?:_|$)")
_AHEAD = timedelta(days=1)
"""How far a timestamp may lie in the future: the author's time zone may be ahead of UTC."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The migrations to apply, and the problems that prevent it.

    Attributes:
        pending: pending migrations, in the order in which they will be applied.
        problems: differences between the database's record and the files.
    """

    pending: tuple[MigrationFile, ...]
    problems: tuple[str, ...]

    @property
    def effects(self) -> dict[str, str]:
        """The effect of each pending migration, by its name; "not read" if the parser does not know it."""
        return {file.name: "not read" if file.effect == "unknown" else file.effect for file in self.pending}

    def grave(self, vouched: str = "") -> tuple[str, ...]:
        """Return each pending migration that may break the code before it, with the reason.

        Args:
            vouched: the text of a person who reviewed the plan; migrations that it names whole are accepted.
        """
        return tuple(
            f"{file.name}: {_why(file)}"
            for file in self.pending
            if not file.reversible and not _names(vouched, file.name)
        )


def _names(text: str, migration: str) -> bool:
    """Return whether a text names a migration, and not another one whose name begins or ends so."""
    return bool(re.search(rf"(?<![\w.-]){re.escape(migration)}(?![\w-]|\.\w)", text))


@dataclass(frozen=True, slots=True)
class FilesOnDisk:
    """The migrations on disk, and their problems regardless of any database."""

    files: tuple[MigrationFile, ...]
    problems: tuple[str, ...]


def plan(files: Sequence[MigrationFile], rows: Sequence[RecordedMigration]) -> MigrationPlan:
    """Compare the files with the database's record.

    Args:
        files: migrations on disk, in the order in which they are applied.
        rows: rows of the database; a migration that was tried several times has several.
    """
    by_name = {file.name: file for file in files}
    applied = {row.name: row for row in rows if row.applied}
    pending = tuple(file for file in files if file.name not in applied)
    newest = max(applied, default="")
    squashed_at = max(
        (row.started_at for name, row in applied.items() if row.recorded_only and name in by_name),
        default=None,
    )
    problems = [
        f"{row.name} was begun {row.started_at:%Y-%m-%d %H:%M} and is neither finished nor rolled back"
        for row in rows
        if row.unfinished
    ]
    for name, row in applied.items():
        if name not in by_name and squashed_at is not None and row.started_at < squashed_at:
            continue  # a later one was recorded instead, as squashing and baselining do
        if name not in by_name:
            problems.append(f"{name} is applied, and not among the files")
        elif row.checksum.lower() not in by_name[name].checksums:
            problems.append(f"{name} was edited after it was applied")
    problems += [
        f"{file.name} is pending, and older than {newest}, which is applied"
        for file in pending
        if file.name < newest
    ]
    return MigrationPlan(pending, tuple(problems))


def on_disk(files: Sequence[MigrationFile], now: datetime, provider: str = "") -> FilesOnDisk:
    """Check the files alone: find incomplete ones, invalid SQL, and unreliable order.

    Args:
        files: migrations in the order in which they are applied.
        now: the current time, to find timestamps in the future.
        provider: the provider in migration_lock.toml; "" if there is no such file.
    """
    problems = [f"{file.name}: {file.problem}" for file in files if file.problem]
    latest = f"{now + _AHEAD:%Y%m%d%H%M%S}"
    problems += [
        f"{file.name} is of the future" for file in files if _STAMPED.match(file.name) and file.name > latest
    ]
    if provider not in {"", "postgresql", "postgres", "cockroachdb"}:
        problems.append(f'migration_lock.toml names the provider "{provider}": Prisma refuses to deploy')
    return FilesOnDisk(tuple(files), tuple(problems))


def unapplied(files: Sequence[MigrationFile], rows: Sequence[RecordedMigration]) -> tuple[str, ...]:
    """Return the migrations of a release that its database does not have, each with the reason."""
    applied = {row.name for row in rows if row.applied}
    tried = {row.name: row for row in rows}
    return tuple(
        f"{file.name} {_standing(tried.get(file.name))}" for file in files if file.name not in applied
    )


def _standing(row: RecordedMigration | None) -> str:
    if row is None:
        return "was never applied"
    if row.rolled_back_at is not None:
        return f"was rolled back {row.rolled_back_at:%Y-%m-%d %H:%M} and not applied since"
    return f"was begun {row.started_at:%Y-%m-%d %H:%M} and is neither finished nor rolled back"


def _why(file: MigrationFile) -> str:
    if file.problem:
        return file.problem
    change = file.grave[0]
    more = f" (and {len(file.grave) - 1} more)" if len(file.grave) > 1 else ""
    return f"{change.statement}: {change.effect}, {change.why}{more}"
