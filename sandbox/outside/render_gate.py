"""Request handling that all endpoints of Render's API share: key, rate limits, validation, pagination."""

from __future__ import annotations

import hmac
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Container, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.outside.world import World

Endpoint = Callable[[Request], Awaitable[Response]]

_WINDOW_S = 60
_GET_LIMIT = 400
_LOGS_LIMIT = 30
_DEPLOY_LIMIT = 10
_WRITE_LIMIT = 30
_PAGE = 20
_MOST_A_PAGE = 100


class Refusal(Exception):
    """The request is refused with an error response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Gate:
    """Accepts requests with a valid key within the rate limits.

    Source of the limits: api-docs.render.com/reference/rate-limiting; /logs has its own limit.
    """

    def __init__(self, world: World, key: str) -> None:
        self._world = world
        self._key = key
        self._used: dict[tuple[str, int], int] = {}
        self._cleared = world.faults.cleared

    def guards(self, endpoint: Endpoint) -> Endpoint:
        """Wrap an endpoint with authentication and rate limits."""

        async def guarded(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                self._authenticate(request)
                headers = self._take(request)
                answer = await endpoint(request)
            except Refusal as refusal:
                body = {"id": f"req-{refusal.status}", "message": refusal.message}
                answer = JSONResponse(body, refusal.status)
                if refusal.status == 429:
                    headers = self._headers(*_bucket(request))
                    headers["Retry-After"] = headers["Ratelimit-Reset"]
            answer.headers.update(headers)
            return answer

        return guarded

    def _authenticate(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(key.encode(), self._key.encode()):
            raise Refusal(401, "unauthorized")

    def _take(self, request: Request) -> dict[str, str]:
        bucket, limit = _bucket(request)
        place = (bucket, self._window())
        if self._cleared != self._world.faults.cleared:
            self._cleared = self._world.faults.cleared
            self._used.clear()
        if self._used.get(place, 0) >= limit:
            raise Refusal(429, "rate limit exceeded")
        self._used = {key: used for key, used in self._used.items() if key[1] == place[1]}
        self._used[place] = self._used.get(place, 0) + 1
        return self._headers(bucket, limit)

    def _headers(self, bucket: str, limit: int) -> dict[str, str]:
        used = self._used.get((bucket, self._window()), 0)
        left_s = _WINDOW_S - self._world.now().timestamp() % _WINDOW_S
        return {
            "Ratelimit-Limit": str(limit),
            "Ratelimit-Remaining": str(max(limit - used, 0)),
            "Ratelimit-Reset": str(math.ceil(left_s)),
        }

    def _window(self) -> int:
        return int(self._world.now().timestamp() // _WINDOW_S)


def _bucket(request: Request) -> tuple[str, int]:
    """Return the name of the rate limit for a request, and its requests a minute."""
    path = request.url.path
    if request.method == "GET":
        return ("logs", _LOGS_LIMIT) if path.endswith("/logs") else ("get", _GET_LIMIT)
    service = request.path_params.get("service_id", "")
    if request.method == "PATCH" or path.endswith("/deploys"):
        return f"deploys {service}", _DEPLOY_LIMIT
    return "write", _WRITE_LIMIT


def moment(request: Request, name: str, default: datetime) -> datetime:
    """Return a query parameter as a time."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{name} is no RFC 3339 timestamp") from None
    if found.tzinfo is None:
        raise Refusal(400, f"{name} has no zone")
    return found


def number(request: Request, name: str, default: float, low: float, high: float) -> float:
    """Return a query parameter as a number within bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        found = float(text)
    except ValueError:
        raise Refusal(400, f"{name} is no number") from None
    if not low <= found <= high:
        raise Refusal(400, f"{name} must be between {low:g} and {high:g}")
    return found


def several(
    request: Request, name: str, known: Container[str] | None = None, *, required: bool = False
) -> list[str]:
    """Return all values of a parameter, repeated or separated by commas."""
    found = [value for text in request.query_params.getlist(name) for value in text.split(",") if value]
    if required and not found:
        raise Refusal(400, f"{name} is required")
    for value in found:
        if known is not None and value not in known:
            raise Refusal(400, f"{name}: {value} is not one of the known values")
    return found


def page_size(request: Request) -> int:
    """Return the most rows of a page."""
    return int(number(request, "limit", _PAGE, 1, _MOST_A_PAGE))


def page(request: Request, rows: Sequence[tuple[str, dict[str, Any]]], key: str) -> Response:
    """Return one page of a list.

    Args:
        request: the request with `cursor` and `limit`.
        rows: all rows, each with its id.
        key: the JSON key of each row.
    """
    cursor, first = request.query_params.get("cursor"), 0
    if cursor:
        try:
            after = urlsafe_b64decode(cursor).decode()
            first = [identity for identity, _ in rows].index(after) + 1
        except ValueError:
            raise Refusal(400, "invalid cursor") from None
    shown = rows[first : first + page_size(request)]
    return JSONResponse(
        [{"cursor": urlsafe_b64encode(identity.encode()).decode(), key: row} for identity, row in shown]
    )
