"""What command lines ask of a ledger: all that it remembers of an environment, and the run that is meant."""

from __future__ import annotations

from pathlib import Path

from plugins.judge.availability import MONTH_S
from plugins.ledger.store import Store
from plugins.model.chronicle import Remembered
from plugins.recording import run_id


def remembered(store: Store, environment: str, *, now: float) -> Remembered:
    """All of an environment.

    Args:
        store: the ledger.
        environment: its name.
        now: seconds since the epoch.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    return Remembered(
        environment=environment,
        ledger=store.name,
        past=store.past(environment),
        outlines=store.outlines(environment),
        decisions=store.decisions(environment),
        traffic=store.traffic(environment, since=now - 2 * MONTH_S),
    )


def matching(store: Store, named: str) -> tuple[str, ...]:
    """The ids of the runs that somebody may mean by a report's folder, or by the beginning of an id.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    evidence = Path(named) / "evidence.jsonl"
    wanted = run_id(evidence) if named and evidence.is_file() else named
    return store.find(wanted) if wanted else ()
