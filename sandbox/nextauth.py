"""NextAuth v4's routes under /api/auth, with database sessions, Google, and a credentials provider.

Source: next-auth v4, core/index.ts and core/routes/. One difference: NextAuth's credentials provider writes
no session row. Sites with database sessions add that by their own hooks, as this one does.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import psycopg
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from sandbox.nextauth_turn import InvalidCallbackUrl, Provider, Site, Turn, begin
from sandbox.pages import render
from sandbox.platform import Platform
from sandbox.sessions import MAX_AGE, Sessions

SIGN_IN_PAGE = "/auth/signin"
ERROR_PAGE = "/auth/error"

_HTML_ACTIONS = frozenset({"signin", "signout", "error", "verify-request"})
_SHOWN_ON_SIGN_IN_PAGE = frozenset(
    {
        "Signin",
        "OAuthSignin",
        "OAuthCallback",
        "OAuthCreateAccount",
        "EmailCreateAccount",
        "Callback",
        "OAuthAccountNotLinked",
        "EmailSignin",
        "CredentialsSignin",
        "SessionRequired",
    }
)
_NOT_STORED = {"Cache-Control": "private, no-cache, no-store", "Expires": "0", "Pragma": "no-cache"}
_SERVER_CONFIGURATION = (
    "There is a problem with the server configuration. Check the server logs for more information."
)
_GOOGLE = "https://accounts.google.com/o/oauth2/v2/auth"
_GOOGLE_CLIENT = "sandbox.apps.googleusercontent.com"
_STATE_LIVES = timedelta(minutes=15)
_NO_DATABASE = "Can't reach database server"
"""Prisma's error message."""


