"""The nouns of the platform as fixtures: one client each, recording into the evidence of the current item.

A client that needs a library of its own is imported where it is asked for: many runs need none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from plugins.clients.answer import Answer
from plugins.clients.api import ApiClient
from plugins.clients.frontend import FrontendClient
from plugins.clients.http import HttpClient, Record, Throttle
from plugins.clients.payments import PaymentsClient
from plugins.clients.sign_in import SignInClient
from plugins.model.environment import CommitSource, Environment
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.clients.database import DatabaseClient
    from plugins.clients.realtime import RealtimeClient
    from plugins.clients.slow_queries import SlowQuery
    from plugins.clients.timing import TimingClient

Connect = Callable[[str], HttpClient]


@pytest.fixture(scope="session")
def connect(environment: Environment, record: Record, remaining: Callable[[], float]) -> Iterator[Connect]:
    """Opens HTTP to an origin; all that is opened shares one memory of rate limits."""
    throttle = Throttle()
    opened: dict[str, HttpClient] = {}

    def to(origin: str) -> HttpClient:
        if origin not in opened:
            opened[origin] = HttpClient(
                origin, timeouts=environment.timeouts, record=record, remaining=remaining, throttle=throttle
            )
        return opened[origin]

    yield to
    for client in opened.values():
        client.close()


@pytest.fixture(scope="session")
def api(environment: Environment, connect: Connect) -> ApiClient:
    """The public API."""
    return ApiClient(environment.api, connect(environment.api.url))


@pytest.fixture(scope="session")
def frontend(environment: Environment, connect: Connect) -> FrontendClient:
    """The website."""
    return FrontendClient(environment.frontend, connect(environment.frontend.url))


@pytest.fixture(scope="session")
def sign_in(environment: Environment, connect: Connect) -> SignInClient:
    """NextAuth on the website."""
    return SignInClient(environment.sign_in, connect(environment.frontend.url))


@pytest.fixture(scope="session")
def payments(environment: Environment, connect: Connect) -> PaymentsClient:
    """The webhook endpoint that Stripe delivers to."""
    parts = urlsplit(environment.webhook_url)
    http = connect(f"{parts.scheme}://{parts.netloc}")
    return PaymentsClient(environment.payments, http, livemode=environment.production)


@pytest.fixture(scope="session")
def realtime(environment: Environment, record: Record, remaining: Callable[[], float]) -> RealtimeClient:
    """The WebSocket of live updates."""
    from plugins.clients.realtime import RealtimeClient  # noqa: PLC0415

    return RealtimeClient(
        environment.websocket_url,
        environment.api.key,
        timeouts=environment.timeouts,
        record=record,
        remaining=remaining,
    )


@pytest.fixture(scope="session")
def database(
    environment: Environment, record: Record, remaining: Callable[[], float]
) -> Iterator[DatabaseClient]:
    """The PostgreSQL behind the API, for reading only."""
    from plugins.clients.database import DatabaseClient  # noqa: PLC0415

    client = DatabaseClient(
        environment.database, timeouts=environment.timeouts, record=record, remaining=remaining
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def timing(environment: Environment, record: Record, remaining: Callable[[], float]) -> TimingClient:
    """Times single requests step by step."""
    from plugins.clients.timing import TimingClient  # noqa: PLC0415

    return TimingClient(timeouts=environment.timeouts, record=record, remaining=remaining)


@pytest.fixture
def slow_queries(environment: Environment, api: ApiClient, database: DatabaseClient) -> tuple[SlowQuery, ...]:
    """The statements that take longer than the environment's limit, as the API or PostgreSQL tells."""
    from plugins.clients.slow_queries import SlowQueries  # noqa: PLC0415

    return SlowQueries(environment, api, database).over_limit()


@pytest.fixture(scope="session")
def ask(api: ApiClient, frontend: FrontendClient) -> Callable[[str, str], Answer]:
    """Asks "api" or "frontend" for a path."""
    services: dict[str, Any] = {"api": api.get, "frontend": frontend.get}
    return lambda service, path: services[service](path)


@pytest.fixture(scope="session")
def commit_asked(pytestconfig: pytest.Config) -> str:
    """The commit of --commit, or ""."""
    return pytestconfig.stash[RUN].options.commit


@pytest.fixture
def deployed_commits(
    environment: Environment, api: ApiClient, frontend: FrontendClient, request: pytest.FixtureRequest
) -> dict[str, str]:
    """The commit that answers, by service: as the service tells, or else by Render's live deploy of it.

    Raises:
        Unverified: neither tells.
    """

    def of(service: str, source: CommitSource, told: Callable[[], str]) -> str:
        if source.named:
            return told()
        live_commit: Callable[[str], str] = request.getfixturevalue("live_commit")
        return live_commit(service)

    return {
        "api": of("api", environment.api.commit, api.commit),
        "frontend": of("frontend", environment.frontend.commit, frontend.commit),
    }


@pytest.fixture(scope="session")
def objective(pytestconfig: pytest.Config) -> Callable[[str], float]:
    """The threshold of an objective of runbook.toml, by its id."""
    objectives = {slo.id: slo.objective for slo in pytestconfig.stash[RUN].runbook.slos}
    return objectives.__getitem__
