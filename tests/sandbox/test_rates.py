"""The sandbox's rate limits are those of the real platform."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.callers import KEYED, Caller, Tier
from sandbox.platform import Secrets
from sandbox.rates import LIMITS, Limiter
from tests.support.sandbox_process import Sandbox, started

NOON = 1_780_000_000.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started() as running:
        yield running


def caller(tier: Tier, name: str = "someone") -> Caller:
    return Caller(name, tier, tier)


@pytest.mark.parametrize("tier", list(Tier))
def test_a_minute_holds_as_many_as_the_tier_allows(tier: Tier) -> None:
    limiter, allowed = Limiter(), LIMITS[tier][0]
    quotas = [limiter.take(caller(tier), NOON) for _ in range(allowed + 1)]
    assert [quota.wait_s > 0 for quota in quotas] == [False] * allowed + [True]
    assert [quota.remaining for quota in quotas[:2]] == [allowed - 1, allowed - 2]


def test_tokens_come_back_evenly() -> None:
    limiter = Limiter()
    quota = [limiter.take(caller(Tier.ANONYMOUS), NOON) for _ in range(11)][-1]
    assert quota.wait_s == 6
    assert limiter.take(caller(Tier.ANONYMOUS), NOON + 5).wait_s == 1
    assert limiter.take(caller(Tier.ANONYMOUS), NOON + 6).wait_s == 0


def test_the_hour_limits_too() -> None:
    limiter = Limiter()
    quotas = [limiter.take(caller(Tier.FREE), NOON + 10 * n) for n in range(60)]
    refused = [quota for quota in quotas if quota.wait_s]
    assert refused
    assert refused[0].limit == LIMITS[Tier.FREE][1]


def test_a_refused_request_costs_nothing() -> None:
    limiter = Limiter()
    for _ in range(50):
        limiter.take(caller(Tier.ANONYMOUS), NOON)
    assert limiter.take(caller(Tier.ANONYMOUS), NOON + 6).wait_s == 0


def test_callers_do_not_share_a_bucket() -> None:
    limiter = Limiter()
    for _ in range(11):
        limiter.take(caller(Tier.ANONYMOUS, "one"), NOON)
    assert limiter.take(caller(Tier.ANONYMOUS, "other"), NOON).wait_s == 0


@pytest.mark.parametrize("tier", KEYED)
def test_each_key_is_known_by_its_tier(sandbox: Sandbox, tier: Tier) -> None:
    key = Secrets(api_key=sandbox.secret("API_KEY")).tier_key(tier)
    answer = sandbox.get("/chains", key=key)
    assert answer.headers["X-RateLimit-Tier"] == tier
    assert answer.headers["X-RateLimit-Limit"] == str(LIMITS[tier][0])
    assert sandbox.ask("GET", "/chains", Authorization=f"Bearer {key}").headers["X-RateLimit-Tier"] == tier


def test_an_unknown_key_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.get("/chains", key="km_nobody").status_code == 401


def test_strangers_are_stopped_and_told_when_to_return(sandbox: Sandbox) -> None:
    answers = [sandbox.ask("GET", "/chains", X_Forwarded_For="hasty") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    told = answers[-1].headers
    assert told["X-RateLimit-Tier"] == "anonymous"
    assert told["X-RateLimit-Remaining"] == "0"
    assert 1 <= int(told["Retry-After"]) <= 6
    assert "X-RateLimit-Reset" in told
    assert set(answers[-1].json()) == {"error", "detail"}


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_is_never_limited(sandbox: Sandbox, path: str) -> None:
    answers = [sandbox.ask("GET", path, X_Forwarded_For="watchful") for _ in range(15)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers
