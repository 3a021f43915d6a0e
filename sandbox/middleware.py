"""Middleware of the API: faults, delays, headers, CORS."""

from __future__ import annotations

import asyncio
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.answers import refusal
from sandbox.platform import Platform

_RETRY_AFTER_S = 60
_EVERY = {"errors-two-percent": 50, "errors-twenty-percent": 5}
_SLOWER_BY_S = 0.7
_SLOWER_BY_SHARE = {"slow-a-little": 0.3, "slow-by-sixty-percent": 0.6, "five-times-as-slow": 4.0}
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Gate:
    """The outermost middleware of the API: faults that affect every path, and headers of every response."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def dressed(message: Message) -> None:
            if message["type"] in _STARTS:
                await asyncio.sleep(self._extra_seconds(time.monotonic() - began))
                self._add_headers(scope, message)
            await send(message)

        await (self._fault(scope) or self._app)(scope, receive, dressed)

    def _fault(self, scope: Scope) -> Response | None:
        """Return the response of an active fault, or None."""
        platform, faults = self._platform, self._platform.faults
        if scope["type"] == "http":
            platform.api_requests += 1
        if "rate-limited" in faults:
            return _turned_away(platform)
        if platform.world.is_away("api"):
            return refusal(platform, 503, "unavailable", "The service is being deployed.")
        if (
            scope["type"] == "http"
            and scope["path"] == "/ready"
            and platform.faults.strike("one-bad-gateway")
        ):
            return refusal(platform, 502, "bad_gateway", "The upstream did not answer.")
        unlucky = any(
            platform.api_requests % every == 0
            for fault, every in _EVERY.items()
            if scope["type"] == "http" and fault in faults
        )
        if "api-errors" in faults or unlucky:
            return refusal(platform, 500, "internal_error", "An internal error occurred.")
        return None

    def _extra_seconds(self, taken: float) -> float:
        share = sum(more for fault, more in _SLOWER_BY_SHARE.items() if fault in self._platform.faults)
        return share * taken + (_SLOWER_BY_S if "slow" in self._platform.faults else 0.0)

    def _add_headers(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-Id"] = Headers(scope=scope).get("x-request-id") or uuid.uuid4().hex
        headers["X-Commit"] = self._platform.answering_commit("api")
        if "security-headers-missing" in self._platform.faults:
            return
        headers.update(_SECURITY_HEADERS)
        if scope["scheme"] in {"https", "wss"}:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"


class Cors(CORSMiddleware):
    """The real platform's CORS middleware, with allowed origins that faults can change."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        super().__init__(
            app,
            allow_origins=platform.allowed_origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            allow_credentials=True,
            expose_headers=["ETag", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
        )
        self._platform = platform

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether a page of that origin may call the API with credentials."""
        if "cors-any-origin" in self._platform.faults:
            return True
        if "cors-own-origin-refused" in self._platform.faults:
            return False
        return super().is_allowed_origin(origin)


def _turned_away(platform: Platform) -> Response:
    detail = f"Too many requests; try again in {_RETRY_AFTER_S} seconds."
    headers = {
        "Retry-After": str(_RETRY_AFTER_S),
        "X-RateLimit-Limit": "0",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + _RETRY_AFTER_S),
        "X-RateLimit-Tier": "anonymous",
    }
    return refusal(platform, 429, "rate_limit_exceeded", detail, headers)
