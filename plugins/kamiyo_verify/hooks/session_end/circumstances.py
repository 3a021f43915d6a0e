"""Circumstances of a run: outside facts that can change its verdict, looked up once at its end.

Each lookup has its own thread and client, and all of them share a limit of `_WITHIN_S` seconds. A lookup
that fails or is late counts as unknown; it never fails the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.judge.attribution.attribution import attributed, goes_by_clock
from kamiyo_verify.judge.attribution.services import changed
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.schema_since import migrations_before, schema_since
from kamiyo_verify.judge.rules.rules import findings
from kamiyo_verify.model.circumstances import Migrated, SupplierReport
from kamiyo_verify.model.runbook import SupplierRow
from kamiyo_verify.model.words import Status
from kamiyo_verify.processes.background_job import BackgroundJob

if TYPE_CHECKING:
    from kamiyo_verify.hooks.session_end.lookups import Lookups

_WITHIN_S = 15.0

_SILENT = "its status page did not answer in time"

T = TypeVar("T")


def with_circumstances(
    environment: Environment, root: Path, evidence: Evidence, bad_commits: Callable[[], Iterable[str]]
) -> Evidence:
    """Return the evidence with the circumstances added; unchanged if the run found no problem.

    Args:
        environment: holds the systems to query.
        root: the folder of the run; the path of the checkout is relative to it.
        evidence: the run's evidence, complete except for the circumstances.
        bad_commits: returns the commits that must not be rolled back to.
    """
    if evidence.interrupted or not findings(attributed(evidence)):
        return evidence
    # Without problems no lookup runs, and the modules for lookups are not imported.
    from kamiyo_verify.hooks.session_end.lookups import Lookups  # noqa: PLC0415

    until = time.monotonic() + _WITHIN_S

    def left() -> float:
        return until - time.monotonic()

    look = Lookups(environment, root, left)
    suppliers = {
        row.id: BackgroundJob(partial(look.supplier, row), row.id) for row in _suppliers_to_ask(evidence)
    }
    clock = BackgroundJob(look.clock, "clock") if _goes_by_clock(evidence) else None
    hosted = BackgroundJob(look.hosted, "hosting")
    bad = BackgroundJob(lambda: tuple(bad_commits()), "bad commits")
    known = replace(
        evidence,
        suppliers=tuple(
            _outcome(later, left, SupplierReport(supplier, unknown=_SILENT))
            for supplier, later in suppliers.items()
        ),
        clock_ahead_s=_outcome(clock, left, None) if clock else None,
        hosted=_outcome(hosted, left, ()),
        bad_commits=_outcome(bad, left, ()),
    )
    began = _began(known)
    if began is not None:
        known = replace(known, deploy_minutes=_minutes_since(began, evidence.finished_at))
    schema = _schema(known, look)
    return replace(known, migrated=_outcome(schema, left, None)) if schema else known


def _schema(evidence: Evidence, look: Lookups) -> BackgroundJob[Migrated | None] | None:
    """Look up the migrations since the code that a rollback restores; None if its time is unknown.

    If the host does not report that time, use the baseline's list of migrations that were applied then.
    """
    since = schema_since(evidence)
    if since is not None:
        return BackgroundJob(partial(look.migrated, since), "migrations")
    known = migrations_before(evidence)
    return None if known is None else BackgroundJob(partial(look.migrated_beyond, known), "migrations")


def _outcome(later: BackgroundJob[T], left: Callable[[], float], otherwise: T) -> T:
    try:
        return later.outcome(left())
    except Exception:  # noqa: BLE001 - then it is unknown
        return otherwise


def _suppliers_to_ask(evidence: Evidence) -> list[SupplierRow]:
    """Return the suppliers that the failed items depend on."""
    behind = {evidence.item(result.item).supplier for result in evidence.failed()}
    return [row for row in evidence.runbook.suppliers if row.id in behind]


def _goes_by_clock(evidence: Evidence) -> bool:
    return any(goes_by_clock(evidence, result) for result in evidence.with_status(Status.FAILED))


def _began(evidence: Evidence) -> datetime | None:
    """Return when the deployment under verification began."""
    return min((one.live.created_at for one in changed(evidence) if one.live), default=None)


def _minutes_since(began: datetime, moment: str) -> float:
    return round(max(0.0, (datetime.fromisoformat(moment) - began).total_seconds() / 60), 1)
