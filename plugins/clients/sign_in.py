"""NextAuth v4 on the frontend: providers, the CSRF token, sessions, and signing in with a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from pydantic import RootModel

from plugins.clients.answer import Answer
from plugins.clients.cookies import cookie_named, cookies_set
from plugins.clients.http import HttpClient
from plugins.model.environment import SignIn
from plugins.model.outcomes import WrongAnswer
from plugins.model.platform import Provider, Session

_CSRF_COOKIE = "next-auth.csrf-token"
_SESSION_COOKIE = "next-auth.session-token"


@dataclass(frozen=True, slots=True)
class Csrf:
    """What `GET /api/auth/csrf` gives out.

    Attributes:
        token: of the body.
        cookie: the cookie's value, decoded: "token|hash".
        answer: as it came.
        sent_as: the cookie's own name and raw value, to send back.
    """

    token: str = field(repr=False)
    cookie: str = field(repr=False)
    answer: Answer
    sent_as: tuple[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What became of an attempt to sign in; a refusal is one of the outcomes.

    Attributes:
        answer: to the credentials.
        url: where it sends the browser next, or "".
        session: whom the new cookie stands for; None where no cookie came.
        has_cookie: a session cookie came.
    """

    answer: Answer
    url: str
    session: Session | None
    has_cookie: bool


class _Providers(RootModel[dict[str, Provider]]):
    """`GET /api/auth/providers`."""


class SignInClient:
    """Signs in as the test account does.

    Args:
        sign_in: the environment's table.
        http: asks the frontend.
    """

    def __init__(self, sign_in: SignIn, http: HttpClient) -> None:
        self._sign_in = sign_in
        self._http = http

    def page(self) -> Answer:
        """The page that people sign in on.

        Raises:
            WrongAnswer: it is not 200 and text/html.
            NoAnswer: none came.
        """
        return self._http.get(self._sign_in.page_path).page()

    def providers(self) -> dict[str, Provider]:
        """The ways to sign in, by id.

        Raises:
            WrongAnswer: the status is not 200, or the body has another shape.
            NoAnswer: none came.
        """
        answer = self._http.get("/api/auth/providers").wanted()
        return answer.parse(_Providers).root

    def csrf(self) -> Csrf:
        """A fresh CSRF token and its cookie.

        Raises:
            WrongAnswer: the status is not 200, or the token or its cookie is missing.
            NoAnswer: none came.
        """
        answer = self._http.get("/api/auth/csrf").wanted()
        body = answer.json()
        token = body.get("csrfToken") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise WrongAnswer(answer.told("a csrfToken"))
        cookie = cookie_named(cookies_set(answer.headers), _CSRF_COOKIE)
        if cookie is None:
            raise WrongAnswer(f"GET /api/auth/csrf set no cookie {_CSRF_COOKIE}, so no form could be sent")
        return Csrf(token, unquote(cookie[1].strip('"')), answer, cookie)

    def session(self, token: str | None) -> Session:
        """Whom a session token stands for; its user is None for a stranger.

        Args:
            token: the session cookie's value; None sends no cookie.

        Raises:
            WrongAnswer: the status is not 200, or the body has another shape.
            NoAnswer: none came.
        """
        prefix = "__Secure-" if self._http.origin.startswith("https:") else ""
        return self._session({prefix + _SESSION_COOKIE: token} if token else {})

    def sign_in(self, email: str, password: str) -> SignedIn:
        """Try to sign in; what came of it is not judged here.

        Raises:
            WrongAnswer: there is no CSRF token, or the new session cannot be read.
            NoAnswer: none came.
        """
        csrf = self.csrf()
        answer = self._http.post(
            "/api/auth/callback/credentials",
            form={
                "csrfToken": csrf.token,
                "callbackUrl": self._http.origin,
                "json": "true",
                "email": email,
                "password": password,
            },
            cookies=dict([csrf.sent_as]),
        )
        cookies = {
            name: value
            for name, value in cookies_set(answer.headers).items()
            if value and _SESSION_COOKIE in name  # a long session comes in several: ….0, ….1
        }
        return SignedIn(
            answer, _url_in(answer), self._session(cookies) if cookies else None, has_cookie=bool(cookies)
        )

    def _session(self, cookies: dict[str, str]) -> Session:
        return self._http.get("/api/auth/session", cookies=cookies).wanted().parse(Session)


def _url_in(answer: Answer) -> str:
    """Where the body, or else a redirect, sends the browser."""
    try:
        body = answer.json()
    except WrongAnswer:
        body = None
    url = body.get("url") if isinstance(body, dict) else None
    return url if isinstance(url, str) else str(answer.headers.get("location", ""))
