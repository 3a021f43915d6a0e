"""The migrations of the platform: one set of files for checkout, schema and Prisma's record of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent / "kamiyo-project"
"""What the checkout is filled with."""

FOLDER = "website/prisma/migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One folder of migrations."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """As Prisma records it: the hex SHA-256 of migration.sql."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


MIGRATIONS: tuple[Migration, ...] = tuple(
    Migration(file.parent.name, file.read_bytes().decode())
    for file in sorted((PROJECT / FOLDER).glob("*/migration.sql"))
)
"""In the order of their application."""

RELEASED = MIGRATIONS[-1]
"""The one that comes with the release: pending before it, applied after it. It only adds."""

RELEASED_DESTRUCTIVE = Migration(RELEASED.name, '-- AlterTable\nALTER TABLE "User" DROP COLUMN "image";\n')
"""What came with the release under the fault `migration-applied-destructive`."""
