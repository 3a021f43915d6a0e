"""A sign-in counts only where its answer proves it; what refuses it is about the credential."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from pydantic import SecretStr, ValidationError

from kamiyo_verify.checks import library
from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import Refused, ServerBroke, Unverified, WrongStatus
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.services import DeclaredCredential, SentAs
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Mutations
from tests.engine.checks.test_library import Measured, Said, serving

HTML = {"Content-Type": "text/html"}
FORM = '<html><form><input name="user"><input  class=x type="password" name=pw></form></html>'
CSRF_FORM = FORM.replace("<form>", '<form><input type=hidden name="csrf_token" value="abc">')
SESSION = {"Set-Cookie": "session=abc; HttpOnly; Path=/"}
WELCOME = "<html>Welcome, ann</html>"
HOME: dict[str, Said] = {"GET /": (200, HTML, WELCOME)}


def account(send: SentAs = SentAs.FORM, page: str | None = None) -> DeclaredCredential:
    variable = Credential(name="WIKI_PASSWORD", value=SecretStr("opensesame"))
    user = "" if send is SentAs.BEARER else "ann"
    return DeclaredCredential(
        variable=variable, send=send, user=user, services=("wiki",), signed_in_path=page
    )


def sign_in(
    said: Mapping[str, Said], mine: DeclaredCredential, record: list[Exchange] | None = None
) -> Exception | None:
    """What the check ends with: None where it passes."""
    noted: list[Exchange] = [] if record is None else record
    with serving({**said}) as origin:
        http = HttpClient(origin, ClientContext(Timeouts(), noted.append, lambda: 20.0))
        service = ServiceClient(http, mine, Mutations.FORBIDDEN, lambda _: None)
        try:
            library.signs_in(service, "/login", Measured())
        except Exception as why:  # noqa: BLE001 - the test reads which one it is
            return why
    return None


def redirect(to: str, cookie: str = "session=abc", status: int = 302) -> Said:
    return status, {"Location": to, **({"Set-Cookie": cookie} if cookie else {})}, ""


PROVED: dict[str, dict[str, Said]] = {
    "a new session, and the page after it": {"POST /login": redirect("/"), **HOME},
    "a new session on the page itself": {"POST /login": (200, {**HTML, **SESSION}, WELCOME)},
    "a session that the answer changes": {
        "GET /login": (200, {**HTML, "Set-Cookie": "PHPSESSID=old"}, FORM),
        "POST /login": redirect("/", "PHPSESSID=new"),
        **HOME,
    },
    "a token": {"POST /login": (200, {}, '{"access_token": "abc"}')},
    "a token within": {"POST /login": (201, {}, '{"data": {"user": {"id": 1}, "jwt": "a.b.c"}}')},
    "devpi's, a token with spaces that is called a password": {
        "POST /login": (
            200,
            {},
            '{"result": {"password": "[\\"root\\", [], true].awxHkA.TftBfqZR5Jlor7qv09RO6zBMgUs"}}',
        )
    },
    "a token that is called a password": {
        "POST /login": (200, {}, '{"result": {"password": "root-vXyZ.0123456789"}}')
    },
}
REFUSED: dict[str, dict[str, Said]] = {
    "the form again": {"POST /login": (200, HTML, FORM)},
    "the form again, with a message in a new session": {"POST /login": (200, {**HTML, **SESSION}, FORM)},
    "back to the sign-in page": {"POST /login": redirect("/login?error=1")},
    "back to another sign-in page": {"POST /login": redirect("/accounts/sign-in/")},
    "to an error": {"POST /login": redirect("/?login_error=true")},
    "to a page of failures": {"POST /login": redirect("/login-failed", "")},
    "to a page that leads back": {"POST /login": redirect("/"), "GET /": redirect("/login?next=/", "")},
    "400": {"POST /login": (400, {}, "wrong password")},
    "401 where the form has a CSRF token": {
        "GET /login": (200, HTML, CSRF_FORM),
        "POST /login": (401, {}, ""),
    },
    "403": {"POST /login": (403, {}, "")},
    "422": {"POST /login": (422, {}, "{}")},
}
OPEN: dict[str, dict[str, Said]] = {
    "200 alone": {"POST /login": (200, HTML, WELCOME)},
    "a redirect alone": {"POST /login": redirect("/", ""), **HOME},
    "a session that everybody has": {
        "GET /login": (200, {**HTML, "Set-Cookie": "session=abc"}, FORM),
        "POST /login": redirect("/"),
        **HOME,
    },
    "a cookie that is no session": {"POST /login": redirect("/", "lang=de"), **HOME},
    "a cookie of a CSRF token": {"POST /login": redirect("/", "csrf_session=abc"), **HOME},
    "a session that is taken away": {"POST /login": redirect("/", "session=; Max-Age=0"), **HOME},
    "a session that ended": {
        "POST /login": redirect("/", "session=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        **HOME,
    },
    "a page with a form after it": {"POST /login": redirect("/"), "GET /": (200, HTML, FORM)},
    "a page that is not there": {"POST /login": redirect("/nowhere")},
    "another origin": {"POST /login": redirect("https://elsewhere.example/")},
    "the same page elsewhere": {"POST /login": redirect("/login/", status=308)},
    "an error with status 200": {"POST /login": (200, {}, '{"error": "wrong", "token": "abc"}')},
    "no success": {"POST /login": (200, {}, '{"success": false, "token": "abc"}')},
    "no token": {"POST /login": (200, {}, '{"token": null, "csrf_token": "abc"}')},
    "a remark on the password": {"POST /login": (200, {}, '{"password": "wrong"}')},
    "a long remark on it": {"POST /login": (200, {}, '{"password": "invalid_credentials_given to us"}')},
    "our own password": {"POST /login": (200, {}, '{"token": "opensesame"}')},
}
CSRF: dict[str, dict[str, Said]] = {
    "Flask-WTF": {"POST /login": (400, HTML, "<h1>Bad Request</h1>The CSRF token is missing.")},
    "Django": {"POST /login": (403, HTML, "<p>CSRF verification failed. Request aborted.</p>")},
    "Laravel": {"POST /login": (419, HTML, "Page Expired")},
    "Rails": {"GET /login": (200, HTML, CSRF_FORM), "POST /login": (422, HTML, "The change was rejected")},
    "the form again": {"POST /login": (200, HTML, CSRF_FORM)},
    "back to the form": {"GET /login": (200, HTML, CSRF_FORM), "POST /login": redirect("/login")},
}


CODE = '<html><form><input autocomplete="one-time-code" name=token></form></html>'
FURTHER: dict[str, dict[str, Said]] = {
    "Cognito": {
        "POST /login": (200, {}, '{"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "AYABeJxlong"}')
    },
    "Cognito's own challenge": {"POST /login": (200, {}, '{"ChallengeName": "CUSTOM", "Session": "AYAB"}')},
    "Cognito's new password": {
        "POST /login": (200, {}, '{"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "AYABeJxlong"}')
    },
    "Okta": {"POST /login": (200, {}, '{"status": "MFA_REQUIRED", "token": "00T6"}')},
    "Okta's expired password": {"POST /login": (200, {}, '{"status": "PASSWORD_EXPIRED", "token": "00T6"}')},
    "Auth0": {"POST /login": (403, {}, '{"error": "mfa_required", "mfa_token": "Fe26"}')},
    "a flag beside a token": {"POST /login": (200, {}, '{"requires2FA": true, "token": "abc"}')},
    "a flag beside a session": {"POST /login": (200, SESSION, '{"data": {"mfaRequired": true}}')},
    "a token for the next step alone": {
        "POST /login": (200, {}, '{"otp_token": "abc", "access_token": "pre"}')
    },
    "a step": {"POST /login": (200, SESSION, '{"nextStep": {"signInStep": "CONFIRM_WITH_TOTP_CODE"}}')},
    "a password to change": {"POST /login": (200, {}, '{"token": "abc", "must_change_password": true}')},
    "a page for a code": {"POST /login": (200, {**HTML, **SESSION}, CODE)},
    "a page for a code, by its name": {
        "POST /login": redirect("/two-factor-challenge"),
        "GET /two-factor-challenge": (200, HTML, WELCOME),
    },
    "a page for a code after it": {"POST /login": redirect("/next"), "GET /next": (200, HTML, CODE)},
}
DESCRIBED = (
    '{"token": "abc", "user": {"mfa_required": true, "mfaToken": "x", "status": "mfa"}}',
    '{"token": "abc", "mfa_enabled": true, "mfa_required": false, "mfaToken": null, "otp_session": ""}',
    '{"token": "abc", "password_changed_at": "2026-01-01", "password_expires": "2027-01-01"}',
    '{"token": "abc", "must_change_password": false, "status": "ok", "type": "bearer"}',
)


@pytest.mark.parametrize("case", FURTHER)
@pytest.mark.parametrize("send", [SentAs.FORM, SentAs.JSON])
def test_a_sign_in_that_asks_for_more_is_not_verified(case: str, send: SentAs) -> None:
    record: list[Exchange] = []
    why = sign_in(FURTHER[case], account(send), record)
    assert isinstance(why, Unverified), why
    assert re.search("asks for a (second factor|new password|further step), so that nobody", str(why))
    assert {one.accepted for one in record if one.credential} == {None}


@pytest.mark.parametrize("body", DESCRIBED)
def test_what_an_answer_says_of_the_account_is_no_further_step(body: str) -> None:
    assert sign_in({"POST /login": (200, {}, body)}, account(SentAs.JSON)) is None


def test_a_password_that_has_expired_is_refused() -> None:
    said: dict[str, Said] = {"POST /login": (403, {}, '{"error": "password_expired"}')}
    assert isinstance(sign_in(said, account(SentAs.JSON)), Refused)


def test_the_form_again_with_a_field_for_a_code_is_a_refusal() -> None:
    both = FORM.replace("</form>", "<input name=otp></form>")
    assert isinstance(sign_in({"POST /login": (200, HTML, both)}, account()), Refused)


@pytest.mark.parametrize("opened", [(401, {}, ""), (200, HTML, WELCOME)])
def test_a_page_for_signed_in_users_decides_about_a_further_step(opened: Said) -> None:
    said: dict[str, Said] = {
        "POST /login": (200, SESSION, '{"mfa_required": true}'),
        "GET /me": (401, {}, ""),
        "GET /me as ann": opened,
    }
    why = sign_in(said, account(SentAs.JSON, "/me"))
    assert type(why) is (type(None) if opened[0] == 200 else Unverified), why


@pytest.mark.parametrize("case", PROVED)
@pytest.mark.parametrize("send", [SentAs.FORM, SentAs.JSON])
def test_a_proved_sign_in_passes(case: str, send: SentAs) -> None:
    record: list[Exchange] = []
    assert sign_in(PROVED[case], account(send), record) is None
    assert [one.accepted for one in record if one.credential].count(True) == 1


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("send", [SentAs.FORM, SentAs.JSON])
def test_a_refused_sign_in_names_the_variable(case: str, send: SentAs) -> None:
    record: list[Exchange] = []
    why = sign_in(REFUSED[case], account(send), record)
    assert isinstance(why, Refused), why
    assert "WIKI_PASSWORD" in str(why)
    assert "opensesame" not in f"{why}{record}"
    accepted = [one.accepted for one in record if one.credential]
    assert False in accepted
    assert True not in accepted


@pytest.mark.parametrize("case", OPEN)
@pytest.mark.parametrize("send", [SentAs.FORM, SentAs.JSON])
def test_what_proves_nothing_is_not_verified(case: str, send: SentAs) -> None:
    record: list[Exchange] = []
    why = sign_in(OPEN[case], account(send), record)
    assert isinstance(why, Unverified), why
    assert "does not show whether it signed in" in str(why)
    assert "signed_in_path" in str(why)
    assert {one.accepted for one in record if one.credential} == {None}


@pytest.mark.parametrize("case", CSRF)
def test_a_missing_csrf_token_says_nothing_of_the_password(case: str) -> None:
    record: list[Exchange] = []
    why = sign_in(CSRF[case], account(), record)
    assert isinstance(why, Unverified), why
    assert "CSRF token" in str(why)
    assert {one.accepted for one in record if one.credential} == {None}


def test_a_broken_sign_in_is_a_failure() -> None:
    assert isinstance(sign_in({"POST /login": (500, {}, "")}, account()), ServerBroke)
    assert isinstance(sign_in({}, account()), WrongStatus)
    assert isinstance(
        sign_in({"POST /login": (500, {}, '{"error": "the otp service"}')}, account()), ServerBroke
    )
    landing: dict[str, Said] = {"POST /login": redirect("/"), "GET /": (500, {}, "")}
    assert isinstance(sign_in(landing, account()), ServerBroke)


PLAIN: dict[str, Said] = {"POST /login": redirect("/", "i_like=abc"), **HOME}
HIDDEN: Said = redirect("/login?next=/me", "")


@pytest.mark.parametrize(
    ("stranger", "opened", "expected"),
    [
        (HIDDEN, (200, HTML, WELCOME), None),
        ((401, {}, ""), (200, HTML, WELCOME), None),
        ((200, HTML, FORM), (200, HTML, WELCOME), None),
        (HIDDEN, HIDDEN, Refused),
        ((401, {}, ""), (401, {}, ""), Refused),
        ((403, {}, ""), (403, {}, ""), Unverified),
        ((404, {}, ""), (404, {}, ""), Unverified),
        ((200, HTML, WELCOME), (200, HTML, WELCOME), Unverified),
        ((200, HTML, FORM), (200, HTML, FORM), Unverified),
        (HIDDEN, (500, {}, ""), ServerBroke),
        ((500, {}, ""), (200, HTML, WELCOME), ServerBroke),
    ],
)
def test_a_page_for_signed_in_users_proves_a_sign_in(
    stranger: Said, opened: Said, expected: type[Exception] | None
) -> None:
    record: list[Exchange] = []
    said = {**PLAIN, "GET /me": stranger, "GET /me as ann": opened}
    why = sign_in(said, account(page="/me"), record)
    assert type(why) is (expected or type(None)), why
    accepted = [one.accepted for one in record if one.credential]
    assert (True in accepted) is (expected is None)


def test_the_page_is_asked_with_a_token_as_well() -> None:
    said: dict[str, Said] = {
        "POST /login": (200, {}, '{"token": "abc"}'),
        "GET /me": (401, {}, ""),
        "GET /me as ann": (200, {}, "{}"),
    }
    assert sign_in(said, account(SentAs.JSON, "/me")) is None
    other = {**said, "GET /me as ann": (401, {}, "")}
    assert isinstance(sign_in(other, account(SentAs.JSON, "/me")), Unverified)


@pytest.mark.parametrize("send", [SentAs.BASIC, SentAs.BEARER])
@pytest.mark.parametrize(
    ("stranger", "ours", "proved"),
    [
        ((401, {}, ""), (200, {}, "{}"), True),
        ((404, {}, ""), (200, {}, "{}"), True),
        (redirect("/elsewhere", ""), (200, {}, "{}"), True),
        ((200, HTML, FORM), (200, HTML, WELCOME), True),
        ((200, {}, "{}"), (200, {}, "{}"), False),
        ((503, {}, ""), (200, {}, "{}"), False),
        ((200, HTML, FORM), (200, HTML, FORM), False),
        ((401, {}, ""), redirect("https://elsewhere.example/", ""), False),
    ],
)
def test_a_credential_that_opens_what_anybody_may_read_proves_nothing(
    send: SentAs, stranger: Said, ours: Said, *, proved: bool
) -> None:
    why = sign_in({"GET /login": stranger, "GET /login as ann": ours}, account(send))
    assert type(why) is (type(None) if proved else Unverified), why


def test_the_page_belongs_to_a_form_or_json() -> None:
    with pytest.raises(ValidationError, match="signed_in_path is for"):
        account(SentAs.BASIC, "/me")
