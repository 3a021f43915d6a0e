"""The website in this process, over a PostgreSQL that is real."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import httpx2
import pytest
from psycopg_pool import AsyncConnectionPool

from sandbox.faults import Faults
from sandbox.guard import Guard
from sandbox.platform import Platform, Secrets
from sandbox.postgres import Postgres
from sandbox.seed import create_schema, fill, make_tables
from tests.sandbox.website.driving import COMMIT, ORIGIN, serve


class NoGuard:
    """For a server that the test ends itself."""

    def adopt(self, pid: int) -> None:
        """Nothing to remember."""

    def release(self, pid: int) -> None:
        """Nothing to forget."""


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin that runs asynchronous tests, which pyproject.toml keeps out of all other runs."""
    config.pluginmanager.import_plugin("anyio.pytest_plugin")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def pool(anyio_backend: str) -> AsyncIterator[AsyncConnectionPool]:
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder), cast(Guard, NoGuard()))
        await server.start()
        try:
            dsn = server.superuser_dsn("postgres")
            async with AsyncConnectionPool(dsn, min_size=1, max_size=2, open=False) as made:
                async with made.connection() as connection:
                    await create_schema(connection)
                yield made
        finally:
            await server.stop()
            server.reap()


@pytest.fixture
async def platform(pool: AsyncConnectionPool) -> AsyncIterator[Platform]:
    """A platform with the seeded account, and without an API."""
    made = Platform(
        secrets=Secrets(),
        faults=Faults(),
        pool=pool,
        api_url="http://127.0.0.1:9",
        frontend_url=ORIGIN,
        heartbeat_s=2,
        latency_ms=0,
        commit=COMMIT,
    )
    accounts = make_tables(made.secrets, datetime.now(UTC))['"User"']
    async with pool.connection() as connection:
        await fill(connection, {'"User"': accounts})
    yield made
    async with pool.connection() as connection:
        await connection.execute('TRUNCATE "User" CASCADE')


@pytest.fixture
async def website(platform: Platform) -> AsyncIterator[httpx2.AsyncClient]:
    async with serve(platform) as client:
        yield client


@pytest.fixture
def refused_url() -> Iterator[str]:
    """An address that nobody listens on, kept free of listeners."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
