"""What surrounds a run, looked up once at its end where it can change what is said. It can fail no run.

Each look has a thread and a client of its own, and all of them together have `_WITHIN_S`. What does not come
is not known, and the judge takes it for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from plugins.clients.database import DatabaseClient
from plugins.clients.migration_files import migrations_in
from plugins.clients.render import Render
from plugins.clients.status_pages import StatusPages
from plugins.judge.attribution import attributed
from plugins.judge.evidence import Evidence
from plugins.judge.migrated import migrated
from plugins.judge.rollback import findings
from plugins.judge.services import changed
from plugins.judge.way_back import live_and_before
from plugins.later import Later
from plugins.model.circumstances import Hosted, Migrated, SupplierReport, Version
from plugins.model.environment import Environment
from plugins.model.hosting import Deploy
from plugins.model.migrations import MigrationFile
from plugins.model.outcomes import NoAnswer
from plugins.model.result import Exchange
from plugins.model.runbook import SupplierRow
from plugins.model.status import Component, ComponentStatus
from plugins.model.words import Status, WebService
from plugins.network import Network

_WITHIN_S = 15.0

_SILENT = "its status page did not answer in time"

_FAULTY = {
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
}
"""A maintenance that was announced is no incident."""

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
    until = time.monotonic() + _WITHIN_S

    def left() -> float:
        return until - time.monotonic()

    look = _Look(environment, root, left)
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


class _Look:
    """Looks at what is outside of the run.

    Args:
        environment: where.
        root: where the path of the checkout begins.
        remaining: seconds that are left for all of it.
    """

    def __init__(self, environment: Environment, root: Path, remaining: Callable[[], float]) -> None:
        self._environment = environment
        self._root = root
        self._remaining = remaining

    def supplier(self, row: SupplierRow) -> SupplierReport:
        """What a third party's page says of the components that count."""
        table = self._environment.status_pages
        if table is None:
            return SupplierReport(row.id, unknown=f"{self._environment.name} has no [status_pages]")
        pages = StatusPages(
            table, timeouts=self._environment.timeouts, record=_forget, remaining=self._remaining
        )
        try:
            summary = pages.summary(getattr(table, row.page))
        except NoAnswer as silence:
            return SupplierReport(row.id, unknown=str(silence))
        counting = [part for part in summary.components if _counts(part, row)]
        if not counting:
            return SupplierReport(row.id, unknown=f"the page of {row.name} names no {row.components[0]}")
        return SupplierReport(row.id, tuple(_told(part) for part in counting if part.status in _FAULTY))

    def clock(self) -> float | None:
        """By how many seconds our clock is ahead of a control address's."""
        return Network(self._environment)().clock_ahead_s

    def hosted(self, bad_commits: Iterable[str]) -> tuple[Hosted, ...]:
        """Both services on Render."""
        table = self._environment.render
        if table is None or not table.key.present:
            return ()
        bad = tuple(bad_commits)
        render = Render(table, timeouts=self._environment.timeouts, record=_forget, remaining=self._remaining)
        try:
            return tuple(
                self._hosted(
                    render, WebService(part), service_id, f"{table.address}/services/{service_id}", bad
                )
                for part, service_id in table.services.items()
            )
        finally:
            render.close()

    def migrated(self, since: datetime) -> Migrated | None:
        """What was applied to the database since then; None where nobody can tell."""
        environment = self._environment
        if not environment.database.url.present:
            return None
        database = DatabaseClient(
            environment.database, timeouts=environment.timeouts, record=_forget, remaining=self._remaining
        )
        try:
            rows = database.migrations()
        finally:
            database.close()
        return migrated(rows, self._migration_files(), since)

    def _migration_files(self) -> tuple[MigrationFile, ...]:
        """Those of the checkout; none where there is no checkout."""
        project = self._environment.project
        if project is None:
            return ()
        try:
            return migrations_in(self._root / Path(project.path).expanduser() / project.migrations)
        except NoAnswer:
            return ()

    def _hosted(
        self, render: Render, service: WebService, service_id: str, api: str, bad: tuple[str, ...]
    ) -> Hosted:
        found = render.service(service_id)
        live, good = live_and_before(render.deploys(service_id), bad)
        return Hosted(
            service=service,
            name=found.name,
            dashboard=found.dashboard_url,
            api=api,
            auto_deploy=found.auto_deploy,
            current=_version(live) if live else None,
            last_good=_version(good) if good else None,
        )


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


def _counts(part: Component, row: SupplierRow) -> bool:
    return any(word.casefold() in part.name.casefold() for word in row.components)


def _told(part: Component) -> str:
    return f"{part.name}: {part.status.value.replace('_', ' ')}"


def _version(deploy: Deploy) -> Version:
    live_at = deploy.finished_at
    return Version(
        deploy=deploy.id,
        commit=deploy.commit.id if deploy.commit else "",
        began_at=_text(deploy.created_at),
        live_at=_text(live_at) if live_at else "",
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _forget(exchange: Exchange) -> None:
    """What is asked here is no evidence of an item."""
