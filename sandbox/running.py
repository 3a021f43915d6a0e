"""From an empty folder to a living platform, and its end."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from sandbox.api import create_api
from sandbox.control import create_control
from sandbox.effects import Effects
from sandbox.ending import asked_to_end
from sandbox.faults import Faults
from sandbox.frontend import create_app
from sandbox.outside.checkout import Checkout
from sandbox.outside.scenes import Scene
from sandbox.outside.systems import create_outside
from sandbox.platform import Platform, Secrets
from sandbox.postgres import Postgres
from sandbox.ready import tell
from sandbox.seed import Tables, create_tables, make_tables
from sandbox.servers import Servers, free_port, url_of

_CONNECTIONS = 6


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; the units are those of `Platform`."""

    heartbeat_s: float
    latency_ms: float
    faults: tuple[str, ...]
    release_faults: tuple[tuple[str, str], ...]  # of the service, while it runs the commit that is released
    commit: str  # "" for the checkout's own
    scene: Scene
    deploy_s: float
    downtime_s: float


async def run(options: Options, postgres: Postgres, folder: Path) -> str:
    """Bring the platform up, tell where it is, and keep it until it is to end.

    Args:
        options: how it is to be.
        postgres: not started yet.
        folder: where to put what it needs on disk.

    Returns:
        Why it ended otherwise than asked, or "".

    Raises:
        PostgresFailed: the database did not start.
        OSError: the checkout could not be made.
    """
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # a database that is down is no news here
    asked = asked_to_end()
    living = asyncio.create_task(_live(options, postgres, folder))
    await asyncio.wait({asked, living}, return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        return await living
    living.cancel()
    await asyncio.wait({living})
    return await asked


async def _live(options: Options, postgres: Postgres, folder: Path) -> str:
    secrets, faults = Secrets(), Faults(options.faults)
    api_port, frontend_port, control_port, outside_port = (free_port() for _ in range(4))
    tables = make_tables(secrets, datetime.now(UTC))
    checking_out = asyncio.create_task(asyncio.to_thread(Checkout, folder / "checkout"))
    await postgres.start()
    await _fill(postgres, tables, secrets)
    checkout = await checking_out

    async with _pool(postgres) as pool:
        platform = Platform(
            secrets=secrets,
            faults=faults,
            pool=pool,
            api_url=url_of(api_port),
            frontend_url=url_of(frontend_port),
            heartbeat_s=options.heartbeat_s,
            latency_ms=options.latency_ms,
            commit=options.commit or checkout.head,
            project_path=str(checkout.path),
            scene=options.scene,
            deploy_s=options.deploy_s,
            downtime_s=options.downtime_s,
        )
        for service, fault in options.release_faults:
            faults.carry(fault, partial(platform.world.runs_the_release, service))
        servers = Servers(faults)
        effects = Effects(platform, postgres, servers, checkout, tables)
        try:
            await servers.start("api", create_api(platform), api_port)
            await servers.start("frontend", create_app(platform), frontend_port)
            await servers.start("outside", create_outside(platform.world, secrets), outside_port)
            await servers.start("control", create_control(platform, effects), control_port)
            await effects.apply()
            platform.world.begin()
            database_url = postgres.dsn("verifier", secrets.database_password)
            tell(platform, database_url, url_of(control_port), url_of(outside_port))
            return await postgres.died()
        finally:
            await servers.stop()


async def _fill(postgres: Postgres, tables: Tables, secrets: Secrets) -> None:
    """Turn the empty cluster into the platform's database.

    Renaming the database that initdb made takes a millisecond, where creating one would copy it.
    """
    dsn = postgres.superuser_dsn("template1")
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("ALTER DATABASE postgres RENAME TO kamiyo")
    async with await AsyncConnection.connect(postgres.superuser_dsn()) as connection:
        await create_tables(connection, tables, secrets.database_password)


def _pool(postgres: Postgres) -> AsyncConnectionPool:
    return AsyncConnectionPool(
        postgres.superuser_dsn(),
        min_size=_CONNECTIONS,
        timeout=2,
        # a lost connection is looked for this long, then afresh for the next caller: no growing pauses
        reconnect_timeout=0.2,
        kwargs={"application_name": "kamiyo-api"},
        open=False,
    )
