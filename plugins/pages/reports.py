"""Where a run's report is, as seen from a page that lies elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from plugins.recording import run_id

_PAGE = "report.html"


class Run(Protocol):
    """What it takes to find a run's report."""

    @property
    def id(self) -> str:
        """Of the run."""

    @property
    def environment(self) -> str:
        """Its name."""

    @property
    def folder(self) -> str:
        """Where the report was written, on the machine that ran it."""


def links(runs: Iterable[Run], reports: Path, *, seen_from: Path) -> dict[str, str]:
    """A relative address of each run's report that is there, by the run's id.

    A folder that another run has used since is none of this run's. A report that was brought here from
    another machine is found where it would lie had it been written here.

    Args:
        runs: of the ledger.
        reports: the folder of all reports.
        seen_from: the folder of the page.
    """
    found: dict[str, str] = {}
    for run in runs:
        folder = Path(run.folder)
        for place in (folder, reports / run.environment / folder.name):
            if _is_of(place, run.id):
                found[run.id] = quote(Path(os.path.relpath(place / _PAGE, seen_from)).as_posix())
                break
    return found


def _is_of(folder: Path, run: str) -> bool:
    with contextlib.suppress(OSError, ValueError):  # such as a path that holds a NUL
        return (folder / _PAGE).is_file() and run_id(folder / "evidence.jsonl") == run
    return False
