"""Data routes of the API: cached by URL, and with a minimum response time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cache import KEPT_S
from sandbox.callers import Tier
from sandbox.platform import Platform

Make = Callable[[Request], Awaitable[object]]


def is_delayed(request: Request) -> bool:
    """Whether the caller is anonymous, and gets only data older than a day."""
    return request.scope["state"]["tier"] is Tier.ANONYMOUS


def data_route(platform: Platform, path: str, make: Make) -> Route:
    """Create a GET route with the JSON of `make`, cached by URL."""

    async def answer(request: Request) -> Response:
        key = (request.url.path, request.url.query, str(is_delayed(request)))
        kept, found = platform.cache.get(key), "HIT"
        if kept is None:
            began = time.monotonic()
            content = await make(request)
            await asyncio.sleep(platform.latency_ms / 1000 - (time.monotonic() - began))
            kept, found = platform.cache.put(key, content), "MISS"
        headers = {"ETag": kept.etag, "Cache-Control": f"private, max-age={KEPT_S:.0f}", "X-Cache": found}
        if request.headers.get("if-none-match") == kept.etag:
            return Response(status_code=304, headers=headers)
        return Response(kept.body, headers=headers, media_type="application/json")

    return get_only(path, answer)


def get_only(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    """Create a route that answers 405 to everything but GET, as FastAPI does; Starlette would add HEAD."""
    route = Route(path, endpoint, methods=["GET"])
    route.methods = {"GET"}
    return route


def whole_number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """Return a query parameter as a whole number within its bounds.

    Raises:
        HTTPException: 422 if it is not one.
    """
    text = request.query_params.get(name, str(default))
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise HTTPException(422, f"{name} must be a whole number from {low} to {high}")
    return number


def amount(request: Request, name: str) -> float | None:
    """Return a query parameter as an amount of money, or None if it is absent.

    Raises:
        HTTPException: 422 if it is not one.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise HTTPException(422, f"{name} must be a number, 0 or more")
    return number
