"""What Render and Sentry know of a release that is live, or was taken back, as fixtures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.judge.restored import Restored, restored
from plugins.judge.signs import grouped
from plugins.judge.traffic import ErrorRates, Traffic, traffic_of
from plugins.model.environment import Environment
from plugins.model.figures import counted
from plugins.model.hosting import Deploy
from plugins.model.hosting_signals import LogLine
from plugins.model.outcomes import Unverified
from plugins.model.outside import Render as Table
from plugins.model.release import Release
from plugins.outside_fixtures import named
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.clients.render import Render
    from plugins.clients.sentry import Sentry

TrafficOf = Callable[[str, datetime, datetime], Traffic]
"""The traffic of a service from one moment to another."""


@pytest.fixture(scope="session")
def hosting(environment: Environment) -> Table:
    """The environment's [render]."""
    return named(environment, "render", environment.render)


@pytest.fixture
def live_commit(environment: Environment, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The commit of a service's live deploy on Render.

    Raises:
        Unverified: nothing tells which commit that is.
    """
    if environment.render is None or not environment.render.key.present:
        key = environment.render.key.name if environment.render else "[render]"
        raise Unverified(f"{key} is not set, and no header or path tells which commit answers")
    render: Render = request.getfixturevalue("render")
    services = environment.render.services

    def of(service: str) -> str:
        deploy = render.live_deploy(services[service])
        if deploy is None or deploy.commit is None:
            raise Unverified(f"Render knows no commit of what is live on {service}")
        return deploy.commit.id

    return of


@pytest.fixture
def release(render: Render, hosting: Table, commit_asked: str) -> Release:
    """The release that is live, or with --commit the latest deploys of it that went live.

    Raises:
        Unverified: there is none.
    """
    deploys = {
        service: _went_live(service, render, service_id, commit_asked)
        for service, service_id in hosting.services.items()
    }
    return Release(deploys, datetime.now(UTC))


@pytest.fixture
def release_after(release: Release) -> Callable[[float], Release]:
    """The release, once it has been live for so many hours."""
    return release.after


@pytest.fixture
def history(render: Render, hosting: Table) -> dict[str, tuple[Deploy, ...]]:
    """Every deploy of each service, newest first."""
    return {service: render.deploys(service_id) for service, service_id in hosting.services.items()}


@pytest.fixture
def rollbacks_since(
    history: dict[str, tuple[Deploy, ...]], release: Release
) -> Callable[[str], tuple[Deploy, ...]]:
    """The rollbacks of a service since the release, which may be one itself; newest first."""

    def of(service: str) -> tuple[Deploy, ...]:
        since = release.deploys[service].created_at
        return tuple(one for one in history[service] if one.created_at >= since and one.trigger == "rollback")

    return of


@pytest.fixture
def deploys_ended(history: dict[str, tuple[Deploy, ...]]) -> Callable[[float], tuple[int, int]]:
    """How many deploys of all services succeeded and failed in so many days; cancelled ones are neither.

    Raises:
        Unverified: there was none.
    """

    def of(days: float) -> tuple[int, int]:
        since = datetime.now(UTC) - timedelta(days=days)
        ended = [one.status for deploys in history.values() for one in deploys if one.created_at > since]
        succeeded, failed = sum(one.succeeded for one in ended), sum(one.failed for one in ended)
        if not succeeded + failed:
            raise Unverified(f"no deploy has ended in {days:g} days")
        return succeeded, failed

    return of


@pytest.fixture
def taken_back(
    history: dict[str, tuple[Deploy, ...]], commit_asked: str, pytestconfig: pytest.Config
) -> dict[str, Restored]:
    """How each service stands after the rollback of --commit, or of what was live before."""
    stays = pytestconfig.stash[RUN].options.stays
    return {
        service: restored(deploys, commit_asked, stays=service in stays)
        for service, deploys in history.items()
    }


@pytest.fixture
def traffic(render: Render, hosting: Table) -> TrafficOf:
    """What real users of a service got."""

    def of(service: str, start: datetime, end: datetime) -> Traffic:
        wanted = [hosting.services[service]]
        return traffic_of(render.http_requests(wanted, start, end), render.http_latency(wanted, start, end))

    return of


@pytest.fixture
def latency_of_path(render: Render, hosting: Table) -> Callable[[str, datetime, datetime], float]:
    """The 95th percentile of real requests to one path of the API in a usual step of time, in ms.

    Raises:
        Unverified: nobody asked for it.
    """

    def of(path: str, start: datetime, end: datetime) -> float:
        latency = render.http_latency([hosting.api_service], start, end, path=path)
        return traffic_of((), latency).typical_p95_ms

    return of


@pytest.fixture
def error_lines(render: Render, hosting: Table, release: Release) -> Callable[[str], tuple[LogLine, ...]]:
    """The error lines in a service's log since the release was begun."""

    def of(service: str) -> tuple[LogLine, ...]:
        wanted = [hosting.services[service]]
        return render.logs(wanted, release.began_at, release.now, levels=["error"], types=["app"]).lines

    return of


@pytest.fixture
def told_in_groups() -> Callable[[tuple[LogLine, ...]], str]:
    """The most frequent messages of log lines, with their counts."""
    return lambda lines: ", ".join(
        f'{counted(count, "time")} "{message}"' for message, count in grouped(lines)[:3]
    )


@pytest.fixture
def error_rates(sentry: Sentry) -> Callable[[datetime, datetime], ErrorRates]:
    """Errors in Sentry in the hour before a moment, and from it to another."""

    def around(began: datetime, end: datetime) -> ErrorRates:
        before = sentry.error_counts(began - timedelta(hours=1), began)
        after = sentry.error_counts(began, end)
        return ErrorRates(
            before=sum(span.errors for span in before),
            before_s=sum(span.seconds for span in before),
            after=sum(span.errors for span in after),
            after_s=sum(span.seconds for span in after),
        )

    return around


@pytest.fixture(scope="session")
def confidence(pytestconfig: pytest.Config) -> float:
    """The policy's confidence of every comparison."""
    return pytestconfig.stash[RUN].runbook.policy.confidence


def _went_live(service: str, render: Render, service_id: str, commit: str) -> Deploy:
    if not commit:
        live = render.live_deploy(service_id)
        if live is None:
            raise Unverified(f"{service} has no live deploy on Render")
        return live
    found = (one for one in render.deploys(service_id) if one.is_of(commit) and one.status.succeeded)
    deploy = next(found, None)
    if deploy is None:
        raise Unverified(f"{service} has no deploy of {commit} on Render that went live")
    return deploy
