"""Import runs that are missing in the ledger: killed early, or the ledger was unavailable at their end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from kamiyo_verify.evidence.lock import nobody_writes
from kamiyo_verify.ledger.report_locations import ReportLocations
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Recording

SET_ASIDE = ".set-aside"
"""The suffix of an evidence file that cannot be judged; its content is unchanged."""

Reader = Callable[[Path], Recording | None]
"""Reads a run's evidence; None if it contains no run that can be judged."""

IdReader = Callable[[Path], str]
"""Reads a run's id from the first line of its evidence; "" if it has none."""


def import_leftovers(store: Store, where: ReportLocations, *, identify: IdReader, read: Reader) -> int:
    """Record every run that has a report, was never in the ledger, and is no longer being written.

    Args:
        store: the ledger.
        where: the locations of the reports.
        identify: reads the run id of an evidence file.
        read: reads an evidence file.

    Returns:
        The number of new runs. Two processes that import at the same time record each run once.
    """
    recorded = store.known()
    added = 0
    for path in where.evidence():
        with contextlib.suppress(OSError):
            run_id = identify(path)
            new = bool(run_id) and run_id not in recorded and _import(store, path, read)
            added += new
            if new or run_id in recorded:
                where.forget(run_id)
    return added


def _import(store: Store, path: Path, read: Reader) -> bool:
    with nobody_writes(path) as alone:
        recording = _read(path, read) if alone else None
        return recording is not None and store.add(recording)


def _read(path: Path, read: Reader) -> Recording | None:
    """Read the recording; a file that makes the judge fail or time out is renamed and not tried again."""
    try:
        return read(path)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - whatever the error is, the next run must not repeat it
        path.rename(path.with_suffix(SET_ASIDE))
        return None
