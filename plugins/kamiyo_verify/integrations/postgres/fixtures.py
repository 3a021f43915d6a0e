"""Fixture for the API's PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.postgres.client import DatabaseClient


@pytest.fixture(scope="session")
def database(environment: Environment, client_context: ClientContext) -> Iterator[DatabaseClient]:
    """A read-only client of the API's PostgreSQL database."""
    from kamiyo_verify.integrations.postgres.client import DatabaseClient  # noqa: PLC0415

    client = DatabaseClient(environment.database, client_context, production=environment.production)
    yield client
    client.close()
