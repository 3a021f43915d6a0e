"""Sign in with a declared credential, and require proof that the sign-in succeeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import SplitResult, quote, quote_plus, urlsplit, urlunsplit

from kamiyo_verify.checks.sign_in_forms import SignInForm, sign_in_form, sign_in_parts, visible_text
from kamiyo_verify.checks.sign_in_pages import (
    is_refusal,
    new_session,
    path_of,
    redirect_of,
    shows_password_form,
    sign_in_page,
    speaks_of_csrf,
    status_of,
    stays,
    token_in,
    wants_csrf_token,
)
from kamiyo_verify.checks.sign_in_steps import PASSWORD_EXPIRED, further_step
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.cookies import cookies_kept
from kamiyo_verify.http.credentials import Carried, Shows
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import Refused, Unverified
from kamiyo_verify.model.services import DeclaredCredential, SentAs

_REFUSED = frozenset({400, 401, 403, 422})
_AFTER_POST = frozenset({302, 303})
_NAME_A_PAGE = "name a page that only a signed-in user can read: signed_in_path in [credentials.NAME]"
_NO_CSRF = "the sign-in wants a CSRF token that its page does not hold, so the password was not tested"
_CSRF_REFUSED = "the CSRF token of the page was sent and is refused, so the password was not tested"


def sign_in(http: HttpClient, credential: DeclaredCredential, path: str) -> Answer:
    """Send the form or JSON body of a sign-in; return its answer: proof, unless its status is an error.

    A form is sent as a browser sends that of the sign-in page, with its hidden fields and to its address; the
    path itself gets the user and the password where it shows no form.

    Proof is a token in JSON, a session cookie that the answer sets anew or changes while no form is shown
    again, or the page of `signed_in_path`, which only a session opens.

    Raises:
        Unverified: the credential's variable is not set; the form leads to another origin; or nothing shows
            whether the sign-in succeeded.
        Refused: the credential is not accepted; the message names the variable.
        ServerBroke: the page after the sign-in answers 5xx.
    """
    if not credential.variable.present:
        raise Unverified(f"{credential.variable.name} is not set")
    secret = credential.variable.reveal().strip()
    page, cookies = sign_in_page(http, path)
    form = sign_in_form(page, credential) if credential.send is SentAs.FORM else None
    if form is not None and not stays(page, form.action):
        elsewhere = urlunsplit((form.action.scheme, form.action.netloc, "", "", ""))
        raise Unverified(
            f"the form of {page.path} leads to {elsewhere}, another origin, which gets no credential of this"
            " service: sign in there, as a service of its own"
        )
    return _Attempt(http, credential, path, secret, page, form, cookies).answer()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One sign-in.

    Attributes:
        page: the answer to GET of the sign-in path, before the sign-in.
        form: its form; None if it shows none, or JSON is sent.
        before: the cookies that were set; they are sent with the sign-in, as a browser does.
    """

    http: HttpClient
    mine: DeclaredCredential
    path: str
    secret: str = field(repr=False)
    page: Answer
    form: SignInForm | None
    before: Mapping[str, str] = field(repr=False)

    def answer(self) -> Answer:
        """Sign in; see `sign_in`."""
        mine = self.mine
        parts = sign_in_parts(self.page, self.form, mine, self.secret, self.before)
        parts["carried"] = self._carried(self._signed_in)
        answer = self.http.request("POST", self._address(), **parts)
        if self._is_about_csrf(answer):
            raise Unverified(f"{status_of(answer)}: {_CSRF_REFUSED if self.form else _NO_CSRF}")
        if not mine.signed_in_path or self._is_refused(answer):
            self._require_no_further_step(answer)
        if self._is_refused(answer):
            self._refuse(answer)
        if not answer.ok and not 300 <= answer.status < 400:
            return answer
        if mine.signed_in_path:
            self._require_page(mine.signed_in_path, answer)
        elif target := self._landing(answer):
            self._require_landing(target, answer)
        elif not self._is_proved(answer):
            _unproved(answer)
        return answer

    def _address(self) -> str:
        return path_of(self.form.action) if self.form else self.path

    def _leads_back(self, target: SplitResult) -> bool:
        """Whether an address is that of the sign-in, or of an error."""
        paths = dict.fromkeys((self.path, self.page.path, self._address()))
        return any(is_refusal(target, path) for path in paths)

    def _signed_in(self, answer: Answer) -> bool | None:
        """What the answer to the sign-in shows by itself: with a page to follow, only a refusal."""
        if self._is_about_csrf(answer) or self._further_step(answer):
            return None
        if self._is_refused(answer):
            return False
        if self.mine.signed_in_path or self._landing(answer):
            return None
        return self._is_proved(answer) or None

    def _is_refused(self, answer: Answer) -> bool:
        if answer.status in _REFUSED or (answer.ok and shows_password_form(answer)):
            return True
        target = redirect_of(answer) if answer.status in _AFTER_POST else None
        return target is not None and stays(answer, target) and self._leads_back(target)

    def _further_step(self, answer: Answer) -> str:
        """What the answer asks for besides the password, or ""; one that has expired is refused."""
        step = further_step(answer) if answer.status < 400 or answer.status in _REFUSED else ""
        return "" if step == PASSWORD_EXPIRED and self._is_refused(answer) else step

    def _require_no_further_step(self, answer: Answer) -> None:
        if step := self._further_step(answer):
            raise Unverified(
                f"{status_of(answer)} and asks for {step}, so that nobody is signed in: use an account for"
                f" {self.mine.variable.name} that needs none"
            )

    def _is_about_csrf(self, answer: Answer) -> bool:
        """Whether a refusal may be for want of a CSRF token; 401 is about who signs in."""
        if answer.status == 419:  # Laravel's "page expired"
            return True
        if answer.status == 401 or not self._is_refused(answer):
            return False
        if self.form is not None:  # what it holds was sent, so that only words show what is wrong with it
            return speaks_of_csrf(visible_text(answer))
        named = (
            speaks_of_csrf(visible_text(answer)) if answer.status in _REFUSED else wants_csrf_token(answer)
        )
        return named or wants_csrf_token(self.page)

    def _is_proved(self, answer: Answer) -> bool:
        return answer.ok and bool(token_in(answer, self.secret) or new_session(answer, self.before))

    def _landing(self, answer: Answer) -> SplitResult | None:
        """Where a sign-in with a new session sends the browser within the origin."""
        target = redirect_of(answer) if answer.status in _AFTER_POST else None
        proper = target is not None and stays(answer, target) and not self._leads_back(target)
        return target if proper and new_session(answer, self.before) else None

    def _require_landing(self, target: SplitResult, answer: Answer) -> None:
        """The new session opens the page to which the sign-in leads.

        An application may keep "wrong password" in a new session and redirect to a page that asks to sign in.
        """

        def shown(landed: Answer) -> bool | None:
            onward = redirect_of(landed)
            led = onward is not None and stays(landed, onward) and self._leads_back(onward)
            if led or self._leads_back(urlsplit(landed.url)):
                return False
            asks = shows_password_form(landed) or further_step(landed)
            return True if landed.ok and not asks else None

        landed = self._open(path_of(target), answer, shown, follow=True)
        if shown(landed) is False:
            self._refuse(answer)
        if landed.status >= 500:
            landed.wanted()
        if shown(landed) is None:
            self._require_no_further_step(landed)
            _unproved(landed)

    def _require_page(self, page: str, answer: Answer) -> None:
        """The page answers 2xx with the session, and not without it."""
        stranger = self.http.first("GET", page)
        if stranger.status >= 500:
            stranger.wanted()
        if stranger.ok and not shows_password_form(stranger):
            raise Unverified(f"{status_of(stranger)} without a session too: {_NAME_A_PAGE}")

        def shown(opened: Answer) -> bool | None:
            if opened.ok:
                return None if shows_password_form(opened) else True
            onward = redirect_of(opened)
            led = onward is not None and stays(opened, onward) and self._leads_back(onward)
            # A page may take a token in another way than as a bearer's, so that its 401 shows nothing.
            refused = opened.status == 401 and not token_in(answer, self.secret)
            return False if (led or refused) and not self._further_step(answer) else None

        opened = self._open(page, answer, shown, follow=False)
        if shown(opened) is False:
            self._refuse(opened)
        if opened.status >= 500:
            opened.wanted()
        if shown(opened) is None:
            self._require_no_further_step(answer)
            raise Unverified(
                f"{status_of(opened)} after the sign-in, which does not show whether it signed in"
            )

    def _open(self, path: str, answer: Answer, shown: Shows, *, follow: bool) -> Answer:
        cookies = {**self.before, **cookies_kept(answer.headers)}
        token = token_in(answer, self.secret)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        send = self.http.request if follow else self.http.first
        return send("GET", path, cookies=cookies, headers=headers, carried=self._carried(shown))

    def _carried(self, shown: Shows) -> Carried:
        secret = self.secret
        forms = frozenset({secret, quote(secret, safe=""), quote_plus(secret)})
        return Carried(self.mine.variable.name, shown, forms)

    def _refuse(self, answer: Answer) -> NoReturn:
        name = self.mine.variable.name
        raise Refused(f"{answer.mismatch('a session')}; it carried {name}", name, RefusalKind.PASSWORD)


def _unproved(answer: Answer) -> NoReturn:
    raise Unverified(f"{status_of(answer)}, which does not show whether it signed in: {_NAME_A_PAGE}")
