"""Faults that need an action in the database or on open connections."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import AsyncConnection

from sandbox.database import SLOW_QUERY_MS
from sandbox.migrations import RELEASED, RELEASED_DESTRUCTIVE
from sandbox.outside.checkout import Checkout
from sandbox.platform import Platform
from sandbox.postgres import Postgres
from sandbox.seed import (
    Tables,
    applied_migration,
    failed_migration,
    fill,
    interrupted_migration,
    rolled_back_migration,
)
from sandbox.servers import Servers

_EMPTIED = ("exploits", "sources")

_AGREES_WITHIN_S = 15.0

_CRAWLER = "kamiyo-crawler"
"""The application name of the slow statement's session."""

_MIGRATES_AFTER = timedelta(seconds=1)
"""Time from the deploy's start; migrations run in the build, and a sandbox deploy takes three seconds."""


class _Effect(ABC):
    """A change of the database that can be applied and undone."""

    fault: str
    done = False

    async def reconcile(self, postgres: Postgres, *, wanted: bool) -> None:
        """Apply or undo the change, unless the state is already as wanted."""
        if wanted != self.done:
            await (self.bring_about if wanted else self.undo)(postgres)
            self.done = wanted

    @abstractmethod
    async def bring_about(self, postgres: Postgres) -> None: ...

    @abstractmethod
    async def undo(self, postgres: Postgres) -> None: ...


class _Vanished(_Effect):
    fault = "exploits-vanished"

    def __init__(self, tables: Tables) -> None:
        self._rows = {name: tables[name] for name in _EMPTIED}

    async def bring_about(self, postgres: Postgres) -> None:
        async with await _superuser(postgres) as connection:
            await connection.execute("TRUNCATE exploits, sources")

    async def undo(self, postgres: Postgres) -> None:
        async with await _superuser(postgres) as connection:
            await fill(connection, self._rows)


class _RowsGone(_Effect):
    fault = "rows-gone"

    def __init__(self, tables: Tables) -> None:
        self._rows = [row for number, row in enumerate(tables["exploits"]) if number % 10]
        self._ids = [row[0] for row in self._rows]

    async def bring_about(self, postgres: Postgres) -> None:
        async with await _superuser(postgres) as connection:
            await connection.execute("DELETE FROM exploits WHERE id = ANY(%s)", [self._ids])

    async def undo(self, postgres: Postgres) -> None:
        await self.bring_about(postgres)  # `exploits-vanished` may have brought some back meanwhile
        async with await _superuser(postgres) as connection:
            await fill(connection, {"exploits": self._rows})


class _ReleasedMigration:
    """The release's row in Prisma's migration table: pending before the release, then applied or failed."""

    def __init__(self) -> None:
        self._failed = failed_migration(datetime.now(UTC))
        self._row: tuple[object, ...] | None = ()  # differs from every row, so that the first call writes it

    async def settle(self, postgres: Postgres, platform: Platform) -> None:
        """Update the row to match the scene and the faults."""
        row = self._wanted(platform)
        if row != self._row:
            async with await _superuser(postgres) as connection:
                await connection.execute("DELETE FROM _prisma_migrations WHERE id = %s", (self._failed[0],))
                await fill(connection, {"_prisma_migrations": [row] if row else []})
            self._row = row

    def _wanted(self, platform: Platform) -> tuple[object, ...] | None:
        if "migration-failed" in platform.faults:
            return self._failed
        began = platform.world.deploy_began_at
        if began is None:
            return None
        if "half-migrated" in platform.faults:
            return interrupted_migration(began + _MIGRATES_AFTER)
        if "unapplied-release" in platform.faults:
            return rolled_back_migration(began + _MIGRATES_AFTER)
        destructive = "migration-applied-destructive" in platform.faults
        return applied_migration(RELEASED_DESTRUCTIVE if destructive else RELEASED, began + _MIGRATES_AFTER)


class _SlowQueries(_Effect):
    """A statement that really runs while the fault is on, so that every slow-query report lists it."""

    fault = "slow-queries"

    def __init__(self) -> None:
        self._wanted = False
        self._crawling: asyncio.Task[None] | None = None

    async def bring_about(self, postgres: Postgres) -> None:
        self._wanted = True
        if self._crawling is None or self._crawling.done():
            self._crawling = asyncio.create_task(self._crawl(postgres))
        async with await _superuser(postgres) as connection:
            while not await self._is_seen(connection):
                await asyncio.sleep(0.05)

    @staticmethod
    async def _is_seen(connection: AsyncConnection) -> bool:
        """Whether it has been running for longer than the limit."""
        found = await connection.execute(
            """
            SELECT FROM pg_stat_activity
            WHERE state = 'active' AND application_name = %s
              AND clock_timestamp() - query_start > make_interval(secs => %s)
            """,
            [_CRAWLER, SLOW_QUERY_MS / 1000],
        )
        return await found.fetchone() is not None

    async def undo(self, postgres: Postgres) -> None:
        """Terminate its session on the server: a client may ignore a cancellation and continue."""
        self._wanted = False
        assert self._crawling is not None
        async with await _superuser(postgres) as connection:
            while not self._crawling.done():
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                    [_CRAWLER],
                )
                await asyncio.wait([self._crawling], timeout=0.1)

    async def _crawl(self, postgres: Postgres) -> None:
        while self._wanted:
            with contextlib.suppress(psycopg.Error):
                async with await _superuser(postgres, application_name=_CRAWLER) as connection:
                    # pg_sleep is part of the single result row, so that no query plan can skip it.
                    await connection.execute(
                        "SELECT count(*), pg_sleep(3600) FROM exploits WHERE description LIKE '%loan%'"
                    )
            await asyncio.sleep(0.1)  # while the database is down


class Effects:
    """Applies all effects of faults and scenes at run time, other than changed responses."""

    def __init__(
        self,
        platform: Platform,
        postgres: Postgres,
        servers: Servers,
        checkout: Checkout,
        tables: Tables,
    ) -> None:
        self._platform = platform
        self._postgres = postgres
        self._servers = servers
        self._checkout = checkout
        self._migration = _ReleasedMigration()
        self._effects: tuple[_Effect, ...] = (_Vanished(tables), _RowsGone(tables), _SlowQueries())
        self._one_at_a_time = asyncio.Lock()

    async def apply(self) -> None:
        """Apply the scene and the set of faults; return when all effects are complete.

        Raises:
            TimeoutError: the effects are not complete after 15 s.
        """
        async with self._one_at_a_time, asyncio.timeout(_AGREES_WITHIN_S):
            faults = self._platform.faults
            await asyncio.to_thread(self._checkout.apply, faults)
            self._platform.cache.clear()
            for service in ("api", "frontend"):
                if f"{service}-down" in faults:
                    self._servers.cut(service)
            if "database-down" in faults:
                await self._postgres.stop()
                return  # changes in the database wait until it runs again
            if await self._postgres.start():
                await self._platform.pool.check()
            for effect in self._effects:
                await effect.reconcile(self._postgres, wanted=effect.fault in faults)
            await self._migration.settle(self._postgres, self._platform)


async def _superuser(postgres: Postgres, application_name: str = "kamiyo-sandbox") -> AsyncConnection:
    dsn = postgres.superuser_dsn()
    return await AsyncConnection.connect(dsn, autocommit=True, application_name=application_name)
