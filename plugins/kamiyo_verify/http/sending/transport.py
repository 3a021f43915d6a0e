"""Send one request over the connection pool of one origin, and read its answer within limits."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import httpcore2
import httpx2

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.bodies import read_body, unpack
from kamiyo_verify.http.deadline import RequestDeadline, ms_since
from kamiyo_verify.http.pool import open_pool, proxy_for
from kamiyo_verify.http.problems import GATEWAY_STATUSES, on_this_machine, proxy_trouble
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

_OF_A_PROXY = GATEWAY_STATUSES | {407}
"""Without TLS an answer through a proxy may be the proxy's own; these are what it says of its own trouble."""

_OF_A_PORTAL = 511
"""Network Authentication Required: no server of a website answers it (RFC 6585, 6)."""

_MAYBE_STALE = (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpcore2.WriteError)


class Transport:
    """Sends requests to one origin; the pool is opened when it is first needed.

    Args:
        origin: scheme, host and port.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._opening = threading.Lock()
        self._pool: httpcore2.ConnectionPool | None = None

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def send(self, request: httpx2.Request, deadline: RequestDeadline, secrets: frozenset[str]) -> Answer:
        """Send the request; send it again if a reused connection turns out to be closed."""
        try:
            return self._send_once(request, deadline, secrets)
        except _MAYBE_STALE:
            # The server may have closed an idle connection just as we used it, which HTTP allows.
            if deadline.fresh or request.method not in {"GET", "OPTIONS"}:
                raise
            return self._send_once(request, deadline, secrets)

    def _send_once(
        self, request: httpx2.Request, deadline: RequestDeadline, secrets: frozenset[str]
    ) -> Answer:
        with self._opening:
            pool = self._pool = self._pool or open_pool(self.origin)
        url = request.url
        response = pool.handle_request(
            httpcore2.Request(
                request.method,
                httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.read(),
            )
        )
        if (
            response.status in _OF_A_PROXY
            and urlsplit(self.origin).scheme == "http"
            and proxy_for(self.origin)
        ):
            response.close()
            kind, trouble = proxy_trouble(str(response.status))
            raise NoAnswer(kind, f"{self.origin} {trouble}", self.origin)
        if response.status == _OF_A_PORTAL:
            response.close()
            why = on_this_machine(f"a portal of its network asks it to sign in ({_OF_A_PORTAL})")
            raise NoAnswer(NoAnswerKind.LOCAL, f"{self.origin} {why}", self.origin)
        first_byte_ms = ms_since(deadline.began)
        try:
            body, truncated = read_body(response.iter_stream(), deadline)
        finally:
            response.close()
        elapsed_ms = ms_since(deadline.began)
        headers = httpx2.Headers(response.headers)
        body, truncated = unpack(body, headers.get("content-encoding", ""), cut=truncated)
        return Answer(
            method=request.method,
            url=str(url),
            status=response.status,
            headers=headers,
            body=body,
            elapsed_ms=elapsed_ms,
            truncated=truncated,
            first_byte_ms=first_byte_ms,
            connecting_ms=deadline.connecting_ms,
            secrets=secrets,
        )
