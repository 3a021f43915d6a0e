"""Where a run's files go: a folder of its own, and a link to the newest."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

LATEST = "latest"


def make_report_dir(root: Path, environment: str, *, explicit: Path | None, commit: str) -> Path:
    """A folder that this run can write to, and no other run of this second has.

    Args:
        root: the project's folder; the default is `reports/<environment>/<time>-<commit or run id>/` in it.
        environment: its name.
        explicit: the folder that the user named; it may exist.
        commit: the commit that should answer, or "".

    Raises:
        pytest.UsageError: it cannot be made or written to.
    """
    try:
        folder = explicit or _fresh(root / "reports" / environment, commit[:7] or secrets.token_hex(4))
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise pytest.UsageError(
            f"the report cannot be written to {error.filename}: {error.strerror}; "
            "choose another folder with --report-dir"
        ) from None
    return folder


def point_latest_at(folder: Path) -> None:
    """Let reports/latest lead to this folder, at no moment to none; does nothing where links are unknown."""
    reports = folder.parent.parent
    link = reports / f".{LATEST}-{secrets.token_hex(4)}"
    with contextlib.suppress(OSError):
        link.symlink_to(folder.relative_to(reports), target_is_directory=True)
        link.replace(reports / LATEST)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader finds either all of it or what was there before."""
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """The same, of any content."""
    draft = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _fresh(parent: Path, suffix: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{suffix}"
    for number in itertools.count(1):
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("counting never ends")
