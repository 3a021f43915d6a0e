"""What every answer of the website has in common: headers, and the limit that turns all callers away."""

from __future__ import annotations

import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.pages import content_security_policy
from sandbox.platform import Platform

_RETRY_AFTER_S = 60


class Entrance:
    """The outermost layer of the website."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform

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
        await app(scope, receive, dress_and_send)

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
                "Content-Security-Policy": content_security_policy(platform.api_url),
            }
            if platform.frontend_url.startswith("https://"):
                headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return headers
