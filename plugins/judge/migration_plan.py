"""What the next deployment will do to the schema: the files on disk held against the database's record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.model.migrations import MigrationFile, RecordedMigration

_AHEAD = timedelta(days=1)
"""How far a timestamp may lie ahead: whoever named the folder may live east of UTC."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What is to be applied, and what stands against it.

    Attributes:
        pending: in the order of their application.
        problems: where history and files disagree.
    """

    pending: tuple[MigrationFile, ...]
    problems: tuple[str, ...]

    def grave(self, vouched: str = "") -> tuple[str, ...]:
        """Each pending migration after which the code before it may not work, with the reason.

        Args:
            vouched: what a person who read the plan says; a migration that it names is known and wanted.
        """
        return tuple(
            f"{file.name}: {_why(file)}"
            for file in self.pending
            if not file.reversible and file.name not in vouched
        )


@dataclass(frozen=True, slots=True)
class FilesOnDisk:
    """The migrations on disk, and what is wrong with them without regard to any database."""

    files: tuple[MigrationFile, ...]
    problems: tuple[str, ...]


def plan(files: Sequence[MigrationFile], rows: Sequence[RecordedMigration]) -> MigrationPlan:
    """Hold the files against the record.

    Args:
        files: as on disk, in the order of their application.
        rows: as of the database; a name that was tried several times has several.
    """
    by_name = {file.name: file for file in files}
    applied = {row.name: row for row in rows if row.applied}
    pending = tuple(file for file in files if file.name not in applied)
    newest = max(applied, default="")
    problems = [
        f"{row.name} was begun {row.started_at:%Y-%m-%d %H:%M} and is neither finished nor rolled back"
        for row in rows
        if row.unfinished
    ]
    for name, row in applied.items():
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


def on_disk(files: Sequence[MigrationFile], now: datetime) -> FilesOnDisk:
    """The files alone: which are incomplete, no SQL, or of an order that nobody can rely on."""
    problems = [f"{file.name}: {file.problem}" for file in files if file.problem]
    stamps = Counter(file.name.partition("_")[0] for file in files)
    problems += [
        f"{count} migrations share the timestamp {stamp}" for stamp, count in stamps.items() if count > 1
    ]
    latest = f"{now + _AHEAD:%Y%m%d%H%M%S}"
    problems += [f"{file.name} is of the future" for file in files if not file.problem and file.name > latest]
    return FilesOnDisk(tuple(files), tuple(problems))


def _why(file: MigrationFile) -> str:
    if file.problem:
        return file.problem
    change = file.grave[0]
    more = f" (and {len(file.grave) - 1} more)" if len(file.grave) > 1 else ""
    return f"{change.statement}: {change.effect}, {change.why}{more}"
