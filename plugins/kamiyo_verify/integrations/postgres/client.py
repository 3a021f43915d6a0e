"""Read-only queries to the PostgreSQL behind the API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.postgres import statements
from kamiyo_verify.integrations.postgres.address import DatabaseAddress
from kamiyo_verify.integrations.postgres.connection import DatabaseConnection, Question, Row
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.model.migrations import RecordedMigration
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.times import utc_now

_NOT_TO_BE_READ = (  # pg_stat_statements: not preloaded, not permitted, elsewhere, of an old version
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A statement over the limit.

    Attributes:
        text: the start of the statement, without literals.
        calls: number of executions.
        mean_ms: mean over its calls; for a running one the time so far.
        max_ms: likewise, the maximum.
        source: "pg_stat_statements" (since its statistics were reset) or "pg_stat_activity" (running now).
    """

    text: str
    calls: int
    mean_ms: float
    max_ms: float
    source: str


@dataclass(frozen=True, slots=True)
class Connections:
    """Connected clients, and the most that may connect besides the superuser's reserve."""

    used: int
    limit: int


class DatabaseClient:
    """Queries to the database, each in a read-only transaction.

    Args:
        database: the environment's table.
        context: shared with other clients; psycopg waits 2 s at least for a connection, and a query is
            recorded without its text and values.
        production: a password is never sent to a server without TLS, unless `database.tls` allows it.
    """

    def __init__(self, database: Database, context: ClientContext, *, production: bool) -> None:
        self._name = database.url.name
        self._record = context.record
        self._connection = DatabaseConnection(database, context, production=production)

    def rows(self, question: Question, params: Sequence[object] = ()) -> list[Row]:
        """The rows of a query, by column name.

        Raises:
            OperatorPathFailed: the query failed. The message has host and port, but no user, password or text
                of the server.
            LookupError: the URL is not set; `needs("database.url")` stops a check before that.
        """
        with self._telling():
            return self._connection.ask(question, params)

    def read_only(self) -> bool:
        """Whether the server rejects writes in our transactions; raises like `rows`."""
        return bool(self.rows(statements.READ_ONLY)[0]["transaction_read_only"] == "on")

    def server_identity(self) -> str:
        """How the server's identity was verified, such as "verified: certificate and name"; see `rows`."""
        self.rows(statements.READ_ONLY)
        return self._connection.identity

    def address(self) -> DatabaseAddress:
        """The parsed address; raises OperatorPathFailed if it is not valid."""
        return self._connection.address()

    def connections(self) -> Connections:
        """The connections in use and their limit; raises like `rows`."""
        row = self.rows(statements.CONNECTIONS)[0]
        return Connections(row["used"], row["connection_limit"])

    def slow_queries(self, limit_ms: float) -> tuple[SlowQuery, ...]:
        """Statements over the limit, the slowest first, at most 50; raises like `rows`.

        Reads `pg_stat_statements` if it is installed and readable, else the statements that are running now.
        """
        with self._telling():
            found, source = self._slow(limit_ms)
        return tuple(
            SlowQuery(
                statements.without_literals(row["query"] or ""),
                row["calls"],
                row["mean_ms"],
                row["max_ms"],
                source,
            )
            for row in found
        )

    def migrations(self) -> tuple[RecordedMigration, ...]:
        """The rows of `_prisma_migrations` in the schema of the address, by start time.

        Raises:
            Unverified: there is no such table in that schema.
            OperatorPathFailed: see `rows`.
        """
        schema = self.address().schema
        schemas = [row["schema"] for row in self.rows(statements.SCHEMAS_WITH_MIGRATIONS)]
        if schema not in schemas:
            others = ", ".join(f'"{one}"' for one in schemas)
            elsewhere = f" (there is one in {others}: add ?schema=… to {self._name})"
            raise Unverified(
                f'the database has no table {statements.MIGRATIONS_TABLE} in the schema "{schema}"'
                + (elsewhere if others else "")
            )
        question = statements.MIGRATIONS.format(schema=sql.Identifier(schema))
        return tuple(RecordedMigration(**row) for row in self.rows(question))

    def close(self) -> None:
        """Close the connection; a later query opens another."""
        self._connection.close()

    def _slow(self, limit_ms: float) -> tuple[list[Row], str]:
        for row in self._connection.ask(statements.STATISTICS_SCHEMA):
            question = statements.STATISTICS.format(schema=sql.Identifier(row["found"]))
            with suppress(*_NOT_TO_BE_READ):
                return self._connection.ask(question, [limit_ms]), "pg_stat_statements"
        return self._connection.ask(statements.RUNNING, [limit_ms]), "pg_stat_activity"

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Record the query inside the block, and convert every problem to `OperatorPathFailed`."""
        at, began = utc_now(), time.monotonic()
        name, problem, accepted = self._name, "", None
        try:
            yield
            accepted = True
        except NoAnswer as silence:
            problem = str(silence)
            raise
        except (psycopg.Error, OSError, ValueError) as trouble:
            self.close()
            lost = self._connection.failure(trouble, time.monotonic() - began)
            problem = str(lost)
            if lost.kind is NoAnswerKind.CREDENTIAL:
                accepted = False
            raise lost from None
        finally:
            duration_ms = (time.monotonic() - began) * 1000
            sent = Exchange("SQL", self._connection.shown, None, duration_ms, problem=problem, at=at)
            self._record(replace(sent, credential=name, accepted=accepted))
