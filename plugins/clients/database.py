"""The PostgreSQL behind the API, asked read-only questions."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from plugins.clients import statements
from plugins.clients.database_address import parameters, shown
from plugins.clients.database_problems import told
from plugins.clients.deadline import fairly, seconds_allowed
from plugins.clients.http import Record
from plugins.clients.wire import resolve
from plugins.model.environment import Database, Timeouts
from plugins.model.migrations import RecordedMigration
from plugins.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from plugins.model.result import Exchange

_OVERTIME_S = 1.0  # the server's own statement timeout comes first, as it tells more
_NOT_TO_BE_READ = (  # pg_stat_statements: not preloaded, not ours to read, elsewhere, of an old version
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A statement over the limit.

    Attributes:
        text: its beginning, without literals.
        calls: how often it ran.
        mean_ms: over its calls; for one that is still running the time so far.
        max_ms: likewise.
        source: "pg_stat_statements" (since its statistics were reset) or "pg_stat_activity" (running now).
    """

    text: str
    calls: int
    mean_ms: float
    max_ms: float
    source: str


@dataclass(frozen=True, slots=True)
class Connections:
    """How many clients are connected, and how many may be besides the superuser's reserve."""

    used: int
    limit: int


class DatabaseClient:
    """One connection, opened by the first question, which the server itself holds to reading.

    Args:
        database: the environment's table.
        timeouts: `connect` bounds the connection (psycopg waits 2 s at least).
        record: is told of each question, never of its text or values.
        remaining: seconds that the current item has left.
    """

    def __init__(
        self, database: Database, *, timeouts: Timeouts, record: Record, remaining: Callable[[], float]
    ) -> None:
        self._database = database
        self._timeouts = timeouts
        self._record = record
        self._remaining = remaining
        self._connection: psycopg.Connection[_Row] | None = None
        self._address = "postgresql:"

    def rows(self, sql: LiteralString, params: Sequence[object] = ()) -> list[_Row]:
        """The rows that a question gives, by column name.

        Raises:
            NoAnswer: none came. Its message holds host and port, no user, password or text of the server.
            LookupError: the URL is not set; `needs("database.url")` stops a check before.
        """
        with self._telling():
            return self._asked(sql, params)

    def read_only(self) -> bool:
        """Whether the server refuses to write for this connection; raises as `rows`."""
        return bool(self.rows(statements.READ_ONLY)[0]["transaction_read_only"] == "on")

    def connections(self) -> Connections:
        """The connections in use and their limit; raises as `rows`."""
        row = self.rows(statements.CONNECTIONS)[0]
        return Connections(row["used"], row["connection_limit"])

    def slow_queries(self, limit_ms: float) -> tuple[SlowQuery, ...]:
        """Statements that take longer, the slowest first, at most 50; raises as `rows`.

        By `pg_stat_statements` where it is installed and readable, else those that are running now.
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
        """The rows of `_prisma_migrations`, by the time they were begun.

        Raises:
            Unverified: there is no such table.
            NoAnswer: as of `rows`.
        """
        if not self.rows(statements.HAS_MIGRATIONS)[0]["found"]:
            raise Unverified("the database has no table _prisma_migrations")
        return tuple(RecordedMigration(**row) for row in self.rows(statements.MIGRATIONS))

    def close(self) -> None:
        """Close the connection; a further question opens another."""
        if self._connection is not None:
            with suppress(psycopg.Error, OSError):
                self._connection.close()
            self._connection = None

    def _slow(self, limit_ms: float) -> tuple[list[_Row], str]:
        if self._asked(statements.HAS_STATISTICS)[0]["found"]:
            with suppress(*_NOT_TO_BE_READ):
                return self._asked(statements.STATISTICS, [limit_ms]), "pg_stat_statements"
        return self._asked(statements.RUNNING, [limit_ms]), "pg_stat_activity"

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Take note of what is asked inside, and tell whatever goes wrong as `NoAnswer`."""
        began = time.monotonic()
        problem = ""
        try:
            yield
        except NoAnswer as silence:
            problem = str(silence)
            raise
        except (psycopg.Error, OSError, ValueError) as trouble:
            self.close()
            lost = told(trouble, self._address, time.monotonic() - began)
            problem = str(lost)
            raise lost from None
        finally:
            duration_ms = (time.monotonic() - began) * 1000
            self._record(Exchange("SQL", self._address, None, duration_ms, problem=problem))

    def _asked(self, sql: LiteralString, params: Sequence[object] = ()) -> list[_Row]:
        if self._connection is None or self._connection.closed:
            self._connection = self._opened()
        with self._bounded(self._connection):
            return self._connection.execute(sql, params or None).fetchall()

    def _opened(self) -> psycopg.Connection[_Row]:
        wanted = parameters(self._database.url.reveal(), self._database.url.name)
        self._address = shown(wanted)
        allowed = min(seconds_allowed(self._address, self._timeouts, self._remaining), self._timeouts.connect)
        wanted |= _addresses(wanted, allowed)
        wanted.setdefault("gssencmode", "disable")  # psycopg's bundled libpq warns when it is left to guess
        wanted["options"] = " ".join(
            [
                wanted.get("options", ""),
                "-c default_transaction_read_only=on",
                f"-c statement_timeout={math.ceil(self._database.statement_timeout_s * 1000)}",
            ]
        ).strip()
        wanted |= {"connect_timeout": str(math.ceil(allowed)), "application_name": "kamiyo-verify"}
        connection = psycopg.connect(
            make_conninfo("", **wanted), autocommit=True, row_factory=dict_row, prepare_threshold=None
        )
        with self._bounded(connection):
            row = connection.execute(statements.READ_ONLY).fetchone()
        if row is None or row["transaction_read_only"] != "on":
            connection.close()
            message = f"{self._address} was not asked: it could not be held to reading"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._address)
        return connection

    @contextmanager
    def _bounded(self, connection: psycopg.Connection[_Row]) -> Iterator[None]:
        """Hang up on a server that does not keep its own statement timeout."""
        wanted = self._database.statement_timeout_s + _OVERTIME_S
        allowed = min(wanted, seconds_allowed(self._address, self._timeouts, self._remaining))
        hung_up = threading.Event()

        def hang_up() -> None:
            hung_up.set()
            with suppress(OSError, psycopg.Error), _line(connection) as line:
                line.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(allowed, hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        except psycopg.Error:
            if not hung_up.is_set():
                raise
            message = f"{self._address} did not answer within {allowed:.1f} s"
            lost = NoAnswer(NoAnswerKind.TIMEOUT, message, self._address)
            raise fairly(lost, allowed, wanted) from None
        finally:
            timer.cancel()


def _line(connection: psycopg.Connection[_Row]) -> socket.socket:
    """Its socket once more, so that closing this one leaves the connection's own alone."""
    return socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)


def _addresses(wanted: dict[str, str], within_s: float) -> dict[str, str]:
    """The host with its numeric addresses, as libpq's own name lookup knows no timeout."""
    host = wanted.get("host", "")
    if not host or host.startswith(("/", "@")) or "," in host or "hostaddr" in wanted:
        return {}
    port = wanted.get("port", "5432")
    addresses = resolve(host, int(port), within_s)
    return {
        "host": ",".join(host for _ in addresses),
        "hostaddr": ",".join(addresses),
        "port": ",".join(port for _ in addresses),
    }
