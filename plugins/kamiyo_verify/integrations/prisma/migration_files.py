"""Read the migrations in the project's checkout: `<name>/migration.sql`, by name as Prisma orders them.

A name need not begin with a timestamp: Prisma's own guide to baselining uses `0_init`.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from kamiyo_verify.integrations.prisma.schema_changes import UnreadableSql, changes_of
from kamiyo_verify.integrations.prisma.schema_state import Catalogue
from kamiyo_verify.model.migrations import MigrationFile
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

MOST_BYTES = 1024 * 1024


def migrations_in(folder: Path) -> tuple[MigrationFile, ...]:
    """Every migration of a folder, in the order in which Prisma applies them.

    Raises:
        NoAnswer: the folder does not exist or cannot be read.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    except OSError as error:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"no migrations in {folder}: {error.strerror}") from error
    before = Catalogue()
    return tuple(_read(folder / name, before) for name in names)


def provider_in(folder: Path) -> str:
    """The provider that migration_lock.toml names; "" without such a file.

    Raises:
        NoAnswer: the file cannot be read.
    """
    try:
        lock = tomllib.loads((folder / "migration_lock.toml").read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"migration_lock.toml cannot be read: {error}") from error
    return str(lock.get("provider", ""))


def _read(folder: Path, before: Catalogue) -> MigrationFile:
    name = folder.name
    try:
        raw = (folder / "migration.sql").read_bytes()
        if len(raw) > MOST_BYTES:
            return MigrationFile(
                name, _checksums(raw), (), f"its migration.sql is over {MOST_BYTES} bytes: not read"
            )
        changes = changes_of(raw.decode("utf-8-sig"), before)
    except FileNotFoundError:
        return MigrationFile(name, frozenset(), (), "it has no migration.sql")
    except (OSError, UnicodeDecodeError) as error:
        return MigrationFile(name, frozenset(), (), f"its migration.sql cannot be read: {error}")
    except UnreadableSql as error:
        return MigrationFile(name, _checksums(raw), (), f"its SQL cannot be parsed: {error}")
    return MigrationFile(name, _checksums(raw), changes)


def _checksums(raw: bytes) -> frozenset[str]:
    # Prisma hashes the file where it is applied, and git may have changed the line ends there.
    unix = raw.replace(b"\r\n", b"\n")
    return frozenset(hashlib.sha256(text).hexdigest() for text in (raw, unix, unix.replace(b"\n", b"\r\n")))
