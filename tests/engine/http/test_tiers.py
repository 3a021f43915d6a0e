"""Which tier a key has is read from the platform; a key does not try what its tier has not."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from kamiyo_platform.api import ApiClient
from kamiyo_verify.config.environment import Api, Environment
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.http.throttle import Throttle
from kamiyo_verify.model.outcomes import NoAnswer, NotApplicable
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.services import ServiceSettings
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Impact, Part, Phase, Tier
from tests.platform.test_clients import KEY, http
from tests.support.hostile_server import Server, answer, saying

REALTIME = Item(
    id="postdeploy.websocket",
    title="t",
    section="s",
    phase=Phase.POSTDEPLOY,
    impact=Impact.FEATURE,
    part=Part.REALTIME,
)

SERVICES = {
    "api": ServiceSettings(url="https://api.example"),
    "frontend": ServiceSettings(url="https://example.com"),
}


def environment(tier: Tier) -> Environment:
    key = Credential(name="KEY", value=SecretStr(KEY))
    api = Api(key=key, tier=tier)
    return Environment(name="prod", api=api, services=SERVICES)


@pytest.mark.parametrize("tier", list(Tier))
def test_live_updates_are_checked_only_for_a_tier_that_has_them(tier: Tier) -> None:
    found = obstacle(REALTIME, ["api.key"], "", environment(tier))
    if tier in {Tier.ANONYMOUS, Tier.FREE}:
        assert isinstance(found, NotApplicable)
        assert f'a key of the tier "{tier}" has no live updates' in str(found)
    else:
        assert found is None


def api(server: Server) -> ApiClient:
    key = Credential(name="KEY", value=SecretStr(KEY))
    return ApiClient(Api(key=key, tier=Tier.TEAM), http(server))


def test_a_429_that_names_a_lower_tier_shows_that_the_key_is_not_honoured() -> None:
    head = "Retry-After: 3600\r\nX-RateLimit-Tier: free"
    with Server(saying(answer(b"{}", "429 Too Many Requests", head))) as server:
        assert api(server).tier() == "free"


def test_a_429_that_names_no_tier_says_nothing_of_the_key() -> None:
    limited = saying(answer(b"{}", "429 Too Many Requests", "Retry-After: 3600"))
    with Server(limited) as server, pytest.raises(NoAnswer, match="asks to wait"):
        api(server).tier()


def test_the_tier_of_each_caller_is_remembered_by_itself() -> None:
    limits = Throttle()
    limits.note_tier("https://a", "one", {"x-ratelimit-tier": " team "})
    limits.note_tier("https://a", "one", {})
    limits.note_tier("https://a", "", {"x-ratelimit-tier": "anonymous"})
    assert limits.tier_of("https://a", "one") == "team"
    assert limits.tier_of("https://a", "") == "anonymous"
    assert limits.tier_of("https://b", "one") == ""
