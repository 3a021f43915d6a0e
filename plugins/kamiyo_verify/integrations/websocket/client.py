"""Open a WebSocket: within the time of the item, through the machine's proxy, its credential masked."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.credentials import Carried
from kamiyo_verify.http.deadline import fairly, seconds_allowed
from kamiyo_verify.http.pool import proxy_for, trusted_certificates
from kamiyo_verify.http.readable import masked_url, without
from kamiyo_verify.http.requests import USER_AGENT, Parts, sendable, with_cookies
from kamiyo_verify.http.wire import dial
from kamiyo_verify.integrations.websocket.conventions import Conventions
from kamiyo_verify.integrations.websocket.refusals import refusal
from kamiyo_verify.integrations.websocket.stream import LARGEST_FRAME, BoundedConnection, Stream
from kamiyo_verify.integrations.websocket.token import Token
from kamiyo_verify.model.outcomes import ImproperAnswer, ImproperKind, NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.times import utc_now

_CLOSING_S = 1.0
_SHORTEST_SECRET = 4
# Discards all records: at level DEBUG websockets logs the request's lines, which may hold a credential.
_UNHEARD = logging.Logger("unheard", level=logging.CRITICAL + 1)
_NO_CONVENTIONS = Conventions()
_NOT_OPENED = (WebSocketException, OSError, EOFError, ValueError, ImportError, NoAnswer, ImproperAnswer)


class WebSocketClient:
    """Opens streams at one address.

    Args:
        url: ws(s) address, without a credential.
        context: shared with other clients; `answer` bounds the time until a stream is open.
        parts: params, headers and cookies of the opening request, and `carried`: the credential among them.
        conventions: the platform's own close codes, and frames to answer.
    """

    def __init__(
        self,
        url: str,
        context: ClientContext,
        parts: Parts | None = None,
        conventions: Conventions = _NO_CONVENTIONS,
    ) -> None:
        sent: Parts = parts if parts is not None else {}
        carried = sent.get("carried")
        query = urlencode({**(sent.get("params") or {})}, quote_via=quote, safe="")
        scheme, host = url.partition("://")[::2]
        self.origin = f"{scheme.replace('ws', 'http', 1)}://{host.partition('/')[0]}"
        self._address = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
        self._headers = with_cookies(sent.get("headers"), sent.get("cookies"))
        self._token = Token(carried.variable, _secrets(carried, self._headers)) if carried else Token()
        self._shown = without(self._token.secrets, masked_url(self._address))
        self._context = context
        self._conventions = conventions

    @contextmanager
    def connect(self) -> Iterator[Stream]:
        """An open stream, closed at the end.

        Raises:
            WrongAnswer: the server refused; names the HTTP status or what the close code means.
            NoAnswer: there is no connection, or a header cannot carry the credential.
        """
        with self._opened() as connection:
            yield Stream(connection, self._shown, self._context.remaining, self._token, self._conventions)

    def _opened(self) -> ClientConnection:
        headers = sendable(self._headers, self.origin)
        allowed = seconds_allowed(self.origin, self._context.timeouts, self._context.remaining)
        self._context.hangs.admit(self.origin)
        at, began = utc_now(), time.monotonic()
        try:
            connection = self._connected(headers, began + allowed)
        except _NOT_OPENED as problem:
            waited = time.monotonic() - began
            lost, status = refusal(
                problem, self.origin, self._shown, waited, self._conventions, self._token.variable
            )
            if isinstance(lost, NoAnswer):
                lost = fairly(lost, allowed, self._context.timeouts.answer)
                if lost.kind is NoAnswerKind.TIMEOUT:
                    self._context.hangs.timed_out(self.origin, began, allowed)
            self._note(status, at, began, str(lost))
            # `from None`: the cause may quote the address with its token.
            raise lost from None
        self._context.hangs.answered(self.origin)
        self._note(101, at, began, "")
        return connection

    def _connected(self, headers: dict[str, str], until: float) -> ClientConnection:
        secure = trusted_certificates(self.origin) if self._address.startswith("wss:") else None
        proxy = proxy_for(self.origin)
        # With our own socket, the name lookup is bounded.
        line = None if proxy else self._dialled(until)
        return connect(
            self._address,
            sock=line,
            ssl=secure,
            proxy=proxy,
            additional_headers=headers,
            open_timeout=max(0.001, until - time.monotonic()),
            close_timeout=_CLOSING_S,
            max_size=LARGEST_FRAME,
            # Browsers offer it as well; `max_size` bounds a frame after it is decompressed.
            compression="deflate",
            create_connection=_first_only(self._shown),
            user_agent_header=USER_AGENT,
            logger=_UNHEARD,
        )

    def _dialled(self, until: float) -> socket.socket:
        parts = urlsplit(self.origin)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        within_s = min(self._context.timeouts.connect, until - time.monotonic())
        line = dial(
            host, port, within_s, lambda address, share: socket.create_connection((address, port), share)
        )
        line.settimeout(None)
        return line

    def _note(self, status: int | None, at: str, began: float, problem: str) -> None:
        variable = self._token.variable
        accepted = {101: True, 401: False, 403: False}.get(status or 0) if variable else None
        duration_ms = (time.monotonic() - began) * 1000
        sent = Exchange("WS", self._shown, status, duration_ms, problem=problem, at=at)
        self._context.record(replace(sent, credential=variable, accepted=accepted))


def _secrets(carried: Carried, headers: Mapping[str, str]) -> frozenset[str]:
    """The forms of the credential, and the headers' values, one of which may be made of it."""
    values = (part for value in headers.values() for part in (value, value.partition(" ")[2]))
    return carried.secrets | {value for value in values if len(value) >= _SHORTEST_SECRET}


def _first_only(shown: str) -> type[BoundedConnection]:
    """Return a class of one connection: a second one would follow a redirect, with the same headers.

    websockets follows redirects where it opens the connection itself, which is through a proxy.
    """
    opened: list[bool] = []

    class OnlyConnection(BoundedConnection):
        def __init__(self, *args: Any, **named: Any) -> None:
            if opened:
                raise ImproperAnswer(
                    f"{shown} answered with a redirect where a WebSocket was expected", ImproperKind.REDIRECT
                )
            opened.append(True)
            super().__init__(*args, **named)

    return OnlyConnection
