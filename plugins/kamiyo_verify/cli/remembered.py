"""Ledger queries of the command line: all data of an environment, and the run that the user named."""

from __future__ import annotations

from pathlib import Path

from kamiyo_verify.evidence.recording import run_id
from kamiyo_verify.judge.history.availability import MONTH_S
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.environment_history import Remembered


def remembered(store: Store, environment: str, *, now: float) -> Remembered:
    """Return all data of an environment.

    Args:
        store: the ledger.
        environment: the name of the environment.
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
    """Return the ids of the runs that match a report's folder, or the beginning of an id.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    evidence = Path(named) / "evidence.jsonl"
    wanted = run_id(evidence) if named and evidence.is_file() else named
    return store.find(wanted) if wanted else ()
