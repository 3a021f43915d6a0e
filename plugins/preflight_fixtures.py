"""What the checks before a deployment look at, where it takes more than one system to tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.judge.approval import Approval, approval
from plugins.judge.migration_plan import FilesOnDisk, MigrationPlan, on_disk, plan
from plugins.judge.values import DatabaseAddress, database_address
from plugins.judge.variables import VariableRules
from plugins.model.environment import Environment
from plugins.model.hosting_data import RecoveryStatus
from plugins.model.outcomes import Unverified, WrongAnswer
from plugins.model.readiness import Backup, Backups, Connections
from plugins.outside_fixtures import named
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.clients.database import DatabaseClient
    from plugins.clients.git import Git
    from plugins.clients.github import GitHub
    from plugins.clients.project import ProjectClient
    from plugins.clients.render import Render

_LATELY = timedelta(minutes=10)
_CONNECTIONS_AT_RENDER = 100
"""The limit of a database with less than 8 GB of memory: render.com/docs/postgresql-creating-connecting."""

_PLAN_ITEM = "preflight.migration-plan-reviewed"


@pytest.fixture
def commit_to_deploy(commit_asked: str, request: pytest.FixtureRequest) -> str:
    """The commit of --commit, or else the one that is checked out.

    Raises:
        Unverified: there is neither.
    """
    environment: Environment = request.getfixturevalue("environment")
    if commit_asked:
        return commit_asked
    if environment.project is None:
        raise Unverified("which commit is to be deployed? Give --commit, or the checkout's [project]")
    git: Git = request.getfixturevalue("git")
    return git.head()


@pytest.fixture
def reviewed(github: GitHub, commit_to_deploy: str) -> Approval:
    """Who approved the commit."""
    pulls = github.pulls_of(commit_to_deploy)
    return approval(commit_to_deploy, [(pull, github.reviews(pull)) for pull in pulls])


@pytest.fixture
def variables(environment: Environment, render: Render) -> VariableRules:
    """What both services run with, held against the rules; no value leaves."""
    table = named(environment, "render", environment.render)
    found = {part: render.variables(service_id) for part, service_id in table.services.items()}
    return VariableRules(found, environment)


@pytest.fixture
def database_addresses(environment: Environment, render: Render) -> tuple[DatabaseAddress, ...]:
    """The addresses of the database that Render itself gives; none where the environment does not name it.

    Raises:
        WrongAnswer: Render's are none.
    """
    if not named(environment, "render", environment.render).postgres:
        return ()
    info = render.connection_info()
    texts = (info.internal_connection_string, info.external_connection_string)
    try:
        return tuple(database_address(text.get_secret_value()) for text in texts)
    except ValueError as why:
        raise WrongAnswer(f"Render's own database address {why}") from None


@pytest.fixture
def blueprint_differences(
    environment: Environment, render: Render, project: ProjectClient
) -> tuple[str, ...]:
    """Where both services are not what render.yaml says."""
    # Other phases need no YAML.
    from plugins.clients import blueprint  # noqa: PLC0415

    table = named(environment, "render", environment.render)
    live = [render.service(service_id) for service_id in table.services.values()]
    return blueprint.differences(project.blueprint(), {service.name: service for service in live})


@pytest.fixture
def migration_files(project: ProjectClient) -> FilesOnDisk:
    """The migrations on disk."""
    return on_disk(project.migrations(), datetime.now(UTC))


@pytest.fixture
def migration_plan(project: ProjectClient, database: DatabaseClient) -> MigrationPlan:
    """What the next deployment does to the schema."""
    return plan(project.migrations(), database.migrations())


@pytest.fixture
def said_of_plan(pytestconfig: pytest.Config) -> str:
    """What somebody who read the migration plan says of it, or ""."""
    word = pytestconfig.stash[RUN].attestations.get(_PLAN_ITEM)
    return word.what if word is not None and word.until > datetime.now(UTC) else ""


@pytest.fixture
def backups(environment: Environment, request: pytest.FixtureRequest) -> Backups:
    """What each configured source could bring the database back to.

    Raises:
        Unverified: no source is configured.
    """
    now = datetime.now(UTC)
    found: dict[str, datetime | None] = {}
    table = environment.render
    if table is not None and table.postgres and table.key.present:
        render: Render = request.getfixturevalue("render")
        at_any_moment = render.recovery().recovery_status is RecoveryStatus.AVAILABLE
        found["Render's point-in-time recovery"] = now if at_any_moment else None
        found["Render's exports"] = next((export.created_at for export in render.exports()), None)
    if environment.project is not None:
        project: ProjectClient = request.getfixturevalue("project")
        found[f"the folder {environment.project.backups}"] = project.newest_backup()
    if not found:
        raise Unverified("nobody can tell of backups: neither [render] postgres nor [project] is configured")
    limit = environment.project.backup_max_age_hours if environment.project else 24.0
    made = (Backup(source, moment) for source, moment in found.items() if moment is not None)
    return Backups(tuple(found), tuple(made), limit, now)


@pytest.fixture
def connections(environment: Environment, request: pytest.FixtureRequest) -> tuple[Connections, ...]:
    """How many connections to the database are taken, by each configured source.

    Raises:
        Unverified: no source is configured.
        WrongAnswer: Render says that the database does not serve.
    """
    found: list[Connections] = []
    if environment.database.url.present:
        database: DatabaseClient = request.getfixturevalue("database")
        counted = database.connections()
        found.append(Connections("PostgreSQL's own count", counted.used, counted.limit))
    table = environment.render
    if table is not None and table.postgres and table.key.present:
        render: Render = request.getfixturevalue("render")
        postgres = render.postgres()
        if not postgres.is_available:
            raise WrongAnswer(f"Render says that {postgres.name} is {postgres.status} ({postgres.suspended})")
        now = datetime.now(UTC)
        values = [value for one in render.active_connections(now - _LATELY, now) for value in one.values]
        limit = max([_CONNECTIONS_AT_RENDER, *(one.limit for one in found)])
        if values:
            found.append(Connections("Render's metrics of ten minutes", round(max(values)), limit))
    if not found:
        raise Unverified("nobody can count connections: neither database.url nor [render] postgres is set")
    return tuple(found)
