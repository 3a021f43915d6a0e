"""The HTTP servers, all in this process: uvicorn on sockets that the sandbox opens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.authority import Certificate
from sandbox.faults import FAULTS, Faults

_TICK_S = 0.005
_PATIENCE_S = 1


def free_port() -> socket.socket:
    """Bind a socket to a free port; no other process can take the port before it is used."""
    # asyncio sets TCP_NODELAY only with an explicit protocol; without it, kept connections are 40 ms slower.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


def url_of(bound: socket.socket, *, secure: bool = False) -> str:
    """Return the URL of a server on this socket."""
    return f"http{'s' if secure else ''}://127.0.0.1:{bound.getsockname()[1]}"


class _Server(uvicorn.Server):
    """A uvicorn server without signal handlers; the sandbox handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Servers:
    """The running servers by name."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._servers: dict[str, _Server] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def start(
        self, name: str, app: ASGIApp, bound: socket.socket, certificate: Certificate | None = None
    ) -> None:
        """Serve an application, over TLS with a certificate; return when it responds.

        A fault `<name>-down`, if there is one, drops connections.
        """
        fault = f"{name}-down"
        config = uvicorn.Config(
            _forgiving(app),
            http=_dropping(self._faults, fault) if fault in FAULTS else H11Protocol,
            ws="websockets-sansio",
            loop="asyncio",
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE_S,
            ssl_certfile=certificate.chain if certificate else None,
            ssl_keyfile=certificate.key if certificate else None,
        )
        server = self._servers[name] = _Server(config)
        running = asyncio.create_task(server.serve([bound]))
        self._running.add(running)
        while not server.started and not running.done():
            await asyncio.sleep(_TICK_S)
        if running.done():
            running.result()
            raise RuntimeError(f"the {name} server did not start")

    def cut(self, name: str) -> None:
        """Abort every open connection of a server."""
        for connection in tuple(self._servers[name].server_state.connections):
            connection.transport.abort()

    async def stop(self) -> None:
        """Stop all servers; close open connections, and cancel tasks that still run after a second."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        for server in self._servers.values():
            server.should_exit = server.force_exit = True
        if self._running:
            await asyncio.wait(self._running, timeout=2 * _PATIENCE_S)


def _forgiving(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that a client that leaves in the middle of its body is no error of ours."""

    async def forgiving(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientDisconnect):
            await app(scope, receive, send)

    return forgiving


def _dropping(faults: Faults, fault: str) -> type[H11Protocol]:
    class Dropping(H11Protocol):
        """Accepts every connection, and aborts it when data arrives."""

        def data_received(self, data: bytes) -> None:
            if fault in faults:
                self.transport.abort()
            else:
                super().data_received(data)

    return Dropping
