"""Network connections whose every step, name lookup included, ends at one deadline.

httpx2 bounds each read by itself, so a server that sends a byte a second holds a request without limit, and a
name server that does not answer holds it before any timeout begins. Here a `RequestDeadline` applies the
deadline of one request to every step on the network.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import httpcore2

from kamiyo_verify.http.deadline import above_zero, current_deadline
from kamiyo_verify.http.problems import LookupTimeout, ProxyUnreached

Line = TypeVar("Line")


class Backend(httpcore2.NetworkBackend):
    """httpcore2's own backend, under the deadline of the current request.

    Args:
        to_proxy: every connection is one to the proxy of this machine.
    """

    def __init__(self, *, to_proxy: bool = False) -> None:
        self._inner = httpcore2.SyncBackend()
        self._to_proxy = to_proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            ProxyUnreached: the host is the proxy, and takes no connection.
        """

        def connect(address: str, within_s: float) -> httpcore2.NetworkStream:
            return self._inner.connect_tcp(address, port, within_s, local_address, socket_options)

        deadline = current_deadline()
        with deadline.connecting():
            try:
                return _Stream(dial(host, port, deadline.left_to_connect(), connect))
            except (OSError, UnicodeError, httpcore2.NetworkError, httpcore2.TimeoutException):
                if self._to_proxy:
                    raise ProxyUnreached from None
                raise


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        return self._inner.read(max_bytes, current_deadline().left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        self._inner.write(buffer, current_deadline().left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore2.NetworkStream:
        deadline = current_deadline()
        with deadline.connecting():
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, deadline.left_to_connect()))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def limit_sends(line: socket.socket, seconds: float) -> None:
    """Let a send on a blocking socket fail after these seconds without progress, in whatever thread.

    `settimeout` would limit what is received as well.
    """
    if sys.platform == "win32":
        limit = struct.pack("L", round(seconds * 1000))
    else:
        limit = struct.pack("ll", int(seconds), round(seconds % 1 * 1_000_000))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def dial(host: str, port: int, within_s: float, connect: Callable[[str, float], Line]) -> Line:
    """The first connection that one of the host's addresses accepts; the addresses share the remaining time.

    Args:
        host: a name or a numeric address.
        port: only for looking up the name.
        within_s: seconds for all of it.
        connect: connects to a numeric address within some seconds.

    Raises:
        TimeoutError: the time is up.
        OSError: the name does not resolve, or no address accepted: the last exception of `connect`.
        UnicodeError: the host is not a valid name.
    """
    until = time.monotonic() + within_s
    addresses = resolve(host, port, within_s)
    for place, address in enumerate(addresses, start=1):
        share = above_zero(until - time.monotonic()) / (len(addresses) - place + 1)
        try:
            return connect(address, share)
        except (OSError, httpcore2.ConnectError, httpcore2.ConnectTimeout):
            if place == len(addresses):
                raise
    raise socket.gaierror(socket.EAI_NONAME, "no address")


def resolve(host: str, port: int, within_s: float) -> tuple[str, ...]:
    """The numeric addresses of a host, in the system's order.

    `getaddrinfo` has no timeout, so it runs in its own thread, which is abandoned if it hangs.

    Raises:
        LookupTimeout: no answer within that many seconds; it is a TimeoutError.
        OSError: `socket.gaierror` if the name does not resolve.
        UnicodeError: the host is not a valid name.
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
        raise LookupTimeout(f"no answer about {bare}") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
