"""The platform's migrations: one set of files for the checkout, the schema and Prisma's migration table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent / "kamiyo-project"
"""The files of the checkout."""

FOLDER = "website/prisma/migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration folder."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of migration.sql, as Prisma records it."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


MIGRATIONS: tuple[Migration, ...] = tuple(
    Migration(file.parent.name, file.read_bytes().decode())
    for file in sorted((PROJECT / FOLDER).glob("*/migration.sql"))
)
"""In the order in which they are applied."""

RELEASED = MIGRATIONS[-1]
"""The release's migration: pending before the release, applied after it. It only adds."""

RELEASED_DESTRUCTIVE = Migration(RELEASED.name, '-- AlterTable\nALTER TABLE "User" DROP COLUMN "image";\n')
"""The release's migration under the fault `migration-applied-destructive`."""
