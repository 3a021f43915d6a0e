"""A small HTTP server for pages that are only read: bounded, without sign-in, and not for other websites.

It listens on this machine alone unless it is told otherwise, and then answers only requests for this
machine's own names, which keeps out other websites (DNS rebinding).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_address

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kamiyo_verify.webhook.connections import Limits, bounded

_LIMITS = Limits(at_once=64, per_address=16, head_s=5.0, whole_s=60.0)
_HEAD_BYTES = 16 * 1024
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ENDS_WITHIN_S = 5

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy of answers that are no pages."""

PAGE_CSP = f"{NOTHING}; style-src 'unsafe-inline'"
"""That of pages without scripts."""

REPORT_CSP = (
    f"{NOTHING}; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; media-src data:"
)
"""That of pytest-html's reports, whose table is made by a script in them."""

HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",  # one request a connection, so that each place is free again soon
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every response. Source: OWASP, "HTTP Security Response Headers Cheat Sheet"."""


class ReadOnlyServer:
    """Serves an application on one address.

    Args:
        create: makes the application, from the names by which it may be requested; empty for any.
        bind: the address to listen on.
        port: its port; 0 for a free one.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(self, create: Callable[[Collection[str]], ASGIApp], bind: str, port: int) -> None:
        self._socket = _bound(bind, port)
        address, number = self._socket.getsockname()[:2]
        named = f"[{bind}]" if ":" in bind else bind
        self.is_local = ip_address(address.partition("%")[0]).is_loopback
        """Whether only this machine reaches it."""
        self.url = f"http://{named}:{number}/"
        config = uvicorn.Config(
            create({*_LOCAL, named.lower()} if self.is_local else ()),
            http=bounded(_LIMITS),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=_ENDS_WITHIN_S,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.run, name="read-only-server", daemon=True)

    def run(self) -> None:
        """Serve until Ctrl-C, or until `stop` is called from elsewhere."""
        try:
            self._server.run(sockets=[self._socket])
        except KeyboardInterrupt:  # uvicorn has ended by then, and hands it on
            pass
        finally:
            self._socket.close()

    def start(self) -> None:
        """Serve in a thread, until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End what `start` began."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(2 * _ENDS_WITHIN_S)


def guarded(app: ASGIApp, hosts: Collection[str]) -> ASGIApp:
    """Add the security headers, and refuse requests for other names; no names allow any."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Content-Security-Policy", NOTHING)
            await send(message)

        answer: ASGIApp = app
        if scope["type"] == "http" and hosts and _host(scope) not in hosts:
            answer = text(421, "this server answers for this machine only")
        await answer(scope, receive, with_headers)

    return guard


def text(status: int, what: str) -> Response:
    """Return an answer of one line."""
    return PlainTextResponse(f"{what}\n", status)


def _bound(bind: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else error.strerror  # getaddrinfo's are negative
        raise OSError(f"cannot listen on {bind}, port {port}: {why or error}") from error


def _host(scope: Scope) -> str:
    """Return the host of a request without its port, in lower case."""
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name, separator, number = host.rpartition(":")
    return name if separator and number.isdecimal() else host
