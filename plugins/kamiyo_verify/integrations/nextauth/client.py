"""NextAuth v4 and Auth.js v5 on the frontend: providers, the CSRF token, sessions, sign-in by password.

Names are read from the platform's answers, not assumed: the CSRF cookie shows which prefix and which base
name the site gives its cookies, and the list of providers shows whether it accepts passwords at all.
"""

from __future__ import annotations

from urllib.parse import unquote

from pydantic import RootModel

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.cookies import cookies_set
from kamiyo_verify.http.credentials import Carried, by_password, locked_out
from kamiyo_verify.http.service import segment
from kamiyo_verify.integrations.nextauth.answers import Csrf, SignedIn, csrf_hash, names_a_user, url_in
from kamiyo_verify.integrations.nextauth.cookies import SESSION_NAME, csrf_cookie, session_names
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.integrations.nextauth.shapes import Provider, Session
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import ImproperAnswer, NotApplicable, Refused, Unverified, WrongAnswer


class _Providers(RootModel[dict[str, Provider]]):
    """`GET /api/auth/providers`."""


class SignInClient:
    """Signs in with the test account.

    Args:
        sign_in: the environment's table.
        http: client for the frontend.
    """

    def __init__(self, sign_in: SignIn, http: HttpClient) -> None:
        self._sign_in = sign_in
        self._http = http
        self._session_names: tuple[str, ...] = ()

    def page(self) -> Answer:
        """GET the sign-in page.

        Raises:
            WrongAnswer: it is not 200 and text/html.
            NoAnswer: no answer came.
        """
        return self._http.get(self._sign_in.page_path).page()

    def providers(self) -> dict[str, Provider]:
        """The sign-in providers, by id.

        Raises:
            WrongAnswer: the status is not 200, or the body has another shape.
            NoAnswer: no answer came.
        """
        answer = self._http.get("/api/auth/providers").wanted()
        return answer.parse(_Providers).root

    def csrf(self, carried: Carried | None = None) -> Csrf:
        """GET a fresh CSRF token and its cookie.

        Raises:
            WrongAnswer: the status is not 200, or the token or its cookie is missing.
            NoAnswer: no answer came.
        """
        answer = self._http.get("/api/auth/csrf", carried=carried).wanted()
        body = answer.json()
        token = body.get("csrfToken") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise WrongAnswer(answer.mismatch("a csrfToken"))
        cookie = csrf_cookie(cookies_set(answer.headers), token)
        if cookie is None:
            raise WrongAnswer("GET /api/auth/csrf set no CSRF cookie, so no form could be sent")
        self._session_names = session_names(cookie[0])
        return Csrf(token, unquote(cookie[1].strip('"')), answer, cookie)

    def password_provider(self) -> str:
        """The id of the provider that accepts an e-mail address and a password.

        Raises:
            NotApplicable: the platform offers other ways to sign in, but no password.
            ImproperAnswer: it offers no way to sign in; or see `providers`.
            NoAnswer: no answer came.
        """
        offered = self.providers()
        if not offered:
            raise ImproperAnswer("GET /api/auth/providers lists no provider: nobody can sign in")
        found = next((key for key, one in offered.items() if one.type == "credentials"), None)
        if found is None:
            raise NotApplicable(
                f"the platform offers sign-in by {', '.join(offered)} only: it takes no passwords"
            )
        return found

    def session(self, token: str | None) -> Session:
        """The session of a token; its user is None without a valid session.

        Args:
            token: the session cookie's value; None sends no cookie.

        Raises:
            WrongAnswer: the status is not 200, or the body has another shape.
            NoAnswer: no answer came.
        """
        if not token:
            return self._session({})
        return self._session(self._session_cookies(token))

    def _session_cookies(self, token: str) -> dict[str, str]:
        """The token under each cookie name by which the site may read a session."""
        if not self._session_names:
            self.csrf()
        return dict.fromkeys(self._session_names, token)

    def stored_session(self) -> Session:
        """The session of the test account's stored token.

        Raises:
            Refused: it has no user: the session has expired, or the platform has lost it.
            Unverified: the site takes no header of that length.
            WrongAnswer, NoAnswer: see `session`.
        """
        stored = self._sign_in.session_token
        cookies = self._session_cookies(stored.reveal())
        carried = Carried(stored.name, names_a_user)
        answer = self._http.get("/api/auth/session", cookies=cookies, carried=carried)
        if answer.status == 431:
            raise Unverified(f"{stored.name} is too long for the site's headers: {answer.mismatch('200')}")
        session = self._session_in(answer.wanted())
        if not session.user:
            message = f"the session in {stored.name} names nobody"
            raise Refused(message, stored.name, RefusalKind.UNKNOWN_SESSION)
        return session

    def runs_with_configured_secret(self) -> bool:
        """Whether the CSRF cookie's hash is sha256(token + secret), as NextAuth v4 computes it.

        Raises:
            Refused: it is not: NextAuth runs with another secret, or our copy is outdated.
            WrongAnswer, NoAnswer: see `csrf`.
        """
        secret = self._sign_in.secret
        token, _, seen = self.csrf(Carried(secret.name, self._hash_matches)).cookie.partition("|")
        if seen != csrf_hash(token, secret.reveal()):
            message = f"NextAuth runs with another NEXTAUTH_SECRET than the one in {secret.name}"
            raise Refused(message, secret.name, RefusalKind.SECRET)
        return True

    def sign_in_as_test_account(self) -> SignedIn:
        """Sign in with the test account's own password.

        Raises:
            NotApplicable: the platform offers no sign-in by password.
            Refused: the password is refused (401), or the account is locked out (403, 423, 429).
            WrongAnswer: see `sign_in`; or any status but 200.
            NoAnswer: no answer came.
        """
        self.password_provider()
        account = self._sign_in
        name = account.password.name
        signed_in = self.sign_in(account.email.reveal(), account.password.reveal(), by_password(name))
        answer = signed_in.answer
        if answer.status == 401 or locked_out(answer):
            kind = RefusalKind.PASSWORD if answer.status == 401 else RefusalKind.LOCKED_OUT
            raise Refused(answer.mismatch(f"200 for {name}"), name, kind, beside=account.email.name)
        answer.wanted()
        return signed_in

    def try_wrong_password(self) -> SignedIn:
        """Try to sign in as the test account with a wrong password.

        Raises:
            NotApplicable, WrongAnswer, NoAnswer: see `sign_in_as_test_account`.
            Refused: the account is locked out, so the result is unknown.
        """
        self.password_provider()
        name = self._sign_in.email.name
        tried = self.sign_in(self._sign_in.email.reveal(), "not-the-password")
        if locked_out(tried.answer):
            raise Refused(tried.answer.mismatch("401 for a wrong password"), name, RefusalKind.LOCKED_OUT)
        return tried

    def sign_in(self, email: str, password: str, carried: Carried | None = None) -> SignedIn:
        """Try to sign in; the caller judges the result.

        Args:
            email: of the account.
            password: of the account, or a wrong one.
            carried: the credential that is sent, for the evidence.

        Raises:
            NotApplicable: the platform accepts no passwords.
            WrongAnswer: there is no CSRF token, or the new session cannot be read.
            NoAnswer: no answer came.
        """
        provider = self.password_provider()
        csrf = self.csrf()
        answer = self._http.post(
            f"/api/auth/callback/{segment(provider)}",
            form={
                "csrfToken": csrf.token,
                "callbackUrl": self._http.origin,
                "json": "true",
                "email": email,
                "password": password,
            },
            cookies=dict([csrf.sent_as]),
            carried=carried,
        )
        cookies = {
            name: value
            for name, value in cookies_set(answer.headers).items()
            if value and SESSION_NAME.fullmatch(name)
        }
        return SignedIn(
            answer, url_in(answer), self._session(cookies) if cookies else None, has_cookie=bool(cookies)
        )

    def _session(self, cookies: dict[str, str]) -> Session:
        return self._session_in(self._http.get("/api/auth/session", cookies=cookies).wanted())

    def _session_in(self, answer: Answer) -> Session:
        # Auth.js v5 sends null where NextAuth v4 sends {}.
        return Session() if answer.json() is None else answer.parse(Session)

    def _hash_matches(self, answer: Answer) -> bool | None:
        try:
            body = answer.json() if answer.ok else None
        except WrongAnswer:
            return None
        token = body.get("csrfToken") if isinstance(body, dict) else None
        cookie = csrf_cookie(cookies_set(answer.headers), token) if isinstance(token, str) else None
        if cookie is None:
            return None
        shown, _, seen = unquote(cookie[1].strip('"')).partition("|")
        return seen == csrf_hash(shown, self._sign_in.secret.reveal())
