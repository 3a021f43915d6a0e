"""Looks at what surrounds a run: suppliers, the clock, what is live on Render, what was migrated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from plugins.clients.database import DatabaseClient
from plugins.clients.migration_files import migrations_in
from plugins.clients.render import Render
from plugins.clients.status_pages import StatusPages
from plugins.judge.migrated import migrated
from plugins.judge.way_back import live_and_before
from plugins.model.circumstances import Hosted, Migrated, SupplierReport, Version
from plugins.model.environment import Environment
from plugins.model.hosting import Deploy
from plugins.model.migrations import MigrationFile
from plugins.model.outcomes import NoAnswer
from plugins.model.result import Exchange
from plugins.model.runbook import SupplierRow
from plugins.model.status import Component, ComponentStatus
from plugins.model.words import WebService
from plugins.network import Network

_FAULTY = {
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
}
"""A maintenance that was announced is no incident."""


class Look:
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
