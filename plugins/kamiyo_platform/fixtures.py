"""Fixtures for the clients of Kamiyo's platform: its API, website, sign-in, payments and live updates."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_platform.payments import PaymentsClient
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.throttle import Throttle

if TYPE_CHECKING:
    from kamiyo_platform.realtime import RealtimeClient
    from kamiyo_platform.slow_queries import SlowQuery
    from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.fixtures.clients import Connect


@pytest.fixture(scope="session")
def rate_limits(environment: Environment) -> Throttle:
    """Rate limits and tiers by the platform's answers; a scarce tier paces from the first request."""
    tier = environment.api.tier
    if not tier.scarce:
        return Throttle()
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return Throttle(paces={environment.api_url: max(1, tier.per_minute // workers)})


@pytest.fixture(scope="session")
def api(environment: Environment, connect: Connect) -> ApiClient:
    """Client for the public API."""
    return ApiClient(environment.api, connect(environment.api_url))


@pytest.fixture(scope="session")
def frontend(environment: Environment, connect: Connect) -> FrontendClient:
    """Client for the website."""
    return FrontendClient(connect(environment.frontend_url))


@pytest.fixture(scope="session")
def payments(environment: Environment, connect: Connect) -> PaymentsClient:
    """Client for the webhook endpoint that Stripe delivers to."""
    parts = urlsplit(environment.webhook_url)
    http = connect(f"{parts.scheme}://{parts.netloc}")
    return PaymentsClient(environment.payments, http, livemode=environment.production)


@pytest.fixture(scope="session")
def realtime(environment: Environment, client_context: ClientContext) -> RealtimeClient:
    """Client for the WebSocket of live updates."""
    from kamiyo_platform.realtime import RealtimeClient  # noqa: PLC0415

    key = environment.api.key
    return RealtimeClient(
        environment.websocket_url,
        key,
        client_context,
        served_as=lambda: client_context.throttle.tier_of(environment.api_url, key.reveal().strip()),
    )


@pytest.fixture
def slow_queries(environment: Environment, api: ApiClient, database: DatabaseClient) -> tuple[SlowQuery, ...]:
    """The statements that take longer than the environment's limit, as the API or PostgreSQL reports."""
    from kamiyo_platform.slow_queries import SlowQueries  # noqa: PLC0415

    return SlowQueries(environment, api, database).over_limit()


@pytest.fixture(scope="session")
def get(
    environment: Environment, connect: Connect, request: pytest.FixtureRequest
) -> Callable[[str, str], Answer]:
    """Send GET to a service, by its name and a path; the API with our key."""

    def of(service: str, path: str) -> Answer:
        if service == "api":
            api: ApiClient = request.getfixturevalue("api")
            return api.get(path)
        return connect(environment.url(service)).get(path)

    return of