class NextAuth:
    """The handler of `/api/auth/[...nextauth]`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sessions = Sessions(platform)
        self._routes: dict[tuple[str, str], Callable[[Turn], Awaitable[Response]]] = {
            ("GET", "providers"): self._providers,
            ("GET", "csrf"): self._csrf,
            ("GET", "session"): self._session,
            ("GET", "signin"): self._to_sign_in_page,
            ("GET", "signout"): self._sign_out_page,
            ("GET", "error"): self._to_error_page,
            ("GET", "callback"): self._callback,
            ("POST", "callback"): self._callback,
            ("POST", "signin"): self._begin_sign_in,
            ("POST", "signout"): self._sign_out,
            ("POST", "session"): self._update_session,
            ("POST", "_log"): self._log,
        }

    async def handle(self, request: Request) -> Response:
        """Handle any request below /api/auth/."""
        try:
            turn = await self.begin(request)
        except ValueError:
            return PlainTextResponse("Invalid JSON", 400)
        if turn is None:
            return _misconfigured(request)
        route = self._routes.get((turn.method, turn.action), self._unsupported)
        return await route(turn)

    async def begin(self, request: Request) -> Turn | None:
        """Parse the request as NextAuth does; None if a configuration error prevents that.

        Raises:
            ValueError: the content type is JSON, but the body is not.
        """
        if "auth-misconfigured" in self._platform.faults:
            return None
        try:
            return await begin(Site.of(self._platform), request)
        except InvalidCallbackUrl:
            return None

    async def account_key(self, request: Request) -> Response:
        """`/api/account/key`: the API key that the pages of a signed-in user send."""
        turn = await self.begin(request)
        try:
            session = await self._live_session(turn) if turn else {}
        except psycopg.Error:
            session = {}
        if not session:
            return JSONResponse({"error": "Unauthorized"}, 401, _NOT_STORED)
        return JSONResponse({"key": self._platform.secrets.api_key}, headers=_NOT_STORED)

    async def _providers(self, turn: Turn) -> Response:
        base = turn.site.base
        return JSONResponse(
            {
                way.id: {
                    "id": way.id,
                    "name": way.name,
                    "type": way.type,
                    "signinUrl": f"{base}/signin/{way.id}",
                    "callbackUrl": f"{base}/callback/{way.id}",
                }
                for way in turn.site.providers.values()
            }
        )

    async def _csrf(self, turn: Turn) -> Response:
        answer = turn.answer({"csrfToken": turn.csrf_token})
        answer.headers.update(_NOT_STORED)
        return answer

    async def _session(self, turn: Turn) -> Response:
        try:
            body = await self._live_session(turn)
        except psycopg.Error:
            body = {}
        answer = turn.answer(body)
        answer.headers.update(_NOT_STORED)
        return answer

    async def _live_session(self, turn: Turn) -> dict[str, object]:
        if not turn.session_token:
            return {}
        found = await self._sessions.find(turn.session_token)
        if found is None:
            turn.set_cookie(turn.site.session_cookie, "")
            return {}
        turn.set_cookie(turn.site.session_cookie, found.token, expires=datetime.now(UTC) + MAX_AGE)
        expires = found.expires.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"user": {"name": found.name, "email": found.email, "image": found.image}, "expires": expires}

    async def _update_session(self, turn: Turn) -> Response:
        return await self._session(turn) if turn.csrf_verified else turn.answer({}, 400)

    async def _to_sign_in_page(self, turn: Turn) -> Response:
        query = {"callbackUrl": turn.callback_url} | ({"error": turn.error} if turn.error else {})
        return turn.redirect(f"{SIGN_IN_PAGE}?{urlencode(query, quote_via=quote, safe='')}")

    async def _sign_out_page(self, turn: Turn) -> Response:
        page = render("signout", self._platform.pages_api_url, csrf_token=turn.csrf_token)
        return turn.dressed(HTMLResponse(page))

    async def _to_error_page(self, turn: Turn) -> Response:
        if turn.error in _SHOWN_ON_SIGN_IN_PAGE:
            return turn.redirect(f"{turn.site.base}/signin?error={turn.error}")
        # Without an error, NextAuth writes "undefined".
        return turn.redirect(f"{ERROR_PAGE}?error={quote(turn.error or 'undefined', safe='')}")

    async def _begin_sign_in(self, turn: Turn) -> Response:
        if turn.provider is None or not turn.csrf_verified:
            return turn.redirect(f"{turn.site.base}/signin?csrf=true")
        if turn.provider.type == "credentials":
            return turn.redirect(f"{turn.site.base}/signin")
        state = secrets.token_urlsafe(32)
        turn.set_cookie(turn.site.state_cookie, state, expires=datetime.now(UTC) + _STATE_LIVES)
        asked = {
            "client_id": _GOOGLE_CLIENT,
            "scope": "openid email profile",
            "response_type": "code",
            "redirect_uri": f"{turn.site.base}/callback/{turn.provider.id}",
            "state": state,
        }
        return turn.redirect(f"{_GOOGLE}?{urlencode(asked)}")

    async def _callback(self, turn: Turn) -> Response:
        provider = turn.provider
        if provider is None:
            return await self._unsupported(turn)
        if provider.type == "oauth":
            # Google never redirects back with a valid code of the sandbox.
            return turn.redirect(f"{turn.site.base}/error?error=OAuthCallback")
        if turn.method != "POST":
            return turn.answer(f"Error: Callback for provider type {provider.type} not supported", 500)
        return await self._sign_in(turn, provider)

    async def _sign_in(self, turn: Turn, provider: Provider) -> Response:
        base = turn.site.base
        if not turn.csrf_verified:
            return turn.redirect(f"{base}/signin?csrf=true")
        try:
            user_id = await self._authorize(turn)
            if user_id is None:
                refused = urlencode({"error": "CredentialsSignin", "provider": provider.id})
                return turn.redirect(f"{base}/error?{refused}", 401)
            token, expires = await self._sessions.create(user_id)
        except psycopg.Error:
            return turn.redirect(f"{base}/error?error={quote(_NO_DATABASE, safe='')}", 401)
        turn.set_cookie(turn.site.session_cookie, token, expires=expires)
        return turn.redirect(turn.callback_url)

    async def _authorize(self, turn: Turn) -> str | None:
        """Return the id of the user with these credentials, or None; only one account has a password."""
        faults, known = self._platform.faults, self._platform.secrets
        email, password = str(turn.form.get("email", "")), str(turn.form.get("password", ""))
        right = hmac.compare_digest(password.encode(), known.password.encode())
        if email != known.email or not (right or "wrong-password-accepted" in faults):
            return None
        if right and "sign-in-broken" in faults:
            return None
        return await self._sessions.user_id(email)

    async def _sign_out(self, turn: Turn) -> Response:
        if not turn.csrf_verified:
            return turn.redirect(f"{turn.site.base}/signout?csrf=true")
        if turn.session_token:
            # The browser's cookie is deleted even if the database fails.
            with suppress(psycopg.Error):
                await self._sessions.delete(turn.session_token)
            turn.set_cookie(turn.site.session_cookie, "")
        return turn.redirect(turn.callback_url)

    async def _log(self, turn: Turn) -> Response:
        return turn.dressed(Response())

    async def _unsupported(self, turn: Turn) -> Response:
        problem = f"Error: This action with HTTP {turn.method} is not supported by NextAuth.js"
        return PlainTextResponse(problem, 400)


def _misconfigured(request: Request) -> Response:
    action = str(request.path_params["nextauth"]).partition("/")[0]
    if request.method == "GET" and action in _HTML_ACTIONS:
        return RedirectResponse(f"{ERROR_PAGE}?error=Configuration", 302)
    return JSONResponse({"message": _SERVER_CONFIGURATION}, 500)
