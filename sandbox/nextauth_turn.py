"""One request to NextAuth v4, initialised: configuration, csrf token, callback URL, cookies.

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
"""What JavaScript's encodeURIComponent leaves as it is, besides what Python leaves."""


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
    """What NextAuth is configured with: NEXTAUTH_URL, NEXTAUTH_SECRET, the providers."""

    origin: str
    secret: str
    providers: Mapping[str, Provider]

    @classmethod
    def of(cls, platform: Platform) -> Site:
        """The configuration under the faults that are on now."""
        faults = platform.faults
        return cls(
            origin=_UNSET_URL if "auth-wrong-url" in faults else platform.frontend_url,
            secret=_ANOTHER_SECRET if "auth-wrong-secret" in faults else platform.secrets.nextauth_secret,
            providers={} if "auth-provider-missing" in faults else {way.id: way for way in _PROVIDERS},
        )

    @property
    def base(self) -> str:
        """Where NextAuth believes that it is mounted."""
        return f"{self.origin}/api/auth"

    @property
    def secure(self) -> bool:
        """Cookies are for https only, and prefixed."""
        return self.origin.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """The name under which a browser keeps its session's token."""
        return ("__Secure-" if self.secure else "") + "next-auth.session-token"

    @property
    def callback_url_cookie(self) -> str:
        """The name under which a browser keeps where to go after signing in."""
        return ("__Secure-" if self.secure else "") + "next-auth.callback-url"

    @property
    def state_cookie(self) -> str:
        """The name under which a browser keeps what Google has to bring back."""
        return ("__Secure-" if self.secure else "") + "next-auth.state"

    @property
    def csrf_cookie(self) -> str:
        """The name under which a browser keeps the csrf token and its hash."""
        return ("__Host-" if self.secure else "") + "next-auth.csrf-token"

    def csrf_hash(self, token: str) -> str:
        """What proves that a token is ours: hex SHA-256 of the token and the secret."""
        return sha256(f"{token}{self.secret}".encode()).hexdigest()

    def allowed(self, url: str) -> str:
        """The default redirect callback: that URL where it is of this site, else the site itself."""
        if url.startswith("/"):
            return self.origin + url
        parts = urlsplit(url)
        return url if f"{parts.scheme}://{parts.netloc}" == self.origin else self.origin


@dataclass(slots=True)
class Turn:
    """One request and the answer in the making.

    Attributes:
        error: of the query, or the second part of the path, as NextAuth reads it.
        csrf_verified: it is a POST, and its token is the one of a cookie that we signed.
        callback_url: where to go after signing in or out; always of this site.
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
        """The provider that the path names, if there is one."""
        return self.site.providers.get(self.provider_id)

    def set_cookie(
        self, name: str, value: str, *, expires: datetime | None = None, http_only: bool = True
    ) -> None:
        """Send a cookie with the answer; an empty value takes it away."""
        cookie = f"{name}={quote(value, safe=_UNESCAPED)}; Path=/"
        if not value:
            cookie += "; Max-Age=0"
        if expires is not None:
            cookie += f"; Expires={format_datetime(expires, usegmt=True)}"
        cookie += "; HttpOnly" * http_only + "; Secure" * self.site.secure + "; SameSite=Lax"
        self._set_cookies.append(cookie)

    def answer(self, body: object, status: int = 200) -> Response:
        """Text as text, everything else as JSON."""
        plain = isinstance(body, str)
        return self.dressed(Response(body, status) if plain else JSONResponse(body, status))

    def redirect(self, url: str, status: int = 200) -> Response:
        """302; or, to a caller that asks by `json=true`, `{"url": …}` with that status."""
        if self.form.get("json") == "true":
            return self.dressed(JSONResponse({"url": url}, status))
        return self.dressed(RedirectResponse(url, 302))

    def dressed(self, response: Response) -> Response:
        """The response with this turn's cookies."""
        for cookie in self._set_cookies:
            response.headers.append("Set-Cookie", cookie)
        return response


class InvalidCallbackUrl(ValueError):
    """The request asks to return to something that is no http address."""


async def begin(site: Site, request: Request) -> Turn:
    """What NextAuth makes of a request before it looks at the action.

    Raises:
        InvalidCallbackUrl: the callback URL, of the request or its cookie, is no http address.
        ValueError: the body says that it is JSON, and is not.
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
    """The body as Next.js parses it: JSON, or a form, or nothing that NextAuth reads."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind not in {"application/json", "application/x-www-form-urlencoded"}:
        return {}
    body = await request.body()
    if kind == "application/json":
        read = json.loads(body or b"{}")
        return read if isinstance(read, dict) else {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
