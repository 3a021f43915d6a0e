"""HTTP to one origin: bounded in time and size, patient with rate limits, and silent about secrets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Unpack

import httpcore
import httpx

from plugins.clients.answer import Answer
from plugins.clients.bodies import UnreadableBody, read_body, unpack
from plugins.clients.deadline import fairly, seconds_allowed
from plugins.clients.pool import open_pool
from plugins.clients.problems import no_answer
from plugins.clients.readable import masked_url, without
from plugins.clients.requests import Parts, build, onward, secrets_of
from plugins.clients.throttle import Throttle
from plugins.clients.wire import Trip, travelling
from plugins.model.environment import Timeouts
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.result import Exchange

__all__ = ["Answer", "HttpClient", "Record", "Throttle"]

Record = Callable[[Exchange], None]
"""Takes note of each exchange, also of those that failed."""

_MOST_REDIRECTS = 5
_LOST = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
    UnicodeError,
)
_MAYBE_STALE = (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError)


class HttpClient:
    """Asks one origin. Whatever the server does, each request ends in an `Answer` or a `NoAnswer`, in time.

    Cookies are not kept: each request sends those that it is given. Several threads may ask at once.

    Args:
        origin: scheme, host and port, such as "https://api.example.com".
        timeouts: `connect` bounds name lookup, connection and TLS; `answer` bounds the whole of one request.
        record: is told of every request.
        remaining: seconds that the current item has left.
        headers: sent with every request.
        throttle: what is known of rate limits, shared by the clients of a session.
    """

    def __init__(
        self,
        origin: str,
        *,
        timeouts: Timeouts,
        record: Record,
        remaining: Callable[[], float],
        headers: Mapping[str, str] | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        self.origin = origin
        self.timeouts = timeouts
        self.remaining = remaining
        self._record = record
        self._headers = dict(headers or {})
        self._throttle = throttle or Throttle()
        self._pool: httpcore.ConnectionPool | None = None
        self._opening = threading.Lock()

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Answer:
        """GET, as `request` does it."""
        return self.request("GET", path, params=params, headers=headers, cookies=cookies)

    def post(
        self,
        path: str,
        *,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST, as `request` does it, with one of three kinds of body."""
        return self.request(
            "POST", path, content=content, form=form, json=json, headers=headers, cookies=cookies
        )

    def request(self, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """Ask, wait out a 429 where that fits the item's time, follow up to 5 redirects within the origin.

        Args:
            method: any but HEAD, which the API does not answer.
            path: begins with "/"; may hold a query.
            **parts: params, headers, cookies, and of content, form and json at most one.

        Returns:
            The answer of whatever status. A redirect that is not followed (to another origin, the sixth, of
            another method than GET) is an answer as well.

        Raises:
            NoAnswer: none came in time and whole, or its item's time does not allow to wait for one.
        """
        request = build(method, self.origin, path, self._headers, parts)
        answer = self._patiently(request, parts.get("form"))
        for _ in range(_MOST_REDIRECTS):
            target = onward(request, answer.status, answer.headers.get("location", ""))
            if target is None:
                break
            request, answer = target, self._patiently(target, None)
        return answer

    def get_once(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """GET without waiting for rate limits and without following redirects: one exchange, for sampling.

        Raises:
            NoAnswer: as of `request`, but for RATE_LIMITED.
        """
        return self._exchange(build("GET", self.origin, path, self._headers, {"headers": headers}), None)

    def close(self) -> None:
        """Close the connections. The client may be used again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _patiently(self, request: httpx.Request, form: Mapping[str, str] | None) -> Answer:
        caller, path = request.headers.get("x-api-key", ""), request.url.path
        while True:
            self._throttle.admit(self.origin, caller, path, self.remaining())
            answer = self._exchange(request, form)
            if answer.status != 429:
                self._throttle.answered(self.origin, caller, path)
                return answer
            self._throttle.limited(self.origin, caller, path, answer.headers)

    def _exchange(self, request: httpx.Request, form: Mapping[str, str] | None) -> Answer:
        """One request and its answer, taken note of either way."""
        allowed = seconds_allowed(self.origin, self.timeouts, self.remaining)
        secrets = secrets_of(request, form)
        url = without(secrets, masked_url(str(request.url)))
        trip = Trip(until=time.monotonic() + allowed, connect_s=self.timeouts.connect)
        try:
            with travelling(trip):
                answer = self._carry(request, trip, secrets)
        except (*_LOST, UnreadableBody, NoAnswer) as problem:
            lost = self._lost(problem, trip, allowed)
            self._record(Exchange(request.method, url, None, _ms_since(trip.began), problem=str(lost)))
            # `from None`: what is below may quote the request's headers, or the answer that echoes them.
            raise lost from None
        self._record(
            Exchange(request.method, url, answer.status, answer.elapsed_ms, request_id=answer.request_id)
        )
        return answer

    def _carry(self, request: httpx.Request, trip: Trip, secrets: frozenset[str]) -> Answer:
        try:
            return self._travel(request, trip, secrets)
        except _MAYBE_STALE:
            # The server may have closed a standing connection just as we used it, as it is free to.
            if trip.fresh or request.method not in {"GET", "OPTIONS"}:
                raise
            return self._travel(request, trip, secrets)

    def _travel(self, request: httpx.Request, trip: Trip, secrets: frozenset[str]) -> Answer:
        with self._opening:
            pool = self._pool = self._pool or open_pool(self.origin)
        url = request.url
        response = pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.read(),
            )
        )
        first_byte_ms = _ms_since(trip.began)
        try:
            body, truncated = read_body(response.iter_stream(), trip)
        finally:
            response.close()
        elapsed_ms = _ms_since(trip.began)
        headers = httpx.Headers(response.headers)
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
            connecting_ms=trip.connecting_ms,
            secrets=secrets,
        )

    def _lost(self, problem: Exception, trip: Trip, allowed: float) -> NoAnswer:
        match problem:
            case NoAnswer():
                return problem
            case UnreadableBody():
                return NoAnswer(NoAnswerKind.CUT, f"{self.origin} {problem}", self.origin)
        lost = no_answer(problem, self.origin, time.monotonic() - trip.began, connected=trip.connected)
        return fairly(lost, allowed, self.timeouts.answer)


def _ms_since(began: float) -> float:
    return (time.monotonic() - began) * 1000
