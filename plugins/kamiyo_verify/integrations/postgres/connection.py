"""One read-only connection to PostgreSQL, through any pooler, proxy or TLS."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.deadline import fairly, seconds_allowed
from kamiyo_verify.http.wire import resolve
from kamiyo_verify.integrations.postgres import reach as database_reach
from kamiyo_verify.integrations.postgres import statements
from kamiyo_verify.integrations.postgres.address import DatabaseAddress, read_address
from kamiyo_verify.integrations.postgres.problems import operator_path_failure, unverifiable
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.integrations.postgres.tls import UNENCRYPTED, TlsAttempt, attempts
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, OperatorPathFailed

Question = LiteralString | sql.Composed
Row = dict[str, Any]

_OVERTIME_S = 1.0  # the server's own statement timeout comes first, as its error is more specific


class DatabaseConnection:
    """A connection, opened by the first query; every query is a read-only transaction of its own.

    Nothing is set for the session: behind a pooler in transaction mode the session is shared, and its next
    user would inherit our settings.

    Args:
        database: the environment's table.
        context: shared with other clients; psycopg waits 2 s at least for a connection.
        production: a password is never sent to a server without TLS, unless `database.tls` allows it.

    Attributes:
        identity: how the server's identity was verified, once connected.
    """

    def __init__(self, database: Database, context: ClientContext, *, production: bool) -> None:
        self.identity = ""
        self._database = database
        self._timeouts = context.timeouts
        self._remaining = context.remaining
        self._production = production
        self._connection: psycopg.Connection[Row] | None = None
        self._address: DatabaseAddress | None = None
        self._resolved: tuple[str, ...] = ()

    def address(self) -> DatabaseAddress:
        """The parsed address.

        Raises:
            OperatorPathFailed: CREDENTIAL, as it is not an address of a PostgreSQL database.
        """
        if self._address is None:
            self._address = read_address(self._database.url.reveal(), self._database.url.name)
        return self._address

    @property
    def shown(self) -> str:
        """Host and port, safe to show."""
        return self._address.shown if self._address else "postgresql:"

    def close(self) -> None:
        """Close the connection; a later query opens another."""
        if self._connection is not None:
            with suppress(psycopg.Error, OSError):
                self._connection.close()
            self._connection = None

    def failure(self, trouble: Exception, waited_s: float) -> OperatorPathFailed:
        """Convert an exception of a query to an `OperatorPathFailed`."""
        hint = ""
        if self._address is not None:
            hint = database_reach.advice(self._address, self._resolved)
            if not hint and (pooler := database_reach.pooler(self._address)):
                hint = f"the address leads to {pooler}: the direct one may be reached"
        return operator_path_failure(trouble, self.shown, waited_s, name=self._database.url.name, advice=hint)

    def ask(self, question: Question, params: Sequence[object] = ()) -> list[Row]:
        """The rows of a query.

        Raises:
            psycopg.Error, OSError, ValueError: for `failure`.
            OperatorPathFailed: the query was not sent, or not answered in time.
        """
        if self._connection is None or self._connection.closed:
            self._connection = self._opened()
        connection = self._connection
        with self._bounded(connection), connection.transaction():
            for name, value in self._settings():
                connection.execute(statements.SET_LOCAL, [name, value])
            return connection.execute(question, params or None).fetchall()

    def _settings(self) -> Iterator[tuple[str, str]]:
        yield "statement_timeout", str(math.ceil(self._database.statement_timeout_s * 1000))
        yield from self.address().settings.items()

    def _opened(self) -> psycopg.Connection[Row]:
        address = self.address()
        allowed = min(seconds_allowed(address.shown, self._timeouts, self._remaining), self._timeouts.connect)
        wanted = address.parameters | self._numeric_addresses(address, allowed)
        wanted.setdefault("gssencmode", "disable")  # else psycopg's bundled libpq warns
        wanted.setdefault("options", "")  # else PGOPTIONS would be sent, which a pooler rejects
        wanted |= {"connect_timeout": str(math.ceil(allowed)), "application_name": "kamiyo-verify"}
        connection = self._connected(
            wanted, attempts(address, self._database.tls, production=self._production)
        )
        connection.read_only = True  # of each transaction: the server itself then rejects writes
        with self._bounded(connection), connection.transaction():
            row = connection.execute(statements.READ_ONLY).fetchone()
        if row is None or row["transaction_read_only"] != "on":
            connection.close()
            message = f"{address.shown} was not asked: it does not keep a transaction read-only"
            raise OperatorPathFailed(NoAnswerKind.UNUSABLE, message, address.shown)
        return connection

    def _connected(self, wanted: dict[str, str], ways: Sequence[TlsAttempt]) -> psycopg.Connection[Row]:
        for way in ways:
            try:
                connection = psycopg.connect(
                    make_conninfo("", **{**wanted, **way.parameters}),
                    autocommit=True,
                    row_factory=dict_row,
                    prepare_threshold=None,  # a pooler in transaction mode loses prepared statements
                )
            except psycopg.OperationalError as trouble:
                if not (way.may_fall_back and unverifiable(trouble)):
                    raise
                continue
            self.identity = way.identity
            if way.parameters["sslmode"] != "disable" and not connection.pgconn.ssl_in_use:
                self.identity = UNENCRYPTED
            return connection
        raise AssertionError("the last way to connect falls back on nothing")

    @contextmanager
    def _bounded(self, connection: psycopg.Connection[Row]) -> Iterator[None]:
        """Close the connection if the server exceeds its own statement timeout."""
        wanted = self._database.statement_timeout_s + _OVERTIME_S
        allowed = min(wanted, seconds_allowed(self.shown, self._timeouts, self._remaining))
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
            message = f"{self.shown} did not answer within {allowed:.1f} s"
            lost = fairly(NoAnswer(NoAnswerKind.TIMEOUT, message, self.shown), allowed, wanted)
            raise OperatorPathFailed(lost.kind, str(lost), lost.origin) from None
        finally:
            timer.cancel()

    def _numeric_addresses(self, address: DatabaseAddress, within_s: float) -> dict[str, str]:
        """Every host with its numeric addresses, as libpq's own name lookup has no timeout."""
        if "hostaddr" in address.parameters or "host" not in address.parameters:
            return {}
        found: list[tuple[str, str, int]] = []
        unknown: OSError | None = None
        for host, port in address.hosts:
            if host.startswith(("/", "@")):
                found.append((host, "", port))
                continue
            try:
                found += [(host, number, port) for number in resolve(host, port, within_s)]
            except OSError as problem:
                unknown = problem
        if not found and unknown is not None:
            raise unknown
        self._resolved = tuple(number for _, number, _ in found if number)
        return {
            "host": ",".join(host for host, _, _ in found),
            "hostaddr": ",".join(number for _, number, _ in found),
            "port": ",".join(str(port) for _, _, port in found),
        }


def _line(connection: psycopg.Connection[Row]) -> socket.socket:
    """A duplicate of its socket, so that closing the duplicate leaves the connection's own open."""
    return socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
