"""How a site signs people in is learnt from the site: providers, cookie names, how it says no."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kamiyo_verify.integrations.nextauth.client import SignInClient
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.model.outcomes import (
    ImproperAnswer,
    NotApplicable,
    ServerBroke,
    Unverified,
    WrongAnswer,
)
from tests.platform.test_clients import HASH, TOKEN, head_of, http, providers
from tests.support.hostile_server import Behaviour, Peer, Server, answer

JWT = "eyJhbGciOiJkaXIifQ..a.b.c"


def site(
    *ways: str,
    csrf_cookie: str = "next-auth.csrf-token",
    session_cookie: str = "next-auth.session-token",
    refusal: bytes = b"",
    stranger: bytes = b"{}",
) -> Behaviour:
    """A site that knows one session, by one cookie, and answers every sign-in with `refusal`."""

    def behave(peer: Peer) -> None:
        sign_in_with = peer.hear()
        path = sign_in_with.split(b" ", 2)[1]
        sent = [pair.split("=", 1)[0] for pair in head_of(sign_in_with).get("cookie", "").split("; ")]
        if path == b"/api/auth/providers":
            peer.say(answer(json.dumps(providers(*ways)).encode()))
        elif path == b"/api/auth/csrf":
            body = json.dumps({"csrfToken": TOKEN}).encode()
            peer.say(answer(body, head=f"Set-Cookie: {csrf_cookie}={TOKEN}%7C{HASH}; Path=/"))
        elif path == b"/api/auth/session":
            user = json.dumps({"user": {"name": "T"}}).encode()
            peer.say(answer(user if session_cookie in sent else stranger))
        else:
            peer.say(refusal)

    return behave


def sign_in_with(behaviour: Behaviour, ask: Callable[[SignInClient], object]) -> object:
    with Server(behaviour) as server:
        return ask(SignInClient(SignIn(), http(server)))


@pytest.mark.parametrize("ways", [["google"], ["google", "github"], ["email"]], ids=", ".join)
def test_a_site_without_passwords_has_no_password_items(ways: list[str]) -> None:
    with pytest.raises(NotApplicable, match=f"sign-in by {', '.join(ways)} only: it takes no passwords"):
        sign_in_with(site(*ways), lambda client: client.sign_in("t@example.com", "right"))


def test_a_site_that_lists_no_provider_is_broken_and_not_without_passwords() -> None:
    with pytest.raises(WrongAnswer, match="lists no provider: nobody can sign in"):
        sign_in_with(site(), lambda client: client.sign_in("t@example.com", "right"))


def test_the_password_form_goes_to_the_provider_that_the_site_lists() -> None:
    with Server(site("google", "email-password", refusal=answer(b"{}", "401 No"))) as server:
        SignInClient(SignIn(), http(server)).sign_in("t@example.com", "wrong")
    assert any(one.startswith(b"POST /api/auth/callback/email-password ") for one in server.asked)


@pytest.mark.parametrize(
    ("csrf", "session"),
    [
        ("__Host-next-auth.csrf-token", "__Secure-next-auth.session-token"),
        ("__Secure-next-auth.csrf-token", "__Secure-next-auth.session-token"),
        ("next-auth.csrf-token", "next-auth.session-token"),
        ("__Host-authjs.csrf-token", "__Secure-authjs.session-token"),
        ("authjs.csrf-token", "authjs.session-token"),
        ("my_site_csrf", "next-auth.session-token"),
        ("my_site_csrf", "__Secure-authjs.session-token"),
    ],
)
def test_the_csrf_cookie_shows_under_which_name_a_session_is_read(csrf: str, session: str) -> None:
    behaviour = site("google", csrf_cookie=csrf, session_cookie=session)
    found = sign_in_with(behaviour, lambda client: client.session(JWT).user)
    assert found == {"name": "T"}


@pytest.mark.parametrize("stranger", [b"{}", b"null", b'{"user": null}'])
def test_a_session_that_nobody_knows_names_no_user(stranger: bytes) -> None:
    behaviour = site("google", session_cookie="another", stranger=stranger)
    assert sign_in_with(behaviour, lambda client: client.session("x").user) is None


@pytest.mark.parametrize(
    "refusal",
    [
        answer(b'{"url": "http://x/error?error=CredentialsSignin"}', "401 No"),
        answer(b'{"url": "http://x/signin?error=CredentialsSignin&code=credentials"}'),
        answer(b"", "302 Found", "Location: /auth/signin?error=CredentialsSignin"),
        answer(b"", "401 No"),
    ],
    ids=["next-auth", "authjs", "without-json", "bare"],
)
def test_a_wrong_password_is_refused_in_each_of_these_ways(refusal: bytes) -> None:
    behaviour = site("credentials", refusal=refusal)
    tried = sign_in_with(behaviour, lambda client: client.sign_in("t@example.com", "wrong").refused().let_in)
    assert tried is False


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (answer(b"<html>", "502 Bad Gateway"), ServerBroke),
        (answer(b"locked", "403 Forbidden"), Unverified),
        (answer(b"locked", "423 Locked"), Unverified),
        (answer(b"<html>", "404 Not Found"), ImproperAnswer),
        (answer(b'{"url": "http://x/signin?csrf=true"}'), ImproperAnswer),
        (answer(b"<html><body>Home</body></html>", head="Content-Type: text/html"), ImproperAnswer),
    ],
    ids=["gateway", "forbidden", "locked-out", "missing", "csrf", "page"],
)
def test_what_looked_at_no_password_neither_refuses_it_nor_lets_anybody_in(
    refusal: bytes, kind: type[Exception]
) -> None:
    with Server(site("credentials", refusal=refusal)) as server:
        tried = SignInClient(SignIn(), http(server)).sign_in("t@example.com", "wrong")
        assert not tried.let_in
        with pytest.raises(kind):
            tried.refused()
