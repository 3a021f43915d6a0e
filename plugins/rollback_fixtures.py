"""What is looked at after a rollback, where it takes more than one question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.clients.api import ApiClient
from plugins.clients.frontend import FrontendClient
from plugins.clients.sign_in import SignInClient
from plugins.judge.restored import Restored, rolled_back_from
from plugins.judge.signs import plain, short
from plugins.model.migrations import MigrationFile, RecordedMigration
from plugins.model.outcomes import Unverified
from plugins.model.outside import Render as Table

if TYPE_CHECKING:
    from plugins.clients.database import DatabaseClient
    from plugins.clients.project import ProjectClient
    from plugins.clients.render import Render

_MIGRATION = re.compile(r"migrat|\bP3\d{3}\b", re.IGNORECASE)
"""P3000 to P3999 are Prisma's own codes of migrations that failed."""

_COMMAND = re.compile(r"^==> Running")
"""Render repeats the commands of a build, which name the migration whether it ran or not."""

_LASTS = timedelta(hours=2)
"""A deploy does not take longer: Render ends a build that does."""


@pytest.fixture
def auto_deploy(render: Render, hosting: Table) -> dict[str, bool]:
    """Whether Render deploys a push by itself, by service."""
    return {
        service: render.service(service_id).auto_deploy for service, service_id in hosting.services.items()
    }


@pytest.fixture
def bad_release_began(taken_back: Mapping[str, Restored]) -> datetime:
    """When the deployment of the release that was taken back began.

    Raises:
        Unverified: Render knows of none.
    """
    began = rolled_back_from(taken_back)
    if began is None:
        raise Unverified("Render knows of no release that was taken back")
    return began


@pytest.fixture
def migrations_since(
    bad_release_began: datetime, database: DatabaseClient, project: ProjectClient
) -> tuple[MigrationFile, ...]:
    """The migrations that were applied since the bad release began, with what each does.

    Raises:
        Unverified: the checkout does not have one of them as it was applied.
    """
    applied = [row for row in database.migrations() if row.applied and row.started_at >= bad_release_began]
    files = {file.name: file for file in project.migrations()} if applied else {}
    unknown = [row.name for row in applied if not _is_of(row, files.get(row.name))]
    if unknown:
        raise Unverified(
            f"the checkout has no {', '.join(unknown)}: only in the commit that was taken back can be seen"
            " what they do"
        )
    return tuple(files[row.name] for row in applied)


def _is_of(row: RecordedMigration, file: MigrationFile | None) -> bool:
    return file is not None and row.checksum in file.checksums


@pytest.fixture
def migration_lines(render: Render, hosting: Table, bad_release_began: datetime) -> tuple[str, ...]:
    """What the frontend's log of the bad release says of migrations, each line short."""
    until = min(bad_release_began + _LASTS, datetime.now(UTC))
    logs = render.logs(
        [hosting.frontend_service], bad_release_began, until, types=["build", "app"], at_most=2_000
    )
    return tuple(
        f"{line.timestamp:%H:%M:%S} {short(line.message)}"
        for line in logs.lines
        if _MIGRATION.search(plain(line.message)) and not _COMMAND.search(plain(line.message))
    )


@pytest.fixture
def vital_signs(
    api: ApiClient, frontend: FrontendClient, sign_in: SignInClient
) -> Callable[[str], dict[str, str]]:
    """What is wrong with each thing that people come for, by name; "" where it is well."""

    def of_api() -> dict[str, str]:
        health, readiness = api.health(), api.readiness()
        exploits = api.exploits(page=1, page_size=10).total
        return {
            "health": "" if health.status == "healthy" else f'/health says "{health.status}"',
            "readiness": "" if readiness.status == "ready" else f'/ready says "{readiness.status}"',
            "exploits": "" if exploits else "no exploit is listed",
        }

    def of_frontend() -> dict[str, str]:
        home, page, proxy = frontend.page("/"), sign_in.page(), frontend.get("/api/health")
        return {
            "home": "" if home.body.strip() else "the home page is empty",
            "sign_in": "" if page.status == 200 and page.body.strip() else page.told("200 and a page"),
            "way_to_the_api": "" if proxy.status == 200 else proxy.told("200"),
        }

    return lambda service: {"api": of_api, "frontend": of_frontend}[service]()
