"""Common parts of every response of the website: headers, and the rate limit for all callers."""

from __future__ import annotations

import asyncio
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.pages import content_security_policy
from sandbox.platform import Platform

_RETRY_AFTER_S = 60
_ONE_PAGE_S = 0.025
_MOST_WAITING = 20


class Entrance:
    """The outermost middleware of the website."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dress_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers(Headers(scope=scope)))
            await send(message)

        app = self._app
        if "rate-limited" in self._platform.faults:
            app = JSONResponse({"error": "Too many requests"}, 429, {"Retry-After": str(_RETRY_AFTER_S)})
        elif self._platform.world.is_away("frontend"):
            app = PlainTextResponse("Service Unavailable", 503)
        elif {"frontend-saturated", "frontend-overloaded"} & {*self._platform.faults}:
            app = await self._turn()
        await app(scope, receive, dress_and_send)

    async def _turn(self) -> ASGIApp:
        """Wait until every earlier page has been served; return what answers."""
        if self._waiting >= _MOST_WAITING and "frontend-overloaded" in self._platform.faults:
            return PlainTextResponse("Service Unavailable", 503)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                await asyncio.sleep(_ONE_PAGE_S)
        finally:
            self._waiting -= 1
        return self._app

    def _headers(self, asked: Headers) -> dict[str, str]:
        platform = self._platform
        request_id = asked.get("x-request-id") or uuid.uuid4().hex
        headers = {"X-Commit": platform.answering_commit("frontend"), "X-Request-Id": request_id}
        if "security-headers-missing" not in platform.faults:
            headers |= {
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Referrer-Policy": "strict-origin-when-cross-origin",
                "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
                "Content-Security-Policy": content_security_policy(platform.pages_api_url),
            }
            if platform.frontend_url.startswith("https://"):
                headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return headers
