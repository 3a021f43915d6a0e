"""Parts that a platform or a plan does not have, as people report them: passwords, live updates.

Each case is named by the public report that it comes from. What is not there is not applicable: it is no
failure.
"""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr
from websockets.sync.server import ServerConnection

from kamiyo_platform.realtime import RealtimeClient
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.nextauth.client import SignInClient
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import ImproperAnswer, NotApplicable, Refused
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Tier
from tests.engine.http.test_tiers import REALTIME, environment
from tests.platform.test_clients import http
from tests.platform.test_realtime import client, frame, platform
from tests.support.hostile_server import Server, answer, saying

Report = pytest.param


def offering(**types: str) -> Server:
    """A site whose /api/auth/providers lists these, each with its type."""
    listed = {name: {"id": name, "name": name.title(), "type": kind} for name, kind in types.items()}
    urls = {"signinUrl": "https://x/api/auth/signin", "callbackUrl": "https://x/api/auth/callback"}
    return Server(saying(answer(json.dumps({name: one | urls for name, one in listed.items()}).encode())))


@pytest.mark.parametrize(
    "types",
    [
        Report({"google": "oauth"}, id="nextauthjs/next-auth#9061"),
        Report({"oauth": "oauth"}, id="sinamics/ztnet#266"),
        Report({"google": "oidc", "email": "email"}, id="becs-n-bytes/logomotion#13"),
        Report(
            {"discord": "oauth", "github": "oauth", "google": "oidc", "email": "email"},
            id="WarsWorld/WarsWorld#93",
        ),
    ],
)
def test_a_site_that_lists_no_password_provider_has_no_password_sign_in(types: dict[str, str]) -> None:
    """TEST_EMAIL and TEST_PASSWORD may be set all the same: nothing is sent with them."""
    with offering(**types) as server:
        site = SignInClient(SignIn(), http(server))
        for check in (site.sign_in_as_test_account, site.try_wrong_password):
            with pytest.raises(NotApplicable, match=f"by {', '.join(types)} only: it takes no passwords"):
                check()
    assert not any(b"callback" in asked.split(b"\r\n", 1)[0] for asked in server.asked)


def test_a_site_that_lists_a_password_provider_among_others_has_password_sign_in() -> None:
    """nextauthjs/next-auth#3130."""
    with offering(credentials="credentials", github="oauth", facebook="oauth") as server:
        assert SignInClient(SignIn(), http(server)).password_provider() == "credentials"


def test_a_site_that_lists_no_provider_at_all_lets_nobody_sign_in() -> None:
    """vercel/kirimase#31: no provider was chosen, and the page of sign-in leads to an error."""
    with offering() as server, pytest.raises(ImproperAnswer, match="nobody can sign in"):
        SignInClient(SignIn(), http(server)).password_provider()


@pytest.mark.parametrize("tier", [Tier.FREE, Tier.ANONYMOUS])
def test_live_updates_that_the_plan_does_not_include_are_not_checked(tier: Tier) -> None:
    """massive-com/client-js#290, alpacahq/alpaca-trade-api-js#188 and openai/openai-realtime-console#4."""
    found = obstacle(REALTIME, ["api.key"], "", environment(tier))
    assert isinstance(found, NotApplicable)
    assert "has no live updates" in str(found)


def test_a_stream_that_only_says_that_the_plan_lacks_it_has_no_heartbeat() -> None:
    """alpacahq/alpaca-trade-api-js#188: it opens, and answers "insufficient subscription"."""

    def handler(line: ServerConnection) -> None:
        line.send(frame("error", code=409, msg="insufficient subscription"))
        list(line)

    with platform(handler) as url, client(url).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=0.3)
    assert not beat.received
    assert set(beat.seen) <= {"error"}


def test_a_key_whose_plan_is_too_low_is_refused_by_the_reason_that_the_api_shows() -> None:
    """openai/openai-realtime-api-beta#2: 403 before the stream opens, for a key that the API serves."""
    context = ClientContext.unrecorded(Timeouts(connect=5, answer=5), lambda: 30.0)
    key = Credential(name="KEY", value=SecretStr("canary"))
    with Server(saying(answer(b"", "403 Forbidden"))) as server:
        url = f"ws://127.0.0.1:{server.port}/ws"
        stream = RealtimeClient(url, key, context, served_as=lambda: "free")
        with pytest.raises(Refused, match="serves this key as free, so that tier has no live updates"):
            stream.connect().__enter__()


def test_a_stream_that_is_closed_for_the_plan_refuses_the_key() -> None:
    """massive-com/client-js#290: connected, told that the plan lacks it, and closed."""

    def handler(line: ServerConnection) -> None:
        line.send(frame("status", message="Your plan doesn't include websocket access."))
        line.close(4003)

    with platform(handler) as url, client(url).connect() as stream, pytest.raises(Refused) as caught:
        stream.wait_for("heartbeat", within_seconds=5)
    assert caught.value.refusal.kind is RefusalKind.WRONG_TIER
