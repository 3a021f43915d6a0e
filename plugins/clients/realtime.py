"""Live updates over the API's WebSocket."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from plugins.clients.deadline import fairly, seconds_allowed
from plugins.clients.http import Record
from plugins.clients.pool import proxy_for, trusted_certificates
from plugins.clients.readable import masked_url
from plugins.clients.refusals import refusal
from plugins.clients.requests import USER_AGENT
from plugins.clients.stream import LARGEST_FRAME, Heard, Stream
from plugins.clients.wire import dial
from plugins.model.environment import Timeouts
from plugins.model.outcomes import NoAnswer, WrongAnswer
from plugins.model.result import Exchange
from plugins.model.tables import Credential

__all__ = ["Heard", "RealtimeClient", "Stream"]

_CLOSING_S = 1.0
# Nobody listens: at level DEBUG websockets logs the request's line, which holds the token.
_UNHEARD = logging.Logger("unheard", level=logging.CRITICAL + 1)


class RealtimeClient:
    """Opens streams of live updates.

    Args:
        url: ws(s) address, without a token.
        key: the API key that is sent as the token.
        timeouts: `connect` bounds name lookup and connection, `answer` the whole way to an open stream.
        record: is told of each connection.
        remaining: seconds that the current item has left.
    """

    def __init__(
        self, url: str, key: Credential, *, timeouts: Timeouts, record: Record, remaining: Callable[[], float]
    ) -> None:
        self._url = url
        self._key = key
        self._timeouts = timeouts
        self._record = record
        self._remaining = remaining

    @contextmanager
    def connect(self, *, token: bool = True) -> Iterator[Stream]:
        """An open stream, closed at the end.

        Args:
            token: send the API key.

        Raises:
            WrongAnswer: the server refused; names the HTTP status or what the close code means.
            NoAnswer: there is no connection.
            LookupError: the key is not set; `needs("api.key")` stops a check before.
        """
        secret = self._key.reveal().strip() if token else ""
        with self._opened(
            f"{self._url}?token={quote(secret, safe='')}" if token else self._url
        ) as connection:
            host = urlsplit(self._url).netloc
            # Only through a proxy: websockets opens that connection itself, and follows redirects.
            if connection.request is not None and connection.request.headers.get("Host") != host:
                raise WrongAnswer(f"{masked_url(self._url)} redirects live updates to another origin")
            yield Stream(connection, masked_url(self._url), secret, self._remaining)

    def _opened(self, address: str) -> ClientConnection:
        shown = masked_url(address)
        parts = urlsplit(self._url)
        origin = f"{parts.scheme.replace('ws', 'http', 1)}://{parts.netloc}"
        allowed = seconds_allowed(origin, self._timeouts, self._remaining)
        began = time.monotonic()
        try:
            connection = self._connected(address, origin, began + allowed)
        except (WebSocketException, OSError, EOFError, ValueError, ImportError, NoAnswer) as problem:
            lost, status = refusal(problem, origin, shown, time.monotonic() - began)
            if isinstance(lost, NoAnswer):
                lost = fairly(lost, allowed, self._timeouts.answer)
            self._note(shown, status, began, str(lost))
            # `from None`: what is below may quote the address with its token.
            raise lost from None
        self._note(shown, 101, began, "")
        return connection

    def _connected(self, address: str, origin: str, until: float) -> ClientConnection:
        secure = trusted_certificates(origin) if address.startswith("wss:") else None
        proxy = proxy_for(origin)
        # With a socket of ours websockets follows no redirect, and the name lookup is bounded.
        line = None if proxy else self._dialled(origin, until)
        return connect(
            address,
            sock=line,
            ssl=secure,
            proxy=proxy,
            open_timeout=max(0.001, until - time.monotonic()),
            close_timeout=_CLOSING_S,
            max_size=LARGEST_FRAME,
            compression=None,
            user_agent_header=USER_AGENT,
            logger=_UNHEARD,
        )

    def _dialled(self, origin: str, until: float) -> socket.socket:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        within_s = min(self._timeouts.connect, until - time.monotonic())
        line = dial(
            host, port, within_s, lambda address, share: socket.create_connection((address, port), share)
        )
        line.settimeout(None)
        return line

    def _note(self, shown: str, status: int | None, began: float, problem: str) -> None:
        duration_ms = (time.monotonic() - began) * 1000
        self._record(Exchange("WS", shown, status, duration_ms, problem=problem))
