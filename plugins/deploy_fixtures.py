"""What a deployment left behind on Render: its log lines and its events, as fixtures."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.judge.signs import Sign, Signs, signs_in
from plugins.model.deployment import Deployment
from plugins.model.hosting import DeployStatus, Event
from plugins.model.hosting_signals import Logs
from plugins.model.outcomes import NotApplicable, Unverified
from plugins.model.outside import Render as Table
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.clients.render import Render

_NEVER_STARTED = {DeployStatus.BUILD_FAILED, DeployStatus.PRE_DEPLOY_FAILED, DeployStatus.CANCELED}

_MOST_LINES = 2_000
"""Of one log; a build of Next.js writes some hundred."""

_SETTLED = timedelta(seconds=60)
"""How long after its deploy a service may still write the lines of its start."""

_LATE_S = 6.0
"""How long lines that were written may take to be found at Render."""

_PAUSE_S = 2.0


class DeployLogs:
    """The logs of each service's deploy, read once a session and kind.

    Args:
        render, table: where to read.
        deployment: whose.
    """

    def __init__(self, render: Render, table: Table, deployment: Deployment) -> None:
        self._render = render
        self._table = table
        self._deployment = deployment

    def read(self, service: str, *types: str) -> Logs:
        """The lines of those types ("build", "app"; both where none is named)."""
        deploy = self._deployment.deploy(service)
        ended = deploy.finished_at or datetime.now(UTC)
        return self._render.logs(
            [self._table.services[service]],
            deploy.created_at,
            min(ended + _SETTLED, datetime.now(UTC)),
            types=types or ("app", "build"),
            at_most=_MOST_LINES,
        )


@pytest.fixture
def deploy_logs(render: Render, hosting: Table, deployment: Deployment) -> DeployLogs:
    """The logs of the deployment of --commit."""
    return DeployLogs(render, hosting, deployment)


@pytest.fixture
def signs(
    deploy_logs: DeployLogs, deployment: Deployment, pytestconfig: pytest.Config
) -> Callable[..., Signs]:
    """Looks for the signs of runbook.toml in a service's log: `signs("api")`, `signs("api", "build")`."""
    runbook = pytestconfig.stash[RUN].runbook

    def of(service: str, *types: str) -> Signs:
        # A deploy that failed will not show what it lacks, however long we wait.
        patience_s = _LATE_S if deployment.deploy(service).status.succeeded and not types else 0.0
        until = time.monotonic() + patience_s
        while True:
            logs = deploy_logs.read(service, *types)
            found = signs_in(logs.lines, service, runbook, complete=logs.complete)
            if not found.lacking or time.monotonic() + _PAUSE_S > until:
                return found
            time.sleep(_PAUSE_S)

    return of


@pytest.fixture
def start_signs(signs: Callable[..., Signs], deployment: Deployment) -> Callable[[str], Signs]:
    """Looks for the signs of a service's start, where its build left something to be started."""

    def of(service: str) -> Signs:
        status = deployment.deploy(service).status
        if status in _NEVER_STARTED:
            raise NotApplicable(f"{service} was not started: its deploy is {status.value.replace('_', ' ')}")
        return signs(service)

    return of


@pytest.fixture
def migrated(signs: Callable[..., Signs], deployment: Deployment) -> Sign:
    """The line that says that the migrations are complete, seen or not.

    Raises:
        Unverified: the build ended without it, and nobody knows before or after the migrations.
    """
    sign = signs("frontend").one("frontend-migrations-complete")
    if not sign.seen and deployment.deploy("frontend").status in _NEVER_STARTED:
        raise Unverified("the build ended early, and its log does not say whether it had migrated")
    return sign


@pytest.fixture
def deploy_events(
    render: Render, hosting: Table, deployment: Deployment
) -> Callable[..., dict[str, tuple[Event, ...]]]:
    """What happened to each service since its deploy began, of the types that are named."""

    def of(*types: str) -> dict[str, tuple[Event, ...]]:
        return {
            service: render.events(
                service_id, deployment.deploy(service).created_at, datetime.now(UTC), types
            )
            for service, service_id in hosting.services.items()
        }

    return of
