"""One initialised request to NextAuth v4: configuration, CSRF token, callback URL, cookies.

Source: next-auth v4, core/init.ts with lib/csrf-token.ts, lib/callback-url.ts, lib/cookie.ts, lib/assert.ts
and next/index.ts.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.platform import Platform

_ANOTHER_SECRET = "the-secret-of-another-deployment-0123456789"  # noqa: S105
_UNSET_URL = "http://localhost:3000"
_UNESCAPED = "!~*'()"
"""Characters that JavaScript's encodeURIComponent does not escape, in addition to Python's."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to sign in."""

    id: str
    name: str
    type: Literal["oauth", "credentials"]


_PROVIDERS = (
    Provider("google", "Google", "oauth"),
    Provider("credentials", "Credentials", "credentials"),
)


@dataclass(frozen=True, slots=True)
class Site:
    """The configuration of NextAuth: NEXTAUTH_URL, NEXTAUTH_SECRET, the providers, `useSecureCookies`."""

    origin: str
    secret: str
    providers: Mapping[str, Provider]
    prefixed: bool = True

    @classmethod
    def of(cls, platform: Platform) -> Site:
        """Return the configuration under the active faults."""
        faults = platform.faults
        return cls(
            origin=_UNSET_URL if "auth-wrong-url" in faults else platform.frontend_url,
            secret=_ANOTHER_SECRET if "auth-wrong-secret" in faults else platform.secrets.nextauth_secret,
            providers={
                way.id: way
                for way in _PROVIDERS
                if "auth-provider-missing" not in faults
                and ("google-only" not in faults or way.type == "oauth")
            },
            prefixed="plain-cookies" not in platform.forms,
        )

    @property
    def base(self) -> str:
        """NextAuth's base URL, derived from NEXTAUTH_URL."""
        return f"{self.origin}/api/auth"

    @property
    def secure(self) -> bool:
        """Whether cookies are for https only, and prefixed."""
        return self.prefixed and self.origin.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """The name of the cookie with the session's token."""
        return ("__Secure-" if self.secure else "") + "next-auth.session-token"

    @property
    def callback_url_cookie(self) -> str:
        """The name of the cookie with the URL to open after signing in."""
        return ("__Secure-" if self.secure else "") + "next-auth.callback-url"

    @property
    def state_cookie(self) -> str:
        """The name of the cookie with the OAuth state that Google must return."""
        return ("__Secure-" if self.secure else "") + "next-auth.state"

    @property
    def csrf_cookie(self) -> str:
        """The name of the cookie with the CSRF token and its hash."""
        return ("__Host-" if self.secure else "") + "next-auth.csrf-token"

    def csrf_hash(self, token: str) -> str:
        """Return the hex SHA-256 of token and secret, which proves that this site issued the token."""
        return sha256(f"{token}{self.secret}".encode()).hexdigest()

    def allowed(self, url: str) -> str:
        """The default redirect callback: return the URL if it is on this site, else the site's origin."""
        if url.startswith("/"):
            return self.origin + url
        parts = urlsplit(url)
        return url if f"{parts.scheme}://{parts.netloc}" == self.origin else self.origin


@dataclass(slots=True)
class Turn:
    """One request and its unfinished response.

    Attributes:
        error: from the query, or the second part of the path, as NextAuth reads it.
        csrf_verified: the request is a POST, and its token matches a cookie that this site signed.
        callback_url: the URL to open after signing in or out; always on this site.
    """

    site: Site
    method: str
    action: str
    provider_id: str
    error: str | None
    form: Mapping[str, object]
    csrf_token: str
    csrf_verified: bool
    callback_url: str
    session_token: str
    _set_cookies: list[str] = field(default_factory=list)

    @property
    def provider(self) -> Provider | None:
        """The provider named in the path, or None."""
        return self.site.providers.get(self.provider_id)

    def set_cookie(
        self, name: str, value: str, *, expires: datetime | None = None, http_only: bool = True
    ) -> None:
        """Add a cookie to the response; an empty value deletes it."""
        cookie = f"{name}={quote(value, safe=_UNESCAPED)}; Path=/"
        if not value:
            cookie += "; Max-Age=0"
        if expires is not None:
            cookie += f"; Expires={format_datetime(expires, usegmt=True)}"
        cookie += "; HttpOnly" * http_only + "; Secure" * self.site.secure + "; SameSite=Lax"
        self._set_cookies.append(cookie)

    def answer(self, body: object, status: int = 200) -> Response:
        """Respond with text for a string, else with JSON."""
        plain = isinstance(body, str)
        return self.dressed(Response(body, status) if plain else JSONResponse(body, status))

    def redirect(self, url: str, status: int = 200) -> Response:
        """Respond with 302; with `json=true` in the form, respond with `{"url": …}` and this status."""
        if self.form.get("json") == "true":
            return self.dressed(JSONResponse({"url": url}, status))
        return self.dressed(RedirectResponse(url, 302))

    def dressed(self, response: Response) -> Response:
        """Add this request's cookies to the response."""
        for cookie in self._set_cookies:
            response.headers.append("Set-Cookie", cookie)
        return response


class InvalidCallbackUrl(ValueError):
    """The callback URL of the request is not an http address."""


async def begin(site: Site, request: Request) -> Turn:
    """Parse a request as NextAuth does before it handles the action.

    Raises:
        InvalidCallbackUrl: the callback URL, in the request or its cookie, is not an http address.
        ValueError: the content type is JSON, but the body is not.
    """
    cookies = {name: unquote(value) for name, value in request.cookies.items()}
    form = await _form(request)
    action, _, rest = str(request.path_params.get("nextauth", "")).partition("/")
    provider_id = rest.partition("/")[0]
    asked = form.get("callbackUrl") or request.query_params.get("callbackUrl") or ""
    remembered = cookies.get(site.callback_url_cookie, "")
    for url in (str(asked), remembered):
        if url and not url.startswith(("/", "http://", "https://")):
            raise InvalidCallbackUrl(url)

    token, _, sent_hash = cookies.get(site.csrf_cookie, "").partition("|")
    known = bool(token) and hmac.compare_digest(sent_hash.encode(), site.csrf_hash(token).encode())
    wanted = str(asked) or remembered
    turn = Turn(
        site=site,
        method=request.method,
        action=action,
        provider_id=provider_id,
        error=request.query_params.get("error") or provider_id or None,
        form=form,
        csrf_token=token if known else secrets.token_hex(32),
        csrf_verified=known and request.method == "POST" and form.get("csrfToken") == token,
        callback_url=site.allowed(wanted) if wanted else site.origin,
        session_token=cookies.get(site.session_cookie, ""),
    )
    if not known:
        turn.set_cookie(site.csrf_cookie, f"{turn.csrf_token}|{site.csrf_hash(turn.csrf_token)}")
    if turn.callback_url != remembered:
        turn.set_cookie(site.callback_url_cookie, turn.callback_url, http_only=False)
    return turn


async def _form(request: Request) -> Mapping[str, object]:
    """Parse the body as Next.js does: JSON or a form; empty for other types."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind not in {"application/json", "application/x-www-form-urlencoded"}:
        return {}
    body = await request.body()
    if kind == "application/json":
        read = json.loads(body or b"{}")
        return read if isinstance(read, dict) else {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
