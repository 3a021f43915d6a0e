"""Migrations as they lie in the project's checkout: `<timestamp>_<name>/migration.sql`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from plugins.clients.schema_changes import UnreadableSql, changes_of
from plugins.model.migrations import MigrationFile
from plugins.model.outcomes import NoAnswer, NoAnswerKind

MOST_BYTES = 1024 * 1024


def migrations_in(folder: Path) -> tuple[MigrationFile, ...]:
    """Every migration of a folder, in the order in which Prisma applies them.

    Raises:
        NoAnswer: the folder is not there or cannot be read.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    except OSError as error:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"no migrations in {folder}: {error.strerror}") from error
    return tuple(_read(folder / name) for name in names)


def _read(folder: Path) -> MigrationFile:
    name = folder.name
    problem = "" if _well_named(name) else "its name is not <14 digits>_<name>"
    try:
        raw = (folder / "migration.sql").read_bytes()[:MOST_BYTES]
        changes = changes_of(raw.decode("utf-8-sig"))
    except FileNotFoundError:
        return MigrationFile(name, frozenset(), (), problem or "it has no migration.sql")
    except (OSError, UnicodeDecodeError) as error:
        return MigrationFile(name, frozenset(), (), problem or f"its migration.sql cannot be read: {error}")
    except UnreadableSql as error:
        return MigrationFile(name, _checksums(raw), (), problem or f"its SQL cannot be parsed: {error}")
    return MigrationFile(name, _checksums(raw), changes, problem)


def _well_named(name: str) -> bool:
    stamp, _, rest = name.partition("_")
    return len(stamp) == 14 and stamp.isascii() and stamp.isdigit() and bool(rest)


def _checksums(raw: bytes) -> frozenset[str]:
    # Prisma hashes the file as it lies where it is applied, and git may have changed the line ends there.
    unix = raw.replace(b"\r\n", b"\n")
    return frozenset(hashlib.sha256(text).hexdigest() for text in (raw, unix, unix.replace(b"\n", b"\r\n")))
