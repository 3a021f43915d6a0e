"""The calls that a careful engineer would make of a misbehaving platform, from its outside.

Others stand in test_outages.py (silence of 5 s and for good, broken halves, 4 and 40 % of errors, one 404,
hangs), test_faults.py (contradicting counts), test_database_stories.py (rows gone) and test_pace.py
(production's pace).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs import EXHAUSTIVE, Ran, brief_environment, variables, verify
from tests.e2e.stage import Stage, outage_of, staged
from tests.support.misbehaving_proxy import Fate, Reply
from tests.support.sandbox_process import Sandbox, started, wait_until
from tests.support.stopwatch import Stopwatch

STALE = {
    "SANDBOX_API_KEY": "postdeploy",
    "SANDBOX_ADMIN_KEY": "postdeploy",
    "SANDBOX_NEXTAUTH_SECRET": "postdeploy",
    "SANDBOX_SESSION_TOKEN": "postdeploy",
    "SANDBOX_EMAIL": "postdeploy",
    "SANDBOX_PASSWORD": "postdeploy",
    "SANDBOX_WEBHOOK_SECRET": "postdeploy",
    "SANDBOX_DATABASE_URL": "postdeploy",
    "SANDBOX_RENDER_API_KEY": "postdeploy",
    "SANDBOX_SENTRY_AUTH_TOKEN": "postdeploy",
    "SANDBOX_STATUSPAGE_API_KEY": "postdeploy",
    "SANDBOX_STRIPE_API_KEY": "preflight",
    "SANDBOX_GITHUB_TOKEN": "preflight",
    "SANDBOX_PAGERDUTY_TOKEN": "preflight",
}
"""Each credential of the sandbox, and a phase that uses it."""

ALWAYS = {"SANDBOX_API_KEY", "SANDBOX_PASSWORD"}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5") as sandbox:
        yield sandbox


@pytest.fixture
def stage(running: Sandbox, tmp_path: Path) -> Iterator[Stage]:
    with staged(running, tmp_path) as stage:
        yield stage


def clauses(ran: Ran) -> set[str]:
    return {reason["clause"] for reason in ran.verdict["reasons"]}


def stale(value: str) -> str:
    """A credential of the same form that nobody issued; of an address only the password is."""
    account, at, host = value.rpartition("@")
    return f"{account[:-4]}zzzz{at}{host}" if "://" in value else f"{value[:-4]}zzzz"


def test_every_credential_of_the_sandbox_goes_stale_here(running: Sandbox) -> None:
    public = {"SANDBOX_SENTRY_DSN"}
    assert set(running.launched["credentials"]) - public == set(STALE)


@pytest.mark.parametrize(
    "variable", [name if name in ALWAYS else pytest.param(name, marks=EXHAUSTIVE) for name in STALE]
)
def test_a_stale_credential_is_named_and_nothing_is_rolled_back(variable: str, stage: Stage) -> None:
    value = stage.sandbox.launched["credentials"][variable]
    phase = STALE[variable]
    if phase == "preflight":  # which compares the platform's own addresses with those of the environment
        environment = brief_environment(stage.folder, stage.sandbox)
        known = {**variables(stage.sandbox), variable: stale(value)}
        ran = verify(stage.report, "-m", phase, f"--env={environment}", variables=known)
    else:
        ran = stage.verify(mark=phase, given={variable: stale(value)})

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert variable in ran.verdict["next_step"], ran.output


@EXHAUSTIVE
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_twenty_seconds_of_silence_are_an_outage_and_no_rollback(service: str, stage: Stage) -> None:
    getattr(stage, service).breaks(Fate.SILENT, after=6, seconds=20)
    ran = stage.verify(answer="2", final_after_s="25", at_most_s="60")

    assert ran.code in {0, 10}, ran.output
    outage = outage_of(ran, service)
    assert 18 <= float(str(outage["seconds"])) <= 26, outage
    assert outage["ended_at"], outage
    assert f"{service} did not answer properly for" in ran.output


@EXHAUSTIVE
def test_a_website_that_is_silent_for_good_is_rolled_back(stage: Stage) -> None:
    stage.frontend.breaks(Fate.SILENT, after=6)
    ran = stage.verify(answer="1")

    assert (ran.call, ran.code) == ("roll_back", 20), ran.output
    assert not outage_of(ran, "frontend")["ended_at"]


@EXHAUSTIVE
@pytest.mark.parametrize(
    ("method", "calls"),
    [
        ("GET", {"fix_forward"}),
        # A request that changes something is not sampled: where one failed, its share stays unknown.
        ("", {"fix_forward", "inconclusive"}),
    ],
)
def test_four_percent_of_the_websites_errors_are_repaired(method: str, calls: set[str], stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, method=method, every=25, reply=Reply(502))
    ran = stage.verify(mark="postdeploy", per_minute="30000", at_most_s="60", requests="600", seconds="30")

    assert ran.call in calls, ran.output


@EXHAUSTIVE
@pytest.mark.parametrize("path", ["/chains", "/stats", "/exploits"])
def test_one_404_of_the_api_is_no_ground(path: str, stage: Stage) -> None:
    stage.api.breaks(Fate.STATUS, path=path, most=1, reply=Reply(404))
    ran = stage.verify()

    assert (ran.call, ran.code) == ("proceed", 0), ran.output


@pytest.mark.parametrize("status", [500, pytest.param(404, marks=EXHAUSTIVE)])
def test_a_dead_endpoint_is_judged_as_what_it_serves(status: int, stage: Stage) -> None:
    stage.api.breaks(Fate.STATUS, path="/stats", reply=Reply(status))
    ran = stage.verify(mark="postdeploy")

    assert ran.code in {10, 20}, ran.output
    assert "GET /stats" in ran.verdict["headline"], ran.output


@EXHAUSTIVE
def test_a_locked_test_account_is_ours(stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, path="/api/auth/callback/credentials", method="POST", reply=Reply(403))
    ran = stage.verify()

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert "SANDBOX_PASSWORD" in ran.output


@pytest.mark.parametrize("at", ["confirming", pytest.param("checking", marks=EXHAUSTIVE)])
def test_what_had_failed_before_a_signal_is_named(at: str, stage: Stage) -> None:
    stage.frontend.breaks(Fate.STATUS, path="/api/payment/webhook", reply=Reply(500))
    if at == "checking":
        stage.api.breaks(Fate.SILENT, path="/stats")
    with stage.begun(final_after_s="60", at_most_s="90", answer="15") as process:
        evidence = stage.report / "evidence.jsonl"
        told = '"kind": "result", "item": "postdeploy.stripe-webhook"'
        wait_until(lambda: evidence.exists() and told in evidence.read_text(), 60)
        if at == "confirming":
            broken = stage.frontend.paths
            wait_until(lambda: broken["/api/payment/webhook"] > 9, 60)
        watch = Stopwatch()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    ran = Ran(process.returncode, output, stage.report)

    assert ran.code in {20, 30}, ran.output
    assert "postdeploy.stripe-webhook" in {reason["item"] for reason in ran.verdict["reasons"]}, ran.output
    assert watch.seconds < 20, ran.output


def test_one_of_three_ways_to_sign_in_is_a_feature(stage: Stage) -> None:
    ran = stage.verify(providers='["google", "credentials", "github"]')

    assert (ran.call, ran.code) == ("fix_forward", 10), ran.output
    assert ran.red == {"postdeploy.auth-every-provider"}
    assert "missing: github" in ran.output


@EXHAUSTIVE
def test_without_any_way_to_sign_in_it_is_rolled_back(stage: Stage) -> None:
    ran = stage.verify(providers='["github", "gitlab"]')

    assert (ran.call, ran.code) == ("roll_back", 20), ran.output
    assert clauses(ran) == {"authentication broken completely"}
