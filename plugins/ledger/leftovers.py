"""Runs that are in no ledger: killed before they could write, or the ledger was away at their end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from plugins.ledger.lock import nobody_writes
from plugins.ledger.store import Store
from plugins.ledger.whereabouts import Whereabouts
from plugins.model.recorded import Recording

Reader = Callable[[Path], Recording | None]
"""Reads a run's evidence; None where it holds no run that can be judged."""

IdReader = Callable[[Path], str]
"""Reads the id of a run from its evidence's first line; "" where it has none."""


def import_leftovers(store: Store, where: Whereabouts, *, identify: IdReader, read: Reader) -> int:
    """Record every run whose report is there, that is not recorded, and that nobody is writing any more.

    Args:
        store: the ledger.
        where: the reports are.
        identify: of an evidence file.
        read: an evidence file.

    Returns:
        How many were new. Two processes that do this at once record each run once.
    """
    recorded = store.ids()
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
        recording = read(path) if alone else None
        return recording is not None and store.add(recording)
