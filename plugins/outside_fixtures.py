"""The systems around the platform as fixtures: one client each, recording into the item's evidence.

Each imports its client itself: most runs ask few of these systems; to import them all takes half a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar, Unpack

import pytest

from plugins.checklist import check_of
from plugins.clients.http import Record, Throttle
from plugins.clients.manner import Manner
from plugins.model.environment import Environment
from plugins.model.outcomes import Unverified
from plugins.report_dir import write_atomically
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.clients.git import Git
    from plugins.clients.github import GitHub
    from plugins.clients.pagerduty import PagerDuty
    from plugins.clients.project import ProjectClient
    from plugins.clients.prometheus import Prometheus
    from plugins.clients.render import Render
    from plugins.clients.sentry import Sentry
    from plugins.clients.status_pages import StatusPages
    from plugins.clients.stripe_account import StripeAccount
    from plugins.model.status import OwnPage

Table = TypeVar("Table")
Client_co = TypeVar("Client_co", covariant=True)
Table_contra = TypeVar("Table_contra", contravariant=True)


class _Opens(Protocol[Table_contra, Client_co]):
    def __call__(self, table: Table_contra, **manner: Unpack[Manner]) -> Client_co: ...


class Opener:
    """Opens clients of outside systems; all of them share one memory of rate limits."""

    def __init__(self, environment: Environment, record: Record, remaining: Callable[[], float]) -> None:
        self._manner = Manner(
            timeouts=environment.timeouts, record=record, remaining=remaining, throttle=Throttle()
        )

    def open(self, client: _Opens[Table_contra, Client_co], table: Table_contra) -> Client_co:
        """A client of the system that the table describes."""
        return client(table, **self._manner)


def named(environment: Environment, name: str, table: Table | None) -> Table:
    """The table.

    Raises:
        Unverified: the environment's file has none.
    """
    if table is None:
        raise Unverified(f"{environment.name} has no [{name}]")
    return table


@pytest.fixture(scope="session")
def opener(environment: Environment, record: Record, remaining: Callable[[], float]) -> Opener:
    """Opens the clients below."""
    return Opener(environment, record, remaining)


@pytest.fixture(scope="session")
def render(environment: Environment, opener: Opener) -> Iterator[Render]:
    """Where the services run."""
    from plugins.clients.render import Render  # noqa: PLC0415

    client = opener.open(Render, named(environment, "render", environment.render))
    yield client
    client.close()


@pytest.fixture(scope="session")
def sentry(environment: Environment, opener: Opener) -> Iterator[Sentry]:
    """Where errors are collected."""
    from plugins.clients.sentry import Sentry  # noqa: PLC0415

    client = opener.open(Sentry, named(environment, "sentry", environment.sentry))
    yield client
    client.close()


@pytest.fixture(scope="session")
def github(environment: Environment, opener: Opener) -> Iterator[GitHub]:
    """Where the code is reviewed."""
    from plugins.clients.github import GitHub  # noqa: PLC0415

    client = opener.open(GitHub, named(environment, "github", environment.github))
    yield client
    client.close()


@pytest.fixture(scope="session")
def stripe_account(environment: Environment, opener: Opener) -> Iterator[StripeAccount]:
    """Stripe's own side of the payments."""
    from plugins.clients.stripe_account import StripeAccount  # noqa: PLC0415

    client = opener.open(StripeAccount, named(environment, "stripe", environment.stripe))
    yield client
    client.close()


@pytest.fixture(scope="session")
def status_pages(environment: Environment, opener: Opener) -> StatusPages:
    """The status pages of those we depend on, and our own."""
    from plugins.clients.status_pages import StatusPages  # noqa: PLC0415

    return opener.open(StatusPages, named(environment, "status_pages", environment.status_pages))


@pytest.fixture
def own_page(status_pages: StatusPages) -> OwnPage:
    """Our own status page, as it is now."""
    return status_pages.own_page()


@pytest.fixture(scope="session")
def pagerduty(environment: Environment, opener: Opener) -> Iterator[PagerDuty]:
    """Who is on call."""
    from plugins.clients.pagerduty import PagerDuty  # noqa: PLC0415

    client = opener.open(PagerDuty, named(environment, "pagerduty", environment.pagerduty))
    yield client
    client.close()


@pytest.fixture(scope="session")
def prometheus(environment: Environment, opener: Opener) -> Iterator[Prometheus]:
    """The API's own metrics."""
    from plugins.clients.prometheus import Prometheus  # noqa: PLC0415

    client = opener.open(Prometheus, environment.api)
    yield client
    client.close()


@pytest.fixture(scope="session")
def project(
    environment: Environment, pytestconfig: pytest.Config, record: Record, remaining: Callable[[], float]
) -> ProjectClient:
    """The checkout of what is deployed."""
    from plugins.clients.project import ProjectClient  # noqa: PLC0415

    return ProjectClient(
        named(environment, "project", environment.project),
        pytestconfig.rootpath,
        hidden={credential.name for credential in environment.credentials.values()},
        record=record,
        remaining=remaining,
    )


@pytest.fixture(scope="session")
def git(project: ProjectClient, environment: Environment) -> Git:
    """The git side of the checkout."""
    from plugins.clients.git import Git  # noqa: PLC0415

    return Git(project.commands, within_s=environment.timeouts.answer)


@pytest.fixture
def keep_output(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Keeps the output of a command beside the report, without our secrets; gives the name of the file."""
    run, check = request.config.stash[RUN], check_of(request.node)

    def keep(text: str) -> str:
        if run.report_dir is None or check is None:
            raise RuntimeError("only a check of a run with a report has output to keep")
        path = run.report_dir / f"{check.item.id}.log"
        write_atomically(path, run.masker.text(text))
        return path.name

    return keep
