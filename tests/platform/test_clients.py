"""The clients of the API, the website, sign-in and payments, against small stand-ins of what they ask."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, quote

import pytest
import stripe
from pydantic import SecretStr

from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_platform.payments import PaymentsClient
from kamiyo_verify.config.environment import Api, Payments
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.commit import commit_in_answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.cookies import cookies_set
from kamiyo_verify.integrations.nextauth.client import SignInClient
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.model.outcomes import ServerBroke, Unverified, WrongAnswer
from kamiyo_verify.model.services import CommitSource
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Signing
from tests.support.hostile_server import Behaviour, Peer, Server, answer, echoing, saying

KEY = "km_4711-secret"
SECRET = "whsec_0123456789"
PASSWORD = "pass word&1"
TOKEN = "ab" * 32


def http(server: Server) -> HttpClient:
    return HttpClient(server.origin, ClientContext.unrecorded(Timeouts(connect=5, answer=5), lambda: 30.0))


def credential(value: str) -> Credential:
    return Credential(name="CREDENTIAL", value=SecretStr(value))


def api(server: Server) -> ApiClient:
    return ApiClient(Api(key=credential(KEY), admin_key=credential("admin-1")), http(server))


def commit(server: Server, source: CommitSource) -> str:
    return commit_in_answer("worker-api", source, FrontendClient(http(server)).get, "/")


def head_of(asked: bytes) -> dict[str, str]:
    lines = asked.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def test_callers_are_told_apart_by_their_key() -> None:
    with Server(saying(answer(b"{}"))) as server:
        client = api(server)
        client.get("/a", origin="https://kamiyo.ai", page=2)
        client.get_anonymously("/b")
        client.get_as_admin("/c")
        client.preflight("/d", origin="https://kamiyo.ai", method="POST")
    known, stranger, admin, browser = (head_of(asked) for asked in server.asked)
    assert known["x-api-key"] == KEY
    assert known["origin"] == "https://kamiyo.ai"
    assert server.asked[0].startswith(b"GET /a?page=2 ")
    assert not {"x-api-key", "authorization", "origin"} & set(stranger)
    assert admin["x-api-key"] == "admin-1"
    assert server.asked[3].startswith(b"OPTIONS /d ")
    assert browser["access-control-request-method"] == "POST"
    assert "x-api-key" not in browser


def test_without_a_key_the_api_is_asked_as_a_stranger() -> None:
    with Server(saying(answer(b"{}"))) as server:
        ApiClient(Api(), http(server)).get("/a")
    assert "x-api-key" not in head_of(server.asked[0])


def test_the_status_is_judged_before_a_plausible_body() -> None:
    body = json.dumps(
        {
            "status": "healthy",
            "database_exploits": 1,
            "tracked_chains": 1,
            "active_sources": 1,
            "total_sources": 1,
            "timestamp": "2026-01-01T00:00:00",
        }
    ).encode()
    with Server(saying(answer(body))) as server:
        assert api(server).health().timestamp.tzinfo is not None
    with (
        Server(saying(answer(body, "503 Down"))) as server,
        pytest.raises(WrongAnswer, match="503 where 200 was expected"),
    ):
        api(server).health()


def test_a_hash_cannot_leave_its_place_in_the_path() -> None:
    with Server(saying(answer(b"{}", "404 Not Found"))) as server, pytest.raises(WrongAnswer):
        api(server).exploit("../admin?x=1#y")
    assert server.asked[0].startswith(b"GET /exploits/%2E%2E%2Fadmin%3Fx%3D1%23y ")


SHA = "9C41D07" + "0" * 33


@pytest.mark.parametrize(
    ("source", "behaviour"),
    [
        (CommitSource(header="X-Commit"), saying(answer(b"", "500 Oops", f"X-Commit: {SHA}"))),
        (CommitSource(path="/version"), saying(answer(json.dumps({"commit": SHA}).encode()))),
        (
            CommitSource(path="/version", field="build.sha"),
            saying(answer(json.dumps({"build": {"sha": SHA}}).encode())),
        ),
    ],
)
def test_the_commit_is_read_where_the_environment_says(source: CommitSource, behaviour: Behaviour) -> None:
    with Server(behaviour) as server:
        assert commit(server, source) == SHA.lower()


@pytest.mark.parametrize(
    ("source", "behaviour", "message"),
    [
        (CommitSource(header="X-Commit"), saying(answer(b"")), "the header X-Commit says nothing"),
        (
            CommitSource(header="X-Commit"),
            saying(answer(b"", head="X-Commit: latest")),
            "'latest', which is no commit",
        ),
        (CommitSource(path="/v"), saying(answer(b"[]")), "the field commit says nothing"),
        (CommitSource(path="/v"), saying(answer(b"{}", "404 Not Found")), "answered 404"),
    ],
)
def test_a_source_that_tells_no_commit_is_a_wrong_answer(
    source: CommitSource, behaviour: Behaviour, message: str
) -> None:
    with Server(behaviour) as server, pytest.raises(WrongAnswer, match=message):
        commit(server, source)


def test_a_service_that_is_broken_is_no_service_without_a_commit() -> None:
    for source in (CommitSource(header="X-Commit"), CommitSource(path="/v")):
        with Server(saying(answer(b"{}", "503 Oops"))) as server, pytest.raises(ServerBroke):
            commit(server, source)


def test_a_commit_that_nobody_tells_is_unverified() -> None:
    with (
        Server(saying(answer(b""))) as server,
        pytest.raises(Unverified, match=r"\[services\.worker-api\] commit"),
    ):
        commit(server, CommitSource())


def test_a_page_is_200_and_html() -> None:
    def frontend(server: Server) -> FrontendClient:
        return FrontendClient(http(server))

    with Server(saying(answer(b"<p>", head="Content-Type: Text/HTML; charset=utf-8"))) as server:
        assert frontend(server).page("/").text == "<p>"
    with Server(saying(answer(b"{}"))) as server, pytest.raises(WrongAnswer, match="text/html was expected"):
        frontend(server).page("/")
    with Server(saying(answer(b"", "404 Not Found"))) as server, pytest.raises(WrongAnswer, match="404"):
        frontend(server).page("/x")


def test_a_page_of_nothing_but_titles_is_read_in_no_time() -> None:
    with Server(saying(answer(b"<title" * 170_000, head="Content-Type: text/html"))) as server:
        assert FrontendClient(http(server)).get("/").title == ""


def providers(*kinds: str) -> dict[str, dict[str, str]]:
    """What /api/auth/providers lists; "credentials" is the type of one that takes passwords."""
    types = {"google": "oauth", "github": "oauth", "email": "email"}
    url = "http://x/api/auth/callback"
    return {
        kind: {
            "id": kind,
            "name": kind.title(),
            "type": types.get(kind, "credentials"),
            "signinUrl": f"http://x/api/auth/signin/{kind}",
            "callbackUrl": f"{url}/{kind}",
        }
        for kind in kinds
    }


def nextauth(set_cookie: str, *, good: bool = True) -> Behaviour:
    """NextAuth in so far as signing in needs it: it insists on the csrf cookie that it gave out."""
    name, _, value = set_cookie.partition(";")[0].partition("=")

    def behave(peer: Peer) -> None:
        asked = peer.hear()
        path = asked.split(b" ", 2)[1]
        sent = head_of(asked).get("cookie", "")
        if path == b"/api/auth/providers":
            peer.say(answer(json.dumps(providers("google", "credentials")).encode()))
        elif path == b"/api/auth/csrf":
            body = json.dumps({"csrfToken": TOKEN}).encode()
            peer.say(answer(body, head=f"Set-Cookie: {set_cookie}\r\nSet-Cookie: other=1"))
        elif path == b"/api/auth/session":
            known = "session-token=s3ss10n" in sent
            peer.say(answer(json.dumps({"user": {"name": "T"}} if known else {}).encode()))
        elif sent != f"{name}={value}":
            peer.say(answer(b'{"url": "http://x/signin?csrf=true"}'))
        elif good:
            cookie = "__Secure-next-auth.session-token=s3ss10n; Path=/; HttpOnly; Secure"
            peer.say(answer(b'{"url": "http://x/"}', head=f"Set-Cookie: {cookie}"))
        else:
            peer.say(answer(b'{"url": "http://x/error"}', "401 Unauthorized"))

    return behave


HASH = hashlib.sha256((TOKEN + SECRET).encode()).hexdigest()
COOKIES = [
    f"{prefix}next-auth.csrf-token={value}; Path=/; HttpOnly; SameSite=Lax"
    for prefix in ("", "__Host-", "__Secure-")
    for value in (f"{TOKEN}%7C{HASH}", f"{TOKEN}|{HASH}", f'"{TOKEN}%7C{HASH}"')
]


@pytest.mark.parametrize("cookie", COOKIES)
def test_the_csrf_cookie_is_read_in_every_spelling_and_sent_back_as_it_came(cookie: str) -> None:
    with Server(nextauth(cookie)) as server:
        client = SignInClient(SignIn(), http(server))
        csrf = client.csrf()
        signed_in = client.sign_in("t@example.com", PASSWORD)
    assert (csrf.token, csrf.cookie) == (TOKEN, f"{TOKEN}|{HASH}")
    assert signed_in.has_cookie
    assert signed_in.session is not None
    assert signed_in.session.user == {"name": "T"}
    assert signed_in.url == "http://x/"
    assert HASH not in repr(csrf)


def test_the_form_is_what_nextauth_expects() -> None:
    received: list[bytes] = []

    def behave(peer: Peer) -> None:
        nextauth(COOKIES[0])(peer)
        received.append(peer.asked)

    with Server(behave) as server:
        SignInClient(SignIn(), http(server)).sign_in("t@example.com", PASSWORD)
        origin = server.origin
    [form] = [asked for asked in received if asked.startswith(b"POST /api/auth/callback/credentials ")]
    assert "application/x-www-form-urlencoded" in head_of(form)["content-type"]
    body = form.split(b"\r\n\r\n", 1)[1].decode()
    if body:  # it may come in a packet of its own
        assert parse_qs(body)["callbackUrl"] == [origin]
        assert parse_qs(body)["json"] == ["true"]


def test_a_refusal_is_an_answer() -> None:
    with Server(nextauth(COOKIES[0], good=False)) as server:
        refused = SignInClient(SignIn(), http(server)).sign_in("t@example.com", "wrong")
    assert (refused.answer.status, refused.session, refused.has_cookie) == (401, None, False)


@pytest.mark.parametrize(
    ("body", "cookie", "message"),
    [
        (b'{"csrfToken": "x"}', "other=1", "set no CSRF cookie"),
        (b'{"csrfToken": "x"}', "next-auth.csrf-token=; Path=/", "set no CSRF cookie"),
        (b'{"csrfToken": 7}', COOKIES[0], "a csrfToken was expected"),
        (b"[]", COOKIES[0], "a csrfToken was expected"),
    ],
)
def test_half_a_csrf_is_a_wrong_answer(body: bytes, cookie: str, message: str) -> None:
    with (
        Server(saying(answer(body, head=f"Set-Cookie: {cookie}"))) as server,
        pytest.raises(WrongAnswer, match=message),
    ):
        SignInClient(SignIn(), http(server)).csrf()


def test_a_missing_secret_is_a_wrong_answer_with_its_message() -> None:
    body = b'{"message":"There is a problem with the server configuration."}'
    with Server(saying(answer(body, "500 Oops"))) as server:
        client = SignInClient(SignIn(), http(server))
        asked: list[Callable[[], object]] = [client.providers, client.csrf, lambda: client.session("x")]
        for ask in asked:
            with pytest.raises(WrongAnswer, match="problem with the server configuration"):
                ask()


def test_a_session_is_asked_for_by_its_cookie() -> None:
    with Server(nextauth(COOKIES[0])) as server:
        client = SignInClient(SignIn(), http(server))
        assert client.session("s3ss10n").user == {"name": "T"}
        assert client.session(None).user is None


def test_cookies_that_no_header_could_carry_back_are_left_out() -> None:
    lines = (
        "Set-Cookie: a=1; Path=/\r\nSet-Cookie: =x\r\nSet-Cookie: b\r\nSet-Cookie: c=\xe9\r\nSet-Cookie: a=2"
    )
    with Server(saying(answer(b"", head=lines))) as server:
        assert cookies_set(http(server).get("/").headers) == {"a": "2"}


@pytest.fixture
def received() -> Iterator[tuple[Server, list[bytes]]]:
    """A webhook endpoint that waits for the whole body."""
    whole: list[bytes] = []

    def behave(peer: Peer) -> None:
        asked = peer.hear()
        length = int(head_of(asked)["content-length"])
        while len(asked.split(b"\r\n\r\n", 1)[1]) < length:
            asked += peer.line.recv(65_536)
        whole.append(asked)
        peer.say(answer(b'{"received":true}'))

    with Server(behave) as server:
        yield server, whole


def test_deliveries_are_signed_as_stripe_verifies_them(received: tuple[Server, list[bytes]]) -> None:
    server, whole = received
    client = PaymentsClient(Payments(webhook_secret=credential(SECRET)), http(server), livemode=False)
    for signing in Signing:
        assert client.deliver(signing).status == 200
    verdicts: dict[Signing, str] = {}
    ids: set[str] = set()
    for signing, asked in zip(Signing, whole, strict=True):
        assert asked.startswith(b"POST /api/payment/webhook ")
        body = asked.split(b"\r\n\r\n", 1)[1]
        ids.add(json.loads(body)["id"])
        try:
            event = stripe.Webhook.construct_event(body, head_of(asked).get("stripe-signature", ""), SECRET)
        except stripe.SignatureVerificationError as refused:
            verdicts[signing] = str(refused)
        else:
            verdicts[signing] = f"{event.type} {event.livemode}"
    assert verdicts[Signing.GOOD] == "kamiyo_verify.ping False"
    assert "No signatures found matching" in verdicts[Signing.BAD]
    assert "outside the tolerance" in verdicts[Signing.STALE]
    assert "stripe-signature" not in head_of(whole[[*Signing].index(Signing.MISSING)])
    assert len(ids) == len(Signing)


def test_an_echoed_secret_is_masked_in_every_spelling() -> None:
    def echo(peer: Peer) -> None:
        if peer.line.recv(65_536, socket.MSG_PEEK).startswith(
            (b"GET /api/auth/csrf", b"GET /api/auth/providers")
        ):
            nextauth(COOKIES[0])(peer)
        else:
            echoing(peer)

    with Server(echo) as server:
        refused = SignInClient(SignIn(), http(server)).sign_in("t@example.com", PASSWORD)
        told = refused.answer.mismatch("200") + refused.answer.request_id
        asked = api(server).get("/x", token=KEY)
    told += asked.mismatch("200") + asked.request_id
    assert "***" in told
    for spelling in (PASSWORD, quote(PASSWORD), quote(PASSWORD).replace("%20", "+"), KEY, "t@example.com"):
        assert spelling not in told
