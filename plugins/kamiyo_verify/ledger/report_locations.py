"""Locations of the runs' reports, so that a run that was killed can be found.

Most reports are in one folder. For a report elsewhere, a note holds its location from before the first line
of evidence until the run is in the ledger.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

EVIDENCE = "evidence*.jsonl"
"""A killed run's evidence gets its own name when a later run uses the same folder, hence the wildcard."""

_NOTES = ".elsewhere"


class ReportLocations:
    """The report locations of one environment.

    Args:
        reports: the folder that has one folder for each environment.
        environment: the name of the environment.
    """

    def __init__(self, reports: Path, environment: str) -> None:
        self._beside = reports / environment
        self._notes = reports / _NOTES / environment

    def note(self, run_id: str, folder: Path) -> None:
        """Save where a run writes, unless it is the usual folder; a failed save is ignored."""
        if folder.resolve().parent == self._beside.resolve():
            return
        with contextlib.suppress(OSError):
            self._notes.mkdir(parents=True, exist_ok=True)
            (self._notes / run_id).write_text(str(folder.resolve()), encoding="utf-8")

    def forget(self, run_id: str) -> None:
        """Delete the note of a run that is in the ledger."""
        with contextlib.suppress(OSError):
            (self._notes / run_id).unlink(missing_ok=True)

    def evidence(self) -> Iterator[Path]:
        """Yield every evidence file."""
        yield from sorted(self._beside.glob(f"*/{EVIDENCE}"))
        for note in sorted(self._notes.glob("*")):
            folder = _folder(note)
            if folder is None or not folder.is_dir():
                self.forget(note.name)
            else:
                yield from sorted(folder.glob(EVIDENCE))


def _folder(note: Path) -> Path | None:
    """Read the folder from a note; None if the note was removed meanwhile or is incomplete."""
    try:
        text = note.read_text(encoding="utf-8")
    except OSError:
        return None
    return Path(text) if text else None
