"""The HTTP servers, all in this process: uvicorn on sockets of our own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.faults import FAULTS, Faults

_TICK_S = 0.005
_PATIENCE_S = 1


def free_port() -> socket.socket:
    """A socket on a port that the system chose: nobody can come between choosing and using it."""
    # asyncio sets TCP_NODELAY where the protocol is named; without it a kept connection answers 40 ms late
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


def url_of(bound: socket.socket) -> str:
    """Where a server on that socket is reached."""
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


class _Server(uvicorn.Server):
    """Leaves signals to the sandbox as a whole."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Servers:
    """The running servers by name."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._servers: dict[str, _Server] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, name: str, app: ASGIApp, bound: socket.socket) -> None:
        """Serve an app; returns when it answers. The fault `<name>-down`, if any, drops its callers."""
        fault = f"{name}-down"
        config = uvicorn.Config(
            app,
            http=_dropping(self._faults, fault) if fault in FAULTS else H11Protocol,
            ws="websockets-sansio",
            loop="asyncio",
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE_S,
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
        """End all; open connections are closed, what still runs after a second is cancelled."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        for server in self._servers.values():
            server.should_exit = server.force_exit = True
        if self._running:
            await asyncio.wait(self._running, timeout=2 * _PATIENCE_S)


def _dropping(faults: Faults, fault: str) -> type[H11Protocol]:
    class Dropping(H11Protocol):
        """Takes every connection, and aborts it as soon as something is asked."""

        def data_received(self, data: bytes) -> None:
            if fault in faults:
                self.transport.abort()
            else:
                super().data_received(data)

    return Dropping
