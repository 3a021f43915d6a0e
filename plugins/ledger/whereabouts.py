"""Where the reports of runs lie, so that one which was killed is found.

Most lie beside each other. Of one that the user wanted elsewhere there is a note, from before its first line
until the ledger has the run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

EVIDENCE = "evidence*.jsonl"
"""What was left by a run that was killed, in a folder that was then used again, has a name of its own."""

_NOTES = ".elsewhere"


class Whereabouts:
    """The reports of one environment.

    Args:
        reports: the folder that has a folder for each environment.
        environment: its name.
    """

    def __init__(self, reports: Path, environment: str) -> None:
        self._beside = reports / environment
        self._notes = reports / _NOTES / environment

    def note(self, run_id: str, folder: Path) -> None:
        """Remember where a run writes, unless it is here; where that cannot be written, nobody will know."""
        if folder.resolve().parent == self._beside.resolve():
            return
        with contextlib.suppress(OSError):
            self._notes.mkdir(parents=True, exist_ok=True)
            (self._notes / run_id).write_text(str(folder.resolve()), encoding="utf-8")

    def forget(self, run_id: str) -> None:
        """The ledger has that run."""
        with contextlib.suppress(OSError):
            (self._notes / run_id).unlink(missing_ok=True)

    def evidence(self) -> Iterator[Path]:
        """Every evidence file."""
        yield from sorted(self._beside.glob(f"*/{EVIDENCE}"))
        for note in sorted(self._notes.glob("*")):
            folder = _folder(note)
            if folder is None or not folder.is_dir():
                self.forget(note.name)
            else:
                yield from sorted(folder.glob(EVIDENCE))


def _folder(note: Path) -> Path | None:
    """Where it leads; None where somebody else has just removed it, or it was never finished."""
    try:
        text = note.read_text(encoding="utf-8")
    except OSError:
        return None
    return Path(text) if text else None
