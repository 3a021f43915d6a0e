"""What surrounds a run, looked up once at its end where it can change what is said. It can fail no run.

Each look has a thread and a client of its own, and all of them together have `_WITHIN_S`. What does not come
is not known, and the judge takes it for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from plugins.judge.attribution import attributed
from plugins.judge.evidence import Evidence
from plugins.judge.rollback import findings
from plugins.judge.services import changed
from plugins.later import Later
from plugins.model.circumstances import Migrated, SupplierReport
from plugins.model.environment import Environment
from plugins.model.runbook import SupplierRow
from plugins.model.words import Status

_WITHIN_S = 15.0

_SILENT = "its status page did not answer in time"

T = TypeVar("T")


def with_circumstances(
    environment: Environment, root: Path, evidence: Evidence, bad_commits: Callable[[], Iterable[str]]
) -> Evidence:
    """The evidence with all that the judge may want to know besides; as it is where nothing is wrong.

    Args:
        environment: where to look.
        root: the folder of the run, where the path of the checkout begins.
        evidence: of the run, complete but for this.
        bad_commits: the commits that nobody goes back to.
    """
    if evidence.interrupted or not findings(attributed(evidence)):
        return evidence
    # Where all is well nobody looks, and nothing is imported that looks.
    from plugins.look import Look  # noqa: PLC0415

    until = time.monotonic() + _WITHIN_S

    def left() -> float:
        return until - time.monotonic()

    look = Look(environment, root, left)
    suppliers = {row.id: Later(partial(look.supplier, row), row.id) for row in _asked(evidence)}
    clock = Later(look.clock, "clock") if _goes_by_clock(evidence) else None
    hosted = Later(lambda: look.hosted(bad_commits()), "hosting")
    known = replace(
        evidence,
        suppliers=tuple(
            _outcome(later, left, SupplierReport(supplier, unknown=_SILENT))
            for supplier, later in suppliers.items()
        ),
        clock_ahead_s=_outcome(clock, left, None) if clock else None,
        hosted=_outcome(hosted, left, ()),
    )
    began = _began(known)
    if began is None:
        return known
    schema: Later[Migrated | None] = Later(partial(look.migrated, began), "migrations")
    return replace(
        known,
        deploy_minutes=_minutes_since(began, evidence.finished_at),
        migrated=_outcome(schema, left, None),
    )


def _outcome(later: Later[T], left: Callable[[], float], otherwise: T) -> T:
    try:
        return later.outcome(left())
    except Exception:  # noqa: BLE001 - then it is not known
        return otherwise


def _asked(evidence: Evidence) -> list[SupplierRow]:
    """The suppliers behind what failed."""
    behind = {evidence.item(result.item).supplier for result in evidence.failed()}
    return [row for row in evidence.runbook.suppliers if row.id in behind]


def _goes_by_clock(evidence: Evidence) -> bool:
    return any(evidence.item(result.item).by_clock for result in evidence.with_status(Status.FAILED))


def _began(evidence: Evidence) -> datetime | None:
    """When the deployment began of which the run tells."""
    began = [one.current.began_at for one in changed(evidence) if one.current]
    return datetime.fromisoformat(min(began)) if began else None


def _minutes_since(began: datetime, moment: str) -> float:
    return round(max(0.0, (datetime.fromisoformat(moment) - began).total_seconds() / 60), 1)
