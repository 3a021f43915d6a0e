"""Connections whose every step, name lookup included, ends at one deadline.

httpx bounds each read by itself, so a server that sends a byte a second holds a request for as long as it
likes, and a name server that stays silent holds it before any timeout begins. Here a `Trip` carries the
deadline of one request into every step on the network.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpcore


@dataclass(slots=True)
class Trip:
    """One request under way.

    Attributes:
        until: when all of it must be over, by `time.monotonic()`.
        connect_s: the most seconds that the way to a standing connection may take.
        fresh: it opened its connection itself.
        connected: the connection stands.
        connecting_ms: what name lookup, connection and TLS took; 0 on a connection that stood already.
    """

    until: float
    connect_s: float
    fresh: bool = False
    connected: bool = True
    connecting_ms: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds to the deadline.

        Raises:
            TimeoutError: there are none.
        """
        return _above_zero(self.until - time.monotonic())

    def left_to_connect(self) -> float:
        """Seconds for the step at hand on the way to a connection.

        Raises:
            TimeoutError: there are none.
        """
        return _above_zero(min(self.until, self.began + self.connect_s) - time.monotonic())

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Count the time inside as set-up of the connection."""
        self.fresh, self.connected = True, False
        started = time.monotonic()
        try:
            yield
            self.connected = True
        finally:
            self.connecting_ms += (time.monotonic() - started) * 1000


def _above_zero(seconds: float) -> float:
    if seconds <= 0:
        raise TimeoutError("the time is up")
    return seconds


Line = TypeVar("Line")

_trip: ContextVar[Trip] = ContextVar("_trip")


@contextmanager
def travelling(trip: Trip) -> Iterator[Trip]:
    """Bound everything that `Backend` does in this thread by the trip's deadline."""
    token = _trip.set(trip)
    try:
        yield trip
    finally:
        _trip.reset(token)


class Backend(httpcore.NetworkBackend):
    """httpcore's own backend, under the deadline of the trip that is under way."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the trip knows better
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers."""
        trip = _trip.get()
        with trip.connecting():
            return _Stream(
                dial(
                    host,
                    port,
                    trip.left_to_connect(),
                    lambda address, within_s: self._inner.connect_tcp(
                        address, port, within_s, local_address, socket_options
                    ),
                )
            )


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        return self._inner.read(max_bytes, _trip.get().left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        self._inner.write(buffer, _trip.get().left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        trip = _trip.get()
        with trip.connecting():
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, trip.left_to_connect()))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def dial(host: str, port: int, within_s: float, connect: Callable[[str, float], Line]) -> Line:
    """The first connection that one of the host's addresses takes; the time left is shared among them.

    Args:
        host: a name or a numeric address.
        port: only for looking up the name.
        within_s: seconds for all of it.
        connect: connects to a numeric address within some seconds.

    Raises:
        TimeoutError: the time is up.
        OSError: the name does not resolve, or no address took it: then whatever `connect` raised last.
        UnicodeError: it is no name that could resolve.
    """
    until = time.monotonic() + within_s
    addresses = resolve(host, port, within_s)
    for place, address in enumerate(addresses, start=1):
        share = _above_zero(until - time.monotonic()) / (len(addresses) - place + 1)
        try:
            return connect(address, share)
        except (OSError, httpcore.ConnectError, httpcore.ConnectTimeout):
            if place == len(addresses):
                raise
    raise socket.gaierror(socket.EAI_NONAME, "no address")


def resolve(host: str, port: int, within_s: float) -> tuple[str, ...]:
    """The numeric addresses of a host, in the system's order.

    `getaddrinfo` knows no timeout, so it runs in a thread of its own that is left behind where it hangs.

    Raises:
        TimeoutError: no answer within that many seconds.
        OSError: `socket.gaierror` where the name does not resolve.
        UnicodeError: it is no name that could.
    """
    bare = host.strip("[]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        pass
    else:
        return (bare,)
    found: queue.SimpleQueue[tuple[str, ...] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            found.put(problem)
        else:
            found.put(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))

    threading.Thread(target=look_up, name=f"resolve {bare}", daemon=True).start()
    try:
        answer = found.get(timeout=within_s)
    except queue.Empty:
        raise TimeoutError(f"no answer about {bare}") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
