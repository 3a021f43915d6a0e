"""NextAuth's answers to a sign-in, and their interpretation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.integrations.nextauth.shapes import Session
from kamiyo_verify.model.outcomes import ImproperAnswer, Unverified, WrongAnswer

_LOCKED_OUT = frozenset({403, 423})


@dataclass(frozen=True, slots=True)
class Csrf:
    """The answer of `GET /api/auth/csrf`.

    Attributes:
        token: of the body.
        cookie: the cookie's value, decoded: "token|hash".
        answer: the whole answer.
        sent_as: the cookie's own name and raw value, to send back.
    """

    token: str = field(repr=False)
    cookie: str = field(repr=False)
    answer: Answer
    sent_as: tuple[str, str] = field(repr=False)

    @property
    def cookie_token(self) -> str:
        """The token in the cookie, which a form's token has to match."""
        return self.cookie.partition("|")[0]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of a sign-in; a refusal is one of the results.

    Attributes:
        answer: to the credentials.
        url: where it sends the browser next, or "".
        session: the session of the new cookie; None if no cookie came.
        has_cookie: a session cookie came.
    """

    answer: Answer
    url: str
    session: Session | None
    has_cookie: bool

    @property
    def let_in(self) -> bool:
        """The new session names a user."""
        return self.session is not None and bool(self.session.user)

    def refused(self) -> SignedIn:
        """The result itself if the credentials were verified and refused.

        Raises:
            Unverified: a limit or a lock blocks every sign-in, so these credentials were not tested.
            ServerBroke, ImproperAnswer: it is not an answer to credentials.
        """
        problems = parse_qs(urlsplit(self.url).query)
        if self.answer.status == 401 or "CredentialsSignin" in problems.get("error", ()):
            return self
        if self.answer.status in _LOCKED_OUT:
            raise Unverified(f"sign-in is locked for us: {self.answer.mismatch('401 for a wrong password')}")
        if self.answer.status >= 500:
            self.answer.wanted()
        raise ImproperAnswer(self.answer.mismatch("401 for a wrong password"))


def csrf_hash(token: str, secret: str) -> str:
    """The hash that NextAuth v4 appends to the token in its CSRF cookie."""
    return hashlib.sha256((token + secret).encode()).hexdigest()


def names_a_user(answer: Answer) -> bool | None:
    """Whether a session has a user; None if the answer does not show it."""
    try:
        body = answer.json() if answer.ok else None
    except WrongAnswer:
        return None
    return bool(body.get("user")) if isinstance(body, dict) else None


def url_in(answer: Answer) -> str:
    """The address to which the body, or else a redirect, sends the browser."""
    try:
        body = answer.json()
    except WrongAnswer:
        body = None
    url = body.get("url") if isinstance(body, dict) else None
    return url if isinstance(url, str) else str(answer.headers.get("location", ""))
