"""Start, run and stop the whole platform."""

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
from sandbox.authority import issue
from sandbox.control import create_control
from sandbox.effects import Effects
from sandbox.ending import end_requested
from sandbox.faults import Faults
from sandbox.forms import lasting_faults
from sandbox.frontend import create_app
from sandbox.outside.checkout import Checkout
from sandbox.outside.scenes import Scene
from sandbox.outside.systems import create_outside
from sandbox.platform import Platform, Secrets
from sandbox.pooler import Pooler
from sandbox.postgres import Postgres
from sandbox.ready import tell
from sandbox.seed import Tables, create_tables, make_tables
from sandbox.servers import Servers, free_port, url_of

_CONNECTIONS = 6


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's options; the units are those of `Platform`."""

    heartbeat_s: float
    latency_ms: float
    faults: tuple[str, ...]
    release_faults: tuple[tuple[str, str], ...]  # (service, fault), while it runs the released commit
    commit: str  # "" for the checkout's own
    scene: Scene
    deploy_s: float
    downtime_s: float
    forms: frozenset[str] = frozenset()
    authority: Path | None = None  # where the authority's certificate goes; None for no TLS


async def run(options: Options, postgres: Postgres, pooler: Pooler, folder: Path) -> str:
    """Start the platform, print its addresses, and run it until a shutdown is requested.

    Args:
        options: the options of the command line.
        postgres: a server that is not started yet.
        pooler: likewise; started only for the form of that name.
        folder: the folder for its files.

    Returns:
        The reason if it ended unexpectedly, or "".

    Raises:
        PostgresFailed, PoolerFailed: the database or its pooler did not start.
        OSError: the checkout could not be created.
    """
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # faults take the database down on purpose
    asked = end_requested()
    living = asyncio.create_task(_live(options, postgres, pooler, folder))
    await asyncio.wait({asked, living}, return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        return await living
    living.cancel()
    await asyncio.wait({living})
    return await asked


async def _live(options: Options, postgres: Postgres, pooler: Pooler, folder: Path) -> str:
    secrets, faults = Secrets(), Faults(options.faults, lasting=lasting_faults(options.forms))
    certificate = issue(folder, options.authority) if options.authority else None
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
            api_url=url_of(api_port, secure=certificate is not None),
            frontend_url=url_of(frontend_port, secure=certificate is not None),
            heartbeat_s=options.heartbeat_s,
            latency_ms=options.latency_ms,
            commit=options.commit or checkout.head,
            project_path=str(checkout.path),
            scene=options.scene,
            deploy_s=options.deploy_s,
            downtime_s=options.downtime_s,
            forms=options.forms,
            certificate=certificate,
        )
        for service, fault in options.release_faults:
            faults.carry(fault, partial(platform.world.runs_the_release, service))
        servers = Servers(faults)
        effects = Effects(platform, postgres, servers, checkout, tables)
        try:
            await servers.start("api", create_api(platform), api_port, certificate)
            await servers.start("frontend", create_app(platform), frontend_port, certificate)
            await servers.start("outside", create_outside(platform.world, secrets), outside_port)
            await servers.start("control", create_control(platform, effects), control_port)
            await effects.apply()
            platform.world.begin()
            database_url = postgres.dsn("verifier", secrets.database_password)
            if "pooler" in options.forms:
                database_url = await pooler.start(
                    database_port=postgres.port, user="verifier", password=secrets.database_password
                )
            tell(platform, database_url, url_of(control_port), url_of(outside_port))
            return await postgres.died()
        finally:
            await servers.stop()


async def _fill(postgres: Postgres, tables: Tables, secrets: Secrets) -> None:
    """Turn the empty cluster into the platform's database.

    Renaming initdb's database takes a millisecond; creating a new one would copy it.
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
        # Retries for a lost connection end early and start again with the next caller, so pauses do not grow.
        reconnect_timeout=0.2,
        kwargs={"application_name": "kamiyo-api"},
        open=False,
    )
