"""Relative links from a page to the reports of runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from kamiyo_verify.evidence.recording import run_id

_PAGE = "report.html"


class Run(Protocol):
    """The attributes of a run that locate its report."""

    @property
    def id(self) -> str:
        """The run's id."""

    @property
    def environment(self) -> str:
        """The environment's name."""

    @property
    def folder(self) -> str:
        """The report's folder on the machine that ran the verification."""


def links(runs: Iterable[Run], reports: Path, *, seen_from: Path) -> dict[str, str]:
    """Return a relative URL for each run's existing report, by run id.

    A folder that a later run has overwritten does not count. A report copied from another machine is found
    in the folder that a local run would use.

    Args:
        runs: runs of the ledger.
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
    with contextlib.suppress(OSError, ValueError):  # such as a path with a NUL character
        return (folder / _PAGE).is_file() and run_id(folder / "evidence.jsonl") == run
    return False
