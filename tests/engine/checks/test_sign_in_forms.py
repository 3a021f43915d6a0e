"""Forms are sent as a browser sends them: hidden fields, cookies and the form's own address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from kamiyo_verify.checks import library
from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.checks.sign_in_forms import visible_text
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import Refused, Unverified
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.services import DeclaredCredential, SentAs
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Mutations
from tests.engine.checks.test_library import Measured
from tests.engine.checks.test_library import serving as saying
from tests.support.serving import serving

PASSWORD = "opensesame"
TOKEN = "T0k3n/+=&\"'"
CELL = '<form method="{method}" action="{action}">{fields}</form>'
BOTH = '<input name="{user}"><input type="PASSWORD" name="{password}">'


@dataclass
class Application:
    """An application with a form, as a framework makes it: what it does not get, it refuses as forged.

    Attributes:
        page: the sign-in page.
        wants: names and values that have to come with the form.
        user: the name of the user's field; so is `password`.
        action: where the form leads to.
        headers: headers that have to come with it.
        cookie: name of a cookie that has to hold the token too; "" for none.
    """

    page: str
    wants: dict[str, str]
    user: str = "username"
    password: str = "password"
    action: str = "/login"
    headers: dict[str, str] = field(default_factory=dict)
    cookie: str = "visit"
    posted: list[dict[str, Any]] = field(default_factory=list)

    def show(self, _: Request) -> Response:
        page = HTMLResponse(self.page)
        if self.cookie:
            page.set_cookie(self.cookie, "c00kie")
        return page

    async def sign_in(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.posted.append(form)
        forged = any(form.get(name) != value for name, value in self.wants.items())
        forged |= bool(self.cookie) and request.cookies.get(self.cookie) != "c00kie"
        origin = str(request.base_url).rstrip("/")
        forged |= request.headers.get("origin") != origin
        forged |= not request.headers.get("referer", "").startswith(origin)
        if forged:
            return HTMLResponse("<p>CSRF verification failed. Request aborted.</p>", 403)
        if (form.get(self.user), form.get(self.password)) != ("ann", PASSWORD):
            return HTMLResponse(self.page)
        answer = RedirectResponse("/", 302)
        answer.set_cookie("sessionid", "s3ss10n")
        return answer

    def app(self) -> Starlette:
        def home(request: Request) -> Response:
            known = request.cookies.get("sessionid") == "s3ss10n"
            return HTMLResponse("<p>Welcome</p>") if known else RedirectResponse("/login?next=/", 302)

        return Starlette(
            routes=[
                Route("/login", self.show, methods=["GET"]),
                Route("/old", lambda _: RedirectResponse("/login", 302), methods=["GET"]),
                Route(self.action.partition("?")[0], self.sign_in, methods=["POST"]),
                Route("/", home, methods=["GET"]),
            ]
        )


def hidden(name: str, value: str) -> str:
    return f"<input type=hidden name={name} value='{value.replace('&', '&amp;').replace(chr(39), '&#39;')}'>"


def form(*fields: str, method: str = "post", action: str = "/login", before: str = "") -> str:
    return f"<!doctype html><html>{before}{CELL.format(method=method, action=action, fields=''.join(fields))}"


def both(user: str, password: str) -> str:
    return BOTH.format(user=user, password=password)


FRAMEWORKS = {
    "Django": Application(
        form(hidden("csrfmiddlewaretoken", TOKEN), both("username", "password"), "<button>Log in</button>",
             action=""), {"csrfmiddlewaretoken": TOKEN}, cookie="csrftoken"),
    "Rails with Devise": Application(
        form(hidden("authenticity_token", TOKEN), both("user[email]", "user[password]"),
             '<input name="user[remember_me]" type=hidden value=0>',
             '<input type=checkbox name="user[remember_me]" value=1>',
             '<input type=submit name=commit value="Log in">'),
        {"authenticity_token": TOKEN, "commit": "Log in", "user[remember_me]": "0"},
        "user[email]", "user[password]"),
    "Laravel": Application(
        form(hidden("_token", TOKEN), both("email", "password"), method="POST"), {"_token": TOKEN}, "email"),
    "Flask-WTF": Application(
        form(hidden("csrf_token", TOKEN), both("user", "pw")), {"csrf_token": TOKEN}, "user", "pw"),
    "ASP.NET Core": Application(
        form(both("Input.Email", "Input.Password"), hidden("__RequestVerificationToken", TOKEN)),
        {"__RequestVerificationToken": TOKEN}, "Input.Email", "Input.Password"),
    "Spring Security": Application(
        form(both("username", "password"), hidden("_csrf", TOKEN)), {"_csrf": TOKEN}),
    "Keycloak": Application(
        form(both("username", "password"), hidden("credentialId", ""),
             action="/realms/a/login-actions/authenticate?session_code=x&amp;tab_id=y"),
        {"credentialId": ""}, action="/realms/a/login-actions/authenticate?session_code=x"),
    "WordPress": Application(
        form(both("log", "pwd"), '<input type=submit name="wp-submit" value="Log In">',
             hidden("testcookie", "1"), action="/login"),
        {"wp-submit": "Log In", "testcookie": "1"}, "log", "pwd"),
    "a search form before it": Application(
        form(both("u", "p"), hidden("t", "1"),
             before='<form action="/search"><input name=q></form><form method=post action="/news">'
             "<input name=mail></form>"), {"t": "1"}, "u", "p"),
    "a checked box, a second button and a disabled field": Application(
        form(both("u", "p"), "<input type=radio name=r value=1><input type=radio name=r value=2 checked>",
             "<input name=off value=x disabled><button name=go value=in>In</button>"
             "<button name=go value=out>Out</button><input type=checkbox name=box checked>"),
        {"r": "2", "go": "in", "box": "on"}, "u", "p"),
    "a comment and a script around it": Application(
        form(both("u", "p"), hidden("t", "1"),
             before="<!--[if IE]><form><![endif]-->"
             "<script>'<form method=post><input type=password>'</script>"),
        {"t": "1"}, "u", "p"),
}  # fmt: skip


def account(secret: str = PASSWORD, send: SentAs = SentAs.FORM, **more: Any) -> DeclaredCredential:
    variable = Credential(name="WIKI_PASSWORD", value=SecretStr(secret))
    return DeclaredCredential(variable=variable, send=send, user="ann", services=("wiki",), **more)


def sign_in(
    origin: str, mine: DeclaredCredential, record: list[Exchange] | None = None, path: str = "/login"
) -> Exception | None:
    """What the check ends with: None where it passes."""
    noted: list[Exchange] = [] if record is None else record
    http = HttpClient(origin, ClientContext(Timeouts(), noted.append, lambda: 20.0))
    try:
        library.signs_in(ServiceClient(http, mine, Mutations.FORBIDDEN, lambda _: None), path, Measured())
    except Exception as why:  # noqa: BLE001 - the test reads which one it is
        return why
    finally:
        http.close()
    return None


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_form_is_sent_with_all_that_it_holds(name: str) -> None:
    application = FRAMEWORKS[name]
    with serving(application.app()) as origin:
        record: list[Exchange] = []
        assert sign_in(origin, account(), record) is None
        assert sign_in(origin, account(), path="/old") is None
        why = sign_in(origin, account("wr0ng-password"))
    assert isinstance(why, Refused), why
    assert not {"off", "q", "mail"} & set(application.posted[0])
    shown = f"{why}{record}"
    assert PASSWORD not in shown
    assert quote(TOKEN, safe="") not in shown


def test_a_declared_field_wins_where_the_form_has_it() -> None:
    application = Application(
        form("<input name=mail><input name=nick>", "<input type=password name=p>"), {}, "mail", "p"
    )
    with serving(application.app()) as origin:
        assert sign_in(origin, account(user_field="mail")) is None
        assert isinstance(sign_in(origin, account(user_field="name")), Refused), (
            "the last before the password"
        )


@pytest.mark.parametrize(
    "page",
    [
        form(both("username", "password"), hidden("csrf", "old")),
        form(both("username", "password")),
    ],
    ids=["another token", "no token"],
)
def test_a_token_that_is_refused_says_nothing_of_the_password(page: str) -> None:
    with serving(Application(page, {"csrf": TOKEN}).app()) as origin:
        record: list[Exchange] = []
        why = sign_in(origin, account(), record)
    assert isinstance(why, Unverified), why
    assert "CSRF token" in str(why)
    assert {one.accepted for one in record if one.credential} == {None}


def test_a_form_that_leads_to_another_origin_gets_no_password() -> None:
    elsewhere: list[Exchange] = []
    with saying({"POST /login": (200, {}, "")}) as other:
        page = form(both("username", "password"), action=f"{other}/login")
        with serving(Application(page, {}).app()) as origin:
            why = sign_in(origin, account(), elsewhere)
    assert isinstance(why, Unverified), why
    assert f"leads to {other}, another origin" in str(why)
    assert not [one for one in elsewhere if one.method == "POST"]


@pytest.mark.parametrize(
    "page",
    [
        form(both("username", "password"), hidden("a", "1"), method="get"),
        form(both("username", "")),
        form(both("username", "password"), "<input type=password name=again>", hidden("a", "1")),
        form(both("username", "password"), *(f"<input name=a{n}>" for n in range(300))),
        form(both("username", "password"), action="http://[half"),
        "<html>" + both("username", "password"),
        "<html><![weird[<form method=post>" + both("username", "password"),
    ],
    ids=["by GET", "no name", "a new account's", "endless", "no address", "no form", "no page"],
)
def test_without_a_form_that_a_browser_sends_the_path_gets_user_and_password(page: str) -> None:
    application = Application(page, {})
    with serving(application.app()) as origin:
        assert sign_in(origin, account()) is None
    assert application.posted == [{"username": "ann", "password": PASSWORD}]


@pytest.mark.parametrize(
    ("page", "cookie", "header"),
    [
        (f'<html><meta name="csrf-token" content="{TOKEN.replace(chr(34), "&quot;")}">', "", "X-CSRF-Token"),
        ("<html>", f"XSRF-TOKEN={quote(TOKEN, safe='')}", "X-XSRF-TOKEN"),
        ("<html>", f"csrftoken={quote(TOKEN, safe='')}", "X-CSRFToken"),
    ],
)
def test_json_is_sent_as_the_programs_of_the_page_send_it(page: str, cookie: str, header: str) -> None:
    def show(_: Request) -> Response:
        return HTMLResponse(page, headers={"Set-Cookie": cookie} if cookie else {})

    async def take(request: Request) -> Response:
        if request.headers.get(header) != TOKEN:
            return JSONResponse({"message": "CSRF token mismatch."}, 403)
        right = (await request.json())["password"] == PASSWORD
        return JSONResponse({"token": "abc"} if right else {"error": "wrong"}, 200 if right else 401)

    routes = [Route("/login", show, methods=["GET"]), Route("/login", take, methods=["POST"])]
    with serving(Starlette(routes=routes)) as origin:
        assert sign_in(origin, account(send=SentAs.JSON)) is None
        assert isinstance(sign_in(origin, account("wr0ng-password", SentAs.JSON)), Refused)


def test_names_of_fields_are_no_words_of_a_page() -> None:
    page = form(
        hidden("csrf_token", "a"), both("u", "p"), before="<style>csrf</style><p>Wrong   password</p>"
    )
    with saying({"GET /login": (200, {"Content-Type": "text/html"}, page)}) as origin:
        http = HttpClient(origin, ClientContext(Timeouts(), lambda _: None, lambda: 20.0))
        assert visible_text(http.get("/login")).strip() == "Wrong password"
        http.close()
