"""A path that lets strangers in fails; what refuses them passes; what shows neither is not verified."""

from __future__ import annotations

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.model.outcomes import ImproperAnswer, Unverified, WrongAnswer
from tests.engine.checks.test_library import Measured, Said, opened, serving
from tests.engine.checks.test_sign_in import FORM, HTML, redirect

ADMIN = "<html><title>Admin</title>Users: ann, bob</html>"
SHELL = "<html><title>My app</title><script></script></html>"
LOGIN: Said = (200, HTML, FORM)
OPEN: Said = (200, HTML, ADMIN)


def check(said: dict[str, Said], path: str = "/admin") -> tuple[type[Exception] | None, Measured]:
    measured = Measured()
    with serving(said) as origin:
        try:
            library.refuses_strangers(opened(origin), path, measured)
        except Exception as why:  # noqa: BLE001 - the test reads which one it is
            return type(why), measured
    return None, measured


REFUSED: dict[str, dict[str, Said]] = {
    "to the sign-in page": {
        "GET /admin": redirect("/login?next=/admin", ""),
        "GET /login?next=/admin": LOGIN,
    },
    "to a page that is there": {"GET /admin": redirect("/", ""), "GET /": OPEN},
    "to a sign-in elsewhere": {"GET /admin": redirect("https://sso.example/start", "")},
    "to a sign-in page below": {"GET /admin": redirect("/admin/login/", "")},
    "to a page below that asks for a password": {
        "GET /admin": redirect("/admin/start", ""),
        "GET /admin/start": LOGIN,
    },
    "with a slash, then to the sign-in page": {
        "GET /admin": redirect("/admin/", "", 301),
        "GET /admin/": redirect("/login", ""),
    },
    "401 after a slash": {"GET /admin": redirect("/admin/", "", 308), "GET /admin/": (401, {}, "")},
    "404": {},
    "400 for want of a header": {"GET /admin": (400, {}, '{"error": "no token"}')},
    "422 for want of a header": {"GET /admin": (422, {}, '{"detail": []}')},
}
HOLES: dict[str, dict[str, Said]] = {
    "a page": {"GET /admin": OPEN},
    "a page after a slash": {"GET /admin": redirect("/admin/", "", 301), "GET /admin/": OPEN},
    "data with an empty list of errors": {
        "GET /admin": (200, {}, '{"users": ["ann"], "status": "ok", "errors": []}')
    },
    "data beside an application in the browser": {
        "GET /admin": (200, {}, '{"users": 2}'),
        "GET /kamiyo-verify-no-such-path": (200, HTML, SHELL),
    },
}
OPEN_QUESTIONS: dict[str, dict[str, Said]] = {
    "an error with status 200": {"GET /admin": (200, {}, '{"error": "unauthenticated"}')},
    "a status in the body": {"GET /admin": (200, {}, '{"statusCode": 401, "data": {"a": 1}}')},
    "a refusal in words": {"GET /admin": (200, {}, '{"message": "Authentication required", "id": 7}')},
    "no success": {"GET /admin": (200, {}, '{"success": false}')},
    "a session of nobody": {"GET /admin": (200, {}, '{"user": null, "items": [], "total": 0}')},
    "an empty object": {"GET /admin": (200, {}, "{}")},
    "null": {"GET /admin": (200, {}, "null")},
    "a page that asks to sign in elsewhere": {
        "GET /admin": (200, HTML, "<html><title>Sign in - Acme</title><a href=/sso>SSO</a></html>")
    },
    "a method that is not allowed": {"GET /admin": (405, {}, "")},
    "the sign-in page in its place": {"GET /admin": LOGIN},
    "nothing": {"GET /admin": (200, {}, "")},
    "no content": {"GET /admin": (204, {}, "")},
    "a page of maintenance": {
        "GET /admin": (200, HTML, SHELL),
        "GET /kamiyo-verify-no-such-path": (200, HTML, SHELL.replace("<script>", "<script nonce=1>")),
    },
    "one text for every path": {
        "GET /admin": (200, {}, "soon back"),
        "GET /kamiyo-verify-no-such-path": (200, {}, "soon back"),
    },
    "a page below": {"GET /admin": redirect("/admin/users", ""), "GET /admin/users": OPEN},
    "the page in a language": {"GET /admin": redirect("/en/admin", ""), "GET /en/admin": OPEN},
    "the same page by https": {"GET /admin": redirect("https://127.0.0.1/admin", "", 301)},
    "a circle": {"GET /admin": redirect("/admin", "")},
    "a redirect to nowhere": {"GET /admin": (302, {}, "")},
}


@pytest.mark.parametrize("case", REFUSED)
def test_strangers_that_are_refused_pass(case: str) -> None:
    ended, measured = check(REFUSED[case])
    assert ended is None
    first = REFUSED[case].get("GET /admin", (404,))[0]
    assert measured["status"] == first


@pytest.mark.parametrize("case", HOLES)
def test_strangers_that_are_let_in_are_a_failure(case: str) -> None:
    assert check(HOLES[case])[0] is WrongAnswer


@pytest.mark.parametrize("case", OPEN_QUESTIONS)
def test_what_shows_neither_is_no_hole(case: str) -> None:
    assert check(OPEN_QUESTIONS[case])[0] is Unverified


@pytest.mark.parametrize("status", [500, 503])
def test_an_answer_of_an_error_is_no_hole(status: int) -> None:
    ended, _ = check({"GET /admin": (status, HTML, "<h1>Maintenance</h1>")})
    assert ended is not None
    assert issubclass(ended, ImproperAnswer)


def test_the_first_page_leads_to_the_sign_in_page() -> None:
    assert check({"GET /": redirect("/welcome", ""), "GET /welcome": OPEN}, "/")[0] is None
    assert check({"GET /": OPEN}, "/")[0] is WrongAnswer
