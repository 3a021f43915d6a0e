"""Schema migrations: on disk, in the database, and what each does to code that is already running."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Effect(StrEnum):
    """What a change means for the code of the release before it."""

    ADDITIVE = "additive"
    DESTRUCTIVE = "destructive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the schema.

    Attributes:
        statement: the SQL, shortened to one line.
        why: in a few words, what older code meets after it.
    """

    effect: Effect
    statement: str
    why: str


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One folder of prisma/migrations.

    Attributes:
        name: the folder's name, `<timestamp>_<name>`.
        checksums: hex SHA-256 of migration.sql as it is, and with either kind of line end.
        problem: why it cannot be applied (no migration.sql, empty, not UTF-8, not SQL), or "".
    """

    name: str
    checksums: frozenset[str]
    changes: tuple[Change, ...]
    problem: str = ""

    @property
    def reversible(self) -> bool:
        """The code of the release before it still works on the schema after it."""
        return not self.problem and all(change.effect is Effect.ADDITIVE for change in self.changes)

    @property
    def grave(self) -> tuple[Change, ...]:
        """The changes that older code may not survive."""
        return tuple(change for change in self.changes if change.effect is not Effect.ADDITIVE)


@dataclass(frozen=True, slots=True)
class RecordedMigration:
    """One row of `_prisma_migrations`; a name can have several. Failed or running: neither end is set.

    Attributes:
        checksum: hex SHA-256 of the migration.sql that was applied.
    """

    name: str
    checksum: str
    started_at: datetime
    finished_at: datetime | None
    rolled_back_at: datetime | None

    @property
    def unfinished(self) -> bool:
        """It failed, or is running."""
        return self.finished_at is None and self.rolled_back_at is None

    @property
    def applied(self) -> bool:
        """Its changes are in the database."""
        return self.finished_at is not None and self.rolled_back_at is None
