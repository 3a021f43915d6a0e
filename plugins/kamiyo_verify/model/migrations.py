"""Schema migrations: on disk, in the database, and their effect on code that is already running."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Effect(StrEnum):
    """The effect of a change on the code of the previous release."""

    ADDITIVE = "additive"
    DESTRUCTIVE = "destructive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the schema.

    Attributes:
        statement: the SQL, shortened to one line.
        why: its effect on older code, in a few words.
    """

    effect: Effect
    statement: str
    why: str


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One folder of prisma/migrations.

    Attributes:
        name: the folder's name, by which Prisma orders migrations; usually `<timestamp>_<name>`.
        checksums: hex SHA-256 of migration.sql as it is, and with either kind of line ending.
        problem: why it cannot be read (no migration.sql, too large, not UTF-8, not SQL), or "".
    """

    name: str
    checksums: frozenset[str]
    changes: tuple[Change, ...]
    problem: str = ""

    @property
    def reversible(self) -> bool:
        """Whether the code of the previous release still works after it."""
        return not self.problem and all(change.effect is Effect.ADDITIVE for change in self.changes)

    @property
    def effect(self) -> Effect:
        """The most severe effect of its changes: destructive before unknown, unknown before additive."""
        found = {change.effect for change in self.changes}
        if Effect.DESTRUCTIVE in found:
            return Effect.DESTRUCTIVE
        return Effect.UNKNOWN if self.problem or Effect.UNKNOWN in found else Effect.ADDITIVE

    @property
    def grave(self) -> tuple[Change, ...]:
        """The changes that may break older code."""
        return tuple(change for change in self.changes if change.effect is not Effect.ADDITIVE)

    @property
    def risk(self) -> str:
        """Why older code may not work after it, or why that is unknown; "" if it is reversible."""
        return self.problem or "; ".join(change.why for change in self.grave)


@dataclass(frozen=True, slots=True)
class RecordedMigration:
    """One row of `_prisma_migrations`; a name can have several. If failed or running, no end time is set.

    Attributes:
        checksum: hex SHA-256 of the migration.sql that was applied.
        steps: steps that Prisma ran; 0 if `migrate resolve --applied` recorded it without running any SQL.
    """

    name: str
    checksum: str
    started_at: datetime
    finished_at: datetime | None
    rolled_back_at: datetime | None
    steps: int = 1

    @property
    def unfinished(self) -> bool:
        """Whether it failed, or is running."""
        return self.finished_at is None and self.rolled_back_at is None

    @property
    def recorded_only(self) -> bool:
        """Whether `migrate resolve --applied` recorded it, as for a baseline; Prisma ran none of its SQL."""
        return self.steps == 0 and self.applied

    @property
    def applied(self) -> bool:
        """Whether its changes are in the database."""
        return self.finished_at is not None and self.rolled_back_at is None
