"""The database queries, and the masking of a statement's text."""

from __future__ import annotations

import re
from typing import LiteralString

from psycopg import sql

from kamiyo_verify.http.readable import readable

STATISTICS_SCHEMA: LiteralString = """
    SELECT n.nspname AS found
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements'
"""

STATISTICS = sql.SQL("""
    SELECT query, calls, mean_exec_time AS mean_ms, max_exec_time AS max_ms
    FROM {schema}.pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND mean_exec_time > %s
    ORDER BY mean_exec_time DESC
    LIMIT 50
""")

RUNNING: LiteralString = """
    SELECT query, 1 AS calls, ms AS mean_ms, ms AS max_ms
    FROM (
        SELECT query, (1000 * extract(epoch FROM clock_timestamp() - query_start))::float8 AS ms
        FROM pg_catalog.pg_stat_activity
        WHERE state = 'active' AND backend_type = 'client backend'
          AND datname = current_database() AND pid <> pg_backend_pid()
    ) AS running
    WHERE ms > %s
    ORDER BY ms DESC
    LIMIT 50
"""

MIGRATIONS_TABLE = "_prisma_migrations"

SCHEMAS_WITH_MIGRATIONS: LiteralString = """
    SELECT n.nspname AS schema
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = '_prisma_migrations' AND c.relkind IN ('r', 'p')
    ORDER BY n.nspname
"""

# `resolve --applied` writes 0 steps; some versions of Prisma wrote none at all.
MIGRATIONS = sql.SQL("""
    SELECT migration_name AS name, checksum, started_at, finished_at, rolled_back_at,
        coalesce(applied_steps_count, 1) AS steps
    FROM {schema}._prisma_migrations
    ORDER BY started_at, migration_name
""")

# For this transaction alone: behind a pooler the session is shared, and its next user would inherit it.
SET_LOCAL: LiteralString = "SELECT pg_catalog.set_config(%s, %s, true)"

# reserved_connections came with PostgreSQL 16.
CONNECTIONS: LiteralString = """
    SELECT
        (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend')::int AS used,
        (current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true)::int, 0)) AS connection_limit
"""

READ_ONLY: LiteralString = "SHOW transaction_read_only"

_LITERALS = re.compile(
    r"""
      \$([A-Za-z_]\w*)?\$ .*? \$\1\$      # $tag$ … $tag$
    | (?:[EeBbXxNn]|[Uu]&)? '(?:[^'\\]|''|\\.)*'   # 'text', also E'text'
    | (?<![\w$]) \d+(?:\.\d+)?(?:[eE][+-]?\d+)?    # numbers, but not $1 or t2
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_LONGEST_READ = 4_000


def without_literals(statement: str) -> str:
    """The statement on one line, at most 300 characters, with "?" for its literals: they can be personal."""
    plain = _LITERALS.sub("?", _COMMENTS.sub(" ", statement[:_LONGEST_READ]))
    return readable(re.sub(r"'.*", "?", plain, flags=re.DOTALL))  # a cut last literal has no closing quote
