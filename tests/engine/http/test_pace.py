"""A key of a scarce tier: paced from the first request, checks before samples, told before the run starts."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import kamiyo_platform.sampling  # noqa: F401 - registers its tasks
from kamiyo_verify.hooks.background import TASKS
from kamiyo_verify.http.throttle import Throttle
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.words import Tier
from tests.e2e.runs import verify
from tests.engine.http.test_tiers import environment
from tests.support.sandbox_process import HOUSE

API = "https://api.example"


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def paced(clock: Clock, per_minute: int = 10) -> Throttle:
    return Throttle(clock=clock, sleep=clock.sleep, paces={API: per_minute})


@pytest.mark.parametrize("per_minute", [1, 7, 10])
def test_no_minute_holds_more_requests_than_the_tier_allows_in_two_of_its_windows(
    clock: Clock, per_minute: int
) -> None:
    """A bucket that is full at first lets through its size and what comes back: nowhere more, and no 429."""
    throttle, sent = paced(clock, per_minute), list[float]()
    for _ in range(4 * per_minute):
        throttle.admit(API, "key", "/exploits", 1000.0)
        sent.append(clock.now)

    assert sent[:per_minute] == [0.0] * per_minute
    later = list(itertools.pairwise(sent[per_minute - 1 :]))
    assert all(after - before == pytest.approx(60 / per_minute) for before, after in later)


def test_what_does_not_fit_the_items_time_is_not_sent_and_costs_nothing(clock: Clock) -> None:
    throttle = paced(clock)
    for _ in range(10):
        throttle.admit(API, "key", "/exploits", 30.0)
    for _ in range(5):
        with pytest.raises(NoAnswer, match="our key may send 10 requests a minute") as refused:
            throttle.admit(API, "key", "/exploits", 3.0)
        assert refused.value.kind is NoAnswerKind.RATE_LIMITED
    throttle.admit(API, "key", "/exploits", 30.0)

    assert clock.now == pytest.approx(6.0)


def test_exempt_paths_other_callers_and_other_origins_are_not_held_up(clock: Clock) -> None:
    throttle = paced(clock, 1)
    throttle.admit(API, "key", "/exploits", 30.0)
    for caller, origin, path in [
        ("key", API, "/health"),
        ("key", API, "/ready?verbose=1"),
        ("", API, "/exploits"),
        ("key", "https://example.com", "/"),
    ]:
        throttle.admit(origin, caller, path, 30.0)

    assert clock.now == 0


@pytest.mark.parametrize("tier", list(Tier))
def test_samples_are_left_out_where_the_checks_need_every_request(tier: Tier) -> None:
    assert tier.scarce is (tier in {Tier.ANONYMOUS, Tier.FREE})
    if tier.scarce:
        task = TASKS["sampled_api"].task
        nothing = dict.fromkeys(("stopping_rule", "context", "say", "stop"))
        with pytest.raises(Unverified, match=f"{tier.per_hour} requests an hour, and the checks take them"):
            task(environment=environment(tier), **nothing)


@pytest.mark.parametrize("tier", ["free", "team"])
def test_the_plan_says_how_long_the_allowance_makes_the_run_and_what_it_leaves_out(
    tier: str, tmp_path: Path
) -> None:
    text = (HOUSE / "environments" / "prod.toml").read_text(encoding="utf-8")
    assert 'tier = "team"' in text
    file = tmp_path / "tiers.toml"
    file.write_text(text.replace('tier = "team"', f'tier = "{tier}"'), encoding="utf-8")
    ran = verify(tmp_path / "r", "-m", "postdeploy", "--plan", f"--env={file}")
    told = [line for line in ran.output.splitlines() if line.startswith("allowance:")]

    if tier == "team":
        assert told == []
        return
    [line] = told
    assert 'a key of the tier "free" may send 10 requests a minute and 42 an hour' in line
    assert "and waits about" in line
    assert "minutes for them" in line
    for left_out in ("postdeploy.websocket", "performance.api-response-time", "performance.error-rate"):
        assert left_out in line.partition("leaves out")[2]
