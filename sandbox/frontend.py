"""The website: pages like those of Next.js, the health proxy, NextAuth, the Stripe webhook."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.bundle import SCRIPT_PATH, STYLE, STYLE_PATH, script
from sandbox.entrance import Entrance
from sandbox.nextauth import ERROR_PAGE, SIGN_IN_PAGE, NextAuth
from sandbox.pages import FAVICON, render
from sandbox.payments import Payments
from sandbox.platform import PROXY_PATH, Platform

SLOWER_BY_S = 1.3
"""Seconds that frontend-slow adds to every page, its script and its style sheet."""

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_BODY_LIMIT = 1024 * 1024
_API_ANSWERS_WITHIN_S = 5.0
_SIGN_IN_PROBLEMS = {
    "Configuration": "There is a problem with the server configuration.",
    "AccessDenied": "You do not have permission to sign in.",
    "Verification": "The sign in link is no longer valid.",
}
_RENDERED_PER_REQUEST = {"Cache-Control": "private, no-cache, no-store, max-age=0, must-revalidate"}


def create_app(platform: Platform) -> Starlette:
    """Create the website of the platform; every fault takes effect from the next request on."""
    auth = NextAuth(platform)
    site = _Site(platform, auth)
    app = Starlette(
        routes=[
            Route("/", site.home),
            Route("/dashboard", site.dashboard),
            Route("/exploits/{tx_hash}", site.exploit),
            Route(SIGN_IN_PAGE, site.sign_in_page),
            Route(ERROR_PAGE, site.sign_in_problem),
            Route("/favicon.ico", site.favicon),
            Route(SCRIPT_PATH, site.script),
            Route(STYLE_PATH, site.style),
            Route("/api/account/key", auth.account_key),
            Route("/api/health", site.health),
            *(
                [Route(f"{PROXY_PATH}/{{path:path}}", site.backend)]
                if "server-side-proxy" in platform.forms
                else []
            ),
            Route("/api/auth/{nextauth:path}", auth.handle, methods=_METHODS, max_body_size=_BODY_LIMIT),
            Route(
                "/api/payment/webhook",
                Payments(platform).webhook,
                methods=_METHODS,
                max_body_size=_BODY_LIMIT,
            ),
        ],
        middleware=[Middleware(Entrance, platform=platform)],
        exception_handlers={404: site.not_found},
        lifespan=site.lifespan,
    )
    app.router.redirect_slashes = False  # /api/auth is not a NextAuth path, and /dashboard/ is not a page
    return app


class _Site:
    """The pages and their assets."""

    def __init__(self, platform: Platform, auth: NextAuth) -> None:
        self._platform = platform
        self._auth = auth
        self._api = httpx2.AsyncClient(
            base_url=platform.api_url,
            timeout=_API_ANSWERS_WITHIN_S,
            trust_env=False,
            verify=platform.certificate.trusting() if platform.certificate else True,
        )

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Close the connections to the API at the end."""
        async with self._api:
            yield

    async def home(self, _request: Request) -> Response:
        """`/`."""
        return await self._page("home")

    async def dashboard(self, _request: Request) -> Response:
        """`/dashboard`: 200 for everyone; its script redirects visitors to the sign-in page."""
        if "dashboard-broken" in self._platform.faults:
            return await self._message(500, "500", "Internal Server Error.")
        return await self._page("dashboard")

    async def exploit(self, request: Request) -> Response:
        """`/exploits/{tx_hash}`: the script gets the exploit from the API."""
        return await self._page("exploit", tx_hash=request.path_params["tx_hash"])

    async def sign_in_page(self, request: Request) -> Response:
        """`/auth/signin`."""
        if "sign-in-page-missing" in self._platform.faults:
            return await self._message(404, "404", "This page could not be found.")
        turn = await self._auth.begin(request)
        page = await self._page(
            "signin",
            providers=list(turn.site.providers.values()) if turn else [],
            csrf_token=turn.csrf_token if turn else "",
            callback_url=turn.callback_url if turn else "",
            error=request.query_params.get("error"),
        )
        return turn.dressed(page) if turn else page

    async def sign_in_problem(self, request: Request) -> Response:
        """`/auth/error`."""
        code = request.query_params.get("error", "")
        text = _SIGN_IN_PROBLEMS.get(code, "Something went wrong while signing in.")
        return await self._page("message", heading="Unable to sign in", text=text)

    async def not_found(self, _request: Request, _exception: Exception) -> Response:
        """Any other path."""
        return await self._message(404, "404", "This page could not be found.")

    async def favicon(self, _request: Request) -> Response:
        """`/favicon.ico`."""
        return Response(FAVICON, media_type="image/x-icon")

    async def script(self, _request: Request) -> Response:
        """The script that all pages share."""
        await self._dawdle()
        return Response(script([*self._platform.faults]), media_type="application/javascript")

    async def style(self, request: Request) -> Response:
        """The style sheet that all pages share."""
        if "asset-missing" in self._platform.faults:
            return await self.not_found(request, KeyError(STYLE_PATH))
        await self._dawdle()
        return Response(STYLE, media_type="text/css")

    async def health(self, _request: Request) -> Response:
        """`/api/health`: the API's own response by HTTP; if it fails, 503 with plausible numbers."""
        if "frontend-proxy-broken" not in self._platform.faults:
            try:
                answer = await self._api.get("/health")
                answer.raise_for_status()
                return JSONResponse(answer.json(), headers=_RENDERED_PER_REQUEST)
            except (httpx2.HTTPError, ValueError):
                pass
        return JSONResponse(_plausible_numbers(), 503, _RENDERED_PER_REQUEST)

    async def backend(self, request: Request) -> Response:
        """`/api/backend/…`: the API's response to the same GET, fetched by the server."""
        key = request.headers.get("x-api-key")
        try:
            answer = await self._api.get(
                f"/{request.path_params['path']}",
                params=str(request.query_params),
                headers={"X-API-Key": key} if key else {},
            )
        except httpx2.HTTPError:
            return JSONResponse({"error": "Bad Gateway"}, 502, _RENDERED_PER_REQUEST)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def _page(self, name: str, **values: object) -> HTMLResponse:
        await self._dawdle()
        if "frontend-blank" in self._platform.faults:
            return HTMLResponse("", headers=_RENDERED_PER_REQUEST)
        return HTMLResponse(
            render(name, self._platform.pages_api_url, **values), headers=_RENDERED_PER_REQUEST
        )

    async def _message(self, status: int, heading: str, text: str) -> HTMLResponse:
        await self._dawdle()
        page = render("message", self._platform.pages_api_url, heading=heading, text=text)
        return HTMLResponse(page, status, _RENDERED_PER_REQUEST)

    async def _dawdle(self) -> None:
        if "frontend-slow" in self._platform.faults:
            await sleep(SLOWER_BY_S)


def _plausible_numbers() -> dict[str, object]:
    """Return the website's health body for an unreachable API: all invented, except for the time."""
    return {
        "status": "healthy",
        "database_exploits": 426,
        "tracked_chains": 54,
        "active_sources": 18,
        "total_sources": 20,
        "sources": [],
        "timestamp": datetime.now(UTC).isoformat(),
    }
