"""The report folder of a run, and the link to the newest one."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

LATEST = "latest"

_RESULTS = ("verdict.json", "deployment.md", "baseline.json", "ctrf.json", "metrics.prom")


def make_report_dir(root: Path, environment: str, *, explicit: Path | None, commit: str) -> Path:
    """Create and return a writable folder for this run; concurrent runs get different folders.

    Args:
        root: the project's folder; the default is `reports/<environment>/<time>-<commit or run id>/` in it.
        environment: the name of the environment.
        explicit: the folder that the user named; it may exist.
        commit: the expected commit, or "".

    Raises:
        pytest.UsageError: the folder cannot be created or written to.
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


def remove_old_verdict(folder: Path) -> None:
    """Remove an earlier run's verdict from this folder, so that it cannot pass for the verdict of this run.

    The earlier run's evidence is kept under another name.
    """
    for name in _RESULTS:
        (folder / name).unlink(missing_ok=True)


def point_latest_at(folder: Path) -> None:
    """Point the link reports/latest at this folder, atomically; do nothing if links are not supported."""
    reports = folder.parent.parent
    link = reports / f".{LATEST}-{secrets.token_hex(4)}"
    with contextlib.suppress(OSError):
        link.symlink_to(folder.relative_to(reports), target_is_directory=True)
        link.replace(reports / LATEST)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file atomically: a reader finds either the complete new file or the old one."""
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write a binary file atomically."""
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
