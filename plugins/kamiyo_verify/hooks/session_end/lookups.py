"""Lookups of a run's circumstances: suppliers' status, clock offset, deploys at the host, migrations."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.fixtures.hosts import open_hosting
from kamiyo_verify.hooks.network import Network
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.integrations.prisma.migration_files import migrations_in
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.statuspage.client import StatusPages
from kamiyo_verify.judge.attribution.suppliers import counts, region_of
from kamiyo_verify.judge.rollback.migrated import migrated, migrated_beyond
from kamiyo_verify.model.circumstances import Migrated, SupplierReport
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.migrations import MigrationFile, RecordedMigration
from kamiyo_verify.model.outcomes import NoAnswer, NotRead
from kamiyo_verify.model.outside.status import Component, ComponentStatus
from kamiyo_verify.model.runbook import SupplierRow

_FAULTY = {
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
}
"""Statuses that count as an incident; announced maintenance does not."""


class Lookups:
    """Looks up facts outside of the run.

    Args:
        environment: holds the systems to query.
        root: the folder of the run; the path of the checkout is relative to it.
        remaining: returns the seconds left for all lookups.
    """

    def __init__(self, environment: Environment, root: Path, remaining: Callable[[], float]) -> None:
        self._environment = environment
        self._root = root
        self._context = ClientContext.unrecorded(environment.timeouts, remaining)

    def supplier(self, row: SupplierRow) -> SupplierReport:
        """Return the status of a supplier's relevant components, from its status page."""
        table = self._environment.status_pages
        if table is None:
            return SupplierReport(row.id, unknown=f"{self._environment.name} has no [status_pages]")
        pages = StatusPages(table, self._context)
        try:
            summary = pages.summary(getattr(table, row.page))
        except (NoAnswer, NotRead) as silence:
            return SupplierReport(row.id, unknown=str(silence))
        regions = self._regions() if any(region_of(part.name) for part in summary.components) else ()
        counting = [part for part in summary.components if counts(part.name, row, regions)]
        if not counting:
            return SupplierReport(row.id, unknown=f"the page of {row.name} names no {row.components[0]}")
        return SupplierReport(
            row.id,
            tuple(_describe(part) for part in counting if part.status in _FAULTY),
            incidents=tuple(one.description for one in summary.incidents if one.is_open),
        )

    def _regions(self) -> tuple[str, ...]:
        """Return the regions of our services; empty if unknown."""
        table, hosted = self._environment.render, self._environment.hosted
        if table is None or not table.key.present:
            return ()
        render = Render(table, self._context, services=hosted)
        try:
            ours = (render.service(service_id).service_details for service_id in hosted.values())
            return tuple({one.region for one in ours if one.region})
        except NoAnswer:
            return ()
        finally:
            render.close()

    def clock(self) -> float | None:
        """Return by how many seconds our clock is ahead of a control address's clock; None if unknown."""
        return Network(self._environment)().clock_ahead_s

    def hosted(self) -> tuple[ServiceState, ...]:
        """Return the state of every hosted service, without those for which the host gave no answer."""
        hosting = open_hosting(self._environment, self._context)
        if hosting is None:
            return ()
        found = []
        try:
            for service in hosting.services:
                with suppress(NoAnswer):
                    found.append(hosting.state(service))
        finally:
            hosting.close()
        return tuple(found)

    def migrated(self, since: datetime) -> Migrated | None:
        """Return the migrations applied to the database since then; None if unknown."""
        rows = self._migration_rows()
        return None if rows is None else migrated(rows, self._migration_files(), since)

    def migrated_beyond(self, known: Collection[str]) -> Migrated | None:
        """Return the migrations applied to the database other than these; None if unknown."""
        rows = self._migration_rows()
        return None if rows is None else migrated_beyond(rows, self._migration_files(), known)

    def _migration_rows(self) -> tuple[RecordedMigration, ...] | None:
        environment = self._environment
        if not environment.database.url.present:
            return None
        database = DatabaseClient(environment.database, self._context, production=environment.production)
        try:
            return database.migrations()
        finally:
            database.close()

    def _migration_files(self) -> tuple[MigrationFile, ...]:
        """Return the migration files of the checkout; empty without a checkout."""
        project = self._environment.project
        if project is None:
            return ()
        try:
            return migrations_in(self._root / Path(project.path).expanduser() / project.migrations)
        except NoAnswer:
            return ()


def _describe(part: Component) -> str:
    return f"{part.name}: {part.status.value.replace('_', ' ')}"
