"""Database queries of the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg.rows import dict_row

from sandbox.platform import Platform

SLOW_QUERY_MS = 500
_PATIENCE_S = 5.0
_NO_PATIENCE_S = 0.05


async def fetch(
    platform: Platform, sql: LiteralString, parameters: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of one statement.

    Raises:
        psycopg.OperationalError: the database is down.
    """
    # The pool would wait its whole timeout for a connection; under this fault, do not wait.
    patience = _NO_PATIENCE_S if "database-down" in platform.faults else _PATIENCE_S
    async with (
        platform.pool.connection(timeout=patience) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        await cursor.execute(sql, parameters)
        return await cursor.fetchall()


async def slow_statements(platform: Platform) -> list[dict[str, Any]]:
    """Return statements that have been running for longer than `SLOW_QUERY_MS`."""
    return await fetch(
        platform,
        """
        SELECT query, 1 AS calls, ms AS mean_exec_time, ms AS max_exec_time
        FROM pg_stat_activity,
             LATERAL (SELECT extract(epoch FROM clock_timestamp() - query_start)::float8 * 1000 AS ms) AS _
        WHERE state = 'active' AND backend_type = 'client backend' AND ms > %(limit)s
        ORDER BY ms DESC
        """,
        {"limit": SLOW_QUERY_MS},
    )
