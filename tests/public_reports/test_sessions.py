"""Sessions of NextAuth and Auth.js as people report them: cookie names, chunks, tokens in a database.

Each case is named by the public report that it comes from. A session is learnt from what the site answers,
never from the form of its cookie: a token of the `jwt` strategy and an id of the `database` strategy are sent
alike.
"""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from kamiyo_verify.integrations.nextauth.client import SignInClient
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import ImproperAnswer, Refused, ServerBroke, Unverified
from kamiyo_verify.model.tables import Credential
from tests.platform.test_clients import HASH, TOKEN, head_of, http, providers
from tests.support.hostile_server import Behaviour, Peer, Server, answer

Report = pytest.param
JWE = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..qHgYt9VlX-SzT9Gq.ZiLfbNgxFOlKDfLJ13uEsP5x.5M0N1EEKhmbBwdh3"
DATABASE_ID = "5f0b7b9e-6d0f-4f0a-9a52-3c1d7a0e8c11"
USER = {"user": {"name": "T", "email": "t@example.com"}, "expires": "2027-01-01T00:00:00.000Z"}


def site(
    session: str,
    *,
    csrf: str = "__Host-authjs.csrf-token",
    sets: tuple[str, ...] = (),
    stranger: bytes = b"null",
) -> Behaviour:
    """A site that knows a session by one cookie, or by the chunks of one, and lets everybody in."""
    chunked = [line.partition("=")[0] for line in sets if not line.partition("=")[2].startswith(";")]

    def behave(peer: Peer) -> None:
        asked = peer.hear()
        path = asked.split(b" ", 2)[1]
        sent = dict(pair.partition("=")[::2] for pair in head_of(asked).get("cookie", "").split("; "))
        if path == b"/api/auth/providers":
            peer.say(answer(json.dumps(providers("credentials")).encode()))
        elif path == b"/api/auth/csrf":
            body = json.dumps({"csrfToken": TOKEN}).encode()
            peer.say(answer(body, head=f"Set-Cookie: {csrf}={TOKEN}%7C{HASH}; Path=/; Secure"))
        elif path == b"/api/auth/session":
            known = session in sent or (bool(chunked) and all(name in sent for name in chunked))
            peer.say(answer(json.dumps(USER).encode() if known else stranger))
        else:
            head = "\r\n".join(f"Set-Cookie: {line}; Path=/; HttpOnly" for line in sets)
            peer.say(answer(b'{"url": "https://x/"}', head=head))

    return behave


@pytest.mark.parametrize(
    "token",
    [Report(JWE, id="nextauthjs/next-auth#5744"), Report(DATABASE_ID, id="nextauthjs/next-auth#11510")],
)
@pytest.mark.parametrize(
    ("csrf", "session"),
    [
        Report(
            "__Host-authjs.csrf-token", "__Secure-authjs.session-token", id="silvertakana/worldwideview#54"
        ),
        Report("next-auth.csrf-token", "next-auth.session-token", id="nextauthjs/next-auth#7833"),
        Report(
            "__Host-next-auth.csrf-token", "__Secure-next-auth.session-token", id="nextauthjs/next-auth#8701"
        ),
    ],
)
def test_a_stored_session_is_sent_alike_whatever_strategy_made_it(
    token: str, csrf: str, session: str
) -> None:
    stored = Credential(name="TEST_SESSION_TOKEN", value=SecretStr(token))
    with Server(site(session, csrf=csrf)) as server:
        found = SignInClient(SignIn(session_token=stored), http(server)).stored_session()
    assert found.user == USER["user"]


@pytest.mark.parametrize("token", [JWE, DATABASE_ID], ids=["jwt", "database"])
@pytest.mark.parametrize("stranger", [b"{}", b"null"], ids=["next-auth", "authjs"])
def test_a_session_that_nobody_knows_is_our_own_credential_first(token: str, stranger: bytes) -> None:
    """nextauthjs/next-auth#5170 and #11506: the strategy changed, so that older cookies name nobody."""
    stored = Credential(name="TEST_SESSION_TOKEN", value=SecretStr(token))
    with Server(site("another", stranger=stranger)) as server, pytest.raises(Refused) as caught:
        SignInClient(SignIn(session_token=stored), http(server)).stored_session()
    assert caught.value.refusal.kind is RefusalKind.UNKNOWN_SESSION
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        Report(
            answer(b'{"message": "There is a problem with the server configuration"}', "500 Error"),
            ServerBroke,
            id="the database of the sessions is away",
        ),
        Report(
            answer(b"<html>Request Header Fields Too Large</html>", "431 Too Large"),
            Unverified,
            id="nextauthjs/next-auth#13186",
        ),
        Report(
            answer(b"<html>", head="Content-Type: text/html"),
            ImproperAnswer,
            id="games-on-whales/wolfmanager#40",
        ),
    ],
)
def test_an_answer_that_shows_no_session_is_no_refused_credential(
    reply: bytes, kind: type[Exception]
) -> None:
    def behave(peer: Peer) -> None:
        if b"/api/auth/csrf" in (asked := peer.hear()) and asked:
            peer.say(
                answer(
                    json.dumps({"csrfToken": TOKEN}).encode(),
                    head=f"Set-Cookie: next-auth.csrf-token={TOKEN}%7C{HASH}",
                )
            )
        else:
            peer.say(reply)

    stored = Credential(name="TEST_SESSION_TOKEN", value=SecretStr(JWE))
    with Server(behave) as server, pytest.raises(kind) as caught:
        SignInClient(SignIn(session_token=stored), http(server)).stored_session()
    assert not isinstance(caught.value, Refused)


@pytest.mark.parametrize(
    "sets",
    [
        Report(
            (
                f"__Secure-authjs.session-token.0={'a' * 3900}",
                f"__Secure-authjs.session-token.1={'b' * 2600}",
            ),
            id="psd401/aistudio#361",
        ),
        Report(
            (
                "__Secure-next-auth.session-token=; Max-Age=0",
                f"__Secure-next-auth.session-token.0={'a' * 3900}",
                "__Secure-next-auth.session-token.1=b",
            ),
            id="nextauthjs/next-auth#3101",
        ),
        Report(
            tuple(f"next-auth.session-token.{nth}={'c' * 3000}" for nth in range(3)),
            id="sidebase/nuxt-auth#725",
        ),
    ],
)
def test_a_session_in_several_cookies_is_sent_back_whole(sets: tuple[str, ...]) -> None:
    with Server(site("none", sets=sets)) as server:
        signed_in = SignInClient(SignIn(), http(server)).sign_in("t@example.com", "right")
    assert signed_in.let_in
