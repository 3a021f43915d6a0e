"""A time limit for everything that is asked of PostgreSQL, a server that stopped answering included."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event


class TooSlow(Exception):
    """The server did not answer in time, and its connections were cut."""


class TimeLimit:
    """Cuts the connections that a thread uses in a block, if the block takes too long.

    PostgreSQL's own limits do not help where the server, or a proxy before it, keeps the connection and says
    nothing. Nor does closing the connection, which waits for the server too.

    Args:
        engine: its connections are watched from here on.
        seconds: the longest time of a block.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._seconds = seconds
        self._current = threading.local()
        # Before SQLAlchemy's own first queries on a new connection.
        event.listen(engine, "connect", self._watch, insert=True)
        event.listen(engine, "checkout", self._watch)

    @contextmanager
    def block(self, seconds: float | None = None) -> Iterator[None]:
        """Run a block.

        Args:
            seconds: its longest time, where it is not the usual one.

        Raises:
            TooSlow: it took longer.
        """
        allowed = seconds or self._seconds
        watched = _Watched()
        timer = threading.Timer(allowed, watched.cut)
        timer.daemon = True
        timer.start()
        self._current.watched = watched
        try:
            yield
        except Exception as error:
            if watched.is_cut:
                raise TooSlow(f"it did not answer within {allowed:.0f} s") from error
            raise
        finally:
            self._current.watched = None
            timer.cancel()
            watched.forget()

    def _watch(self, connection: Any, *_: object) -> None:
        watched: _Watched | None = getattr(self._current, "watched", None)
        if watched is not None:
            watched.add(connection.fileno())


class _Watched:
    """Duplicates of connections' sockets: shutting one down wakes whoever waits for the other."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._lines: list[socket.socket] = []
        self.is_cut = False

    def add(self, number: int) -> None:
        with self._guard:
            line = socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM)
            self._lines.append(line)
            if self.is_cut:
                _shut(line)

    def cut(self) -> None:
        with self._guard:
            self.is_cut = True
            for line in self._lines:
                _shut(line)

    def forget(self) -> None:
        with self._guard:
            for line in self._lines:
                line.close()
            self._lines.clear()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
