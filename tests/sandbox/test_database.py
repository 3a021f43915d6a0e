"""The sandbox's PostgreSQL: what the read-only role sees, and what the faults of the database do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest

from sandbox.platform import Secrets
from sandbox.seed import make_tables
from tests.support.sandbox_process import Sandbox, started

UNFINISHED: LiteralString = (
    "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL"
)
RUNNING: LiteralString = (
    "SELECT query FROM pg_stat_activity WHERE state = 'active' AND query_start < now() - interval '500 ms'"
)
SESSIONS: LiteralString = (
    'SELECT s."sessionToken", u.email, s.expires > now() FROM "Session" s JOIN "User" u ON u.id = s."userId"'
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started() as running:
        yield running


def rows(sandbox: Sandbox, statement: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(sandbox.secret("DATABASE_URL"), connect_timeout=10) as connection:
        return connection.execute(statement).fetchall()


def test_the_reader_sees_what_the_api_tells(sandbox: Sandbox) -> None:
    assert rows(sandbox, "SELECT count(*) FROM exploits") == [(sandbox.get("/exploits").json()["total"],)]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM exploits", "CREATE TABLE mine ()", "UPDATE users SET tier = 'enterprise'"]
)
def test_the_reader_cannot_write(sandbox: Sandbox, statement: LiteralString) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(sandbox, statement)


def test_the_reader_may_watch_others(sandbox: Sandbox) -> None:
    assert rows(sandbox, "SELECT pg_has_role('pg_monitor', 'member')") == [(True,)]


def test_a_wrong_password_is_refused(sandbox: Sandbox) -> None:
    wrong = sandbox.secret("DATABASE_URL").replace("@", "x@")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_every_migration_is_applied(sandbox: Sandbox) -> None:
    applied = rows(sandbox, "SELECT length(checksum), applied_steps_count FROM _prisma_migrations")
    assert len(applied) > 3
    assert set(applied) == {(64, 1)}
    assert rows(sandbox, UNFINISHED) == []


def test_the_session_of_the_test_account_is_stored(sandbox: Sandbox) -> None:
    found = rows(sandbox, SESSIONS)
    assert (sandbox.secret("SESSION_TOKEN"), sandbox.secret("EMAIL"), True) in found


def test_keys_are_stored_as_hashes_one_a_tier(sandbox: Sandbox) -> None:
    stored = rows(sandbox, "SELECT tier, length(key_hash) FROM api_keys ORDER BY id")
    assert stored == [("free", 64), ("pro", 64), ("team", 64), ("enterprise", 64)]


def test_a_failed_migration_comes_and_goes(sandbox: Sandbox) -> None:
    with sandbox.fault("migration-failed"):
        assert len(rows(sandbox, UNFINISHED)) == 1
    assert rows(sandbox, UNFINISHED) == []


def test_what_vanished_comes_back_unchanged(sandbox: Sandbox) -> None:
    before = rows(sandbox, "SELECT * FROM exploits ORDER BY id")
    with sandbox.fault("exploits-vanished"):
        assert rows(sandbox, "SELECT * FROM exploits") == []
    assert rows(sandbox, "SELECT * FROM exploits ORDER BY id") == before


def test_a_slow_query_runs_where_the_reader_can_see_it(sandbox: Sandbox) -> None:
    with sandbox.fault("slow-queries"):
        [(query,)] = rows(sandbox, RUNNING)
        assert "pg_sleep" in query
    assert rows(sandbox, RUNNING) == []


def test_a_slow_query_is_slow_whatever_it_finds(sandbox: Sandbox) -> None:
    with sandbox.fault("exploits-vanished"), sandbox.fault("slow-queries"):
        assert len(rows(sandbox, RUNNING)) == 1


def test_a_database_that_is_down_refuses_and_comes_back(sandbox: Sandbox) -> None:
    with sandbox.fault("database-down"):
        with pytest.raises(psycopg.OperationalError, match="refused"):
            rows(sandbox, "SELECT 1")
        paths = ("/health", "/exploits", "/chains", "/ready")
        statuses = {path: sandbox.get(path).status_code for path in paths}
        assert statuses == {"/health": 500, "/exploits": 500, "/chains": 500, "/ready": 503}
        assert "refused" not in sandbox.get("/exploits").text
    assert rows(sandbox, "SELECT 1") == [(1,)]
    assert [sandbox.get(f"/exploits?page={page}").status_code for page in range(1, 11)] == [200] * 10


def test_faults_of_the_data_wait_until_the_database_is_back(sandbox: Sandbox) -> None:
    with sandbox.fault("exploits-vanished"):
        with sandbox.fault("database-down"), sandbox.fault("migration-failed"):
            assert sandbox.get("/exploits").status_code == 500
        assert rows(sandbox, "SELECT count(*) FROM exploits") == [(0,)]
    assert sandbox.get("/exploits").json()["total"] > 0
    assert rows(sandbox, UNFINISHED) == []


def test_the_rows_are_the_same_every_time() -> None:
    secrets, now = Secrets(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert make_tables(secrets, now) == make_tables(secrets, now)
