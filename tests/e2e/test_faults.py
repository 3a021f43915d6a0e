"""Every fault gets the call that it deserves, and every check has a fault that turns it red."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.runs import CANARIES, EXHAUSTIVE, brief_environment, variables, verify
from tests.support.sandbox_process import HOUSE, Sandbox, request, started

BEAT_S = 0.5


@dataclass(frozen=True, slots=True)
class Expected:
    """What a fault must lead to.

    Attributes:
        call: the recommendation.
        impacts: every impact here is among those of the reasons.
        red: these items are failed or error; others may be too.
    """

    call: str
    impacts: tuple[str, ...]
    red: tuple[str, ...]


CORE, DATA, AUTH, PAYMENTS, SECURITY = ("core",), ("data",), ("auth",), ("payments",), ("security",)
FEATURE, PERFORMANCE = ("feature",), ("performance",)

DESERTS = {
    "api-down": Expected("roll_back", CORE, ("postdeploy.api-health", "performance.error-rate")),
    "api-errors": Expected("roll_back", CORE, ("postdeploy.exploits-served", "performance.error-rate")),
    "api-not-ready": Expected("roll_back", CORE, ("postdeploy.api-readiness", "postdeploy.status-script")),
    "frontend-down": Expected(
        "roll_back", CORE, ("postdeploy.frontend-loads", "performance.frontend-error-rate")
    ),
    "frontend-blank": Expected(
        "roll_back", CORE, ("postdeploy.frontend-loads", "postdeploy.dashboard-loads")
    ),
    "frontend-proxy-broken": Expected("roll_back", CORE, ("postdeploy.frontend-health-proxy",)),
    "dashboard-broken": Expected("roll_back", CORE, ("postdeploy.dashboard-loads",)),
    "database-down": Expected(
        "roll_back", CORE, ("postdeploy.database-direct", "postdeploy.exploits-listed")
    ),
    "health-degraded": Expected("roll_back", CORE, ("postdeploy.api-health",)),
    "exploits-malformed": Expected("roll_back", CORE, ("postdeploy.exploits-served",)),
    "exploits-vanished": Expected(
        "roll_back", (*CORE, *DATA), ("postdeploy.data-present", "postdeploy.exploits-listed")
    ),
    "details-broken": Expected("roll_back", CORE, ("postdeploy.exploit-details",)),
    "migration-failed": Expected("roll_back", DATA, ("postdeploy.migrations-applied",)),
    "half-migrated": Expected("roll_back", DATA, ("postdeploy.migrations-applied",)),
    "unapplied-release": Expected("roll_back", DATA, ("postdeploy.migrations-applied",)),
    "counts-contradict": Expected("roll_back", DATA, ("postdeploy.data-present",)),
    "records-damaged": Expected("roll_back", DATA, ("postdeploy.records-whole",)),
    "auth-misconfigured": Expected("roll_back", AUTH, ("postdeploy.auth-csrf", "postdeploy.auth-providers")),
    "auth-wrong-url": Expected("roll_back", AUTH, ("postdeploy.auth-origin",)),
    # Refused credentials of ours: without a run that accepted them before, nobody knows whose fault it is.
    "auth-wrong-secret": Expected("inconclusive", AUTH, ("postdeploy.auth-secret",)),
    "auth-provider-missing": Expected(
        "roll_back", AUTH, ("postdeploy.auth-providers", "postdeploy.auth-every-provider")
    ),
    "sign-in-page-missing": Expected("roll_back", AUTH, ("postdeploy.sign-in-page",)),
    "sign-in-broken": Expected("inconclusive", AUTH, ("postdeploy.credentials-accepted",)),
    "sessions-lost": Expected("roll_back", AUTH, ("postdeploy.session-recognised",)),
    "wrong-password-accepted": Expected("roll_back", SECURITY, ("postdeploy.wrong-password-refused",)),
    "webhook-wrong-secret": Expected("inconclusive", PAYMENTS, ("postdeploy.stripe-webhook",)),
    "webhook-unsigned-accepted": Expected("roll_back", SECURITY, ("postdeploy.stripe-webhook-refuses",)),
    "cors-any-origin": Expected("roll_back", SECURITY, ("postdeploy.cors-foreign-origin",)),
    "cors-own-origin-refused": Expected("roll_back", CORE, ("postdeploy.cors-own-origins",)),
    "errors-leak-internals": Expected("roll_back", SECURITY, ("postdeploy.errors-leak-nothing",)),
    "admin-open": Expected("roll_back", SECURITY, ("postdeploy.admin-closed",)),
    "websocket-refused": Expected(
        "fix_forward", FEATURE, ("postdeploy.websocket", "postdeploy.websocket-heartbeat")
    ),
    "websocket-silent": Expected("fix_forward", FEATURE, ("postdeploy.websocket-heartbeat",)),
    "filter-broken": Expected(
        "fix_forward", FEATURE, ("postdeploy.filter-by-chain", "postdeploy.filter-by-protocol")
    ),
    "subscribe-broken": Expected("fix_forward", FEATURE, ("postdeploy.subscribe-to-alerts",)),
    "api-key-ignored": Expected("inconclusive", FEATURE, ("postdeploy.api-key-honoured",)),
    "security-headers-missing": Expected("fix_forward", FEATURE, ("postdeploy.security-headers",)),
    "sentry-fatal": Expected("fix_forward", FEATURE, ("postdeploy.sentry-quiet",)),
    "error-spike": Expected("fix_forward", FEATURE, ("postdeploy.sentry-no-spike",)),
    "sentry-regression": Expected("fix_forward", FEATURE, ("postdeploy.sentry-no-regression",)),
    "log-errors": Expected(
        "fix_forward", FEATURE, ("postdeploy.api-log-quiet", "postdeploy.frontend-log-quiet")
    ),
    "real-users-errors": Expected("fix_forward", FEATURE, ("postdeploy.real-traffic",)),
    "status-page-not-operational": Expected(
        "fix_forward", ("process",), ("postdeploy.status-page-operational",)
    ),
    "slow": Expected("fix_forward", PERFORMANCE, ("performance.api-response-time", "performance.api-timing")),
    "frontend-slow": Expected(
        "fix_forward", PERFORMANCE, ("performance.frontend-first-byte", "performance.frontend-timing")
    ),
    "slow-queries": Expected("fix_forward", PERFORMANCE, ("performance.slow-queries",)),
    "slow-a-little": Expected("proceed", (), ()),
    "rate-limited": Expected("inconclusive", CORE, ("postdeploy.exploits-served",)),
}
"""Those of the post-deployment phase that lead to one call. The others have tests of their own below."""


def browser(*items: str) -> tuple[str, ...]:
    return tuple(f"postdeploy.browser-{item}" for item in items)


BROWSER_DESERTS = {
    "frontend-script-error": Expected(
        "roll_back",
        (*CORE, *AUTH),
        browser("dashboard", "details", "subscribe", "sign-in", "signed-out", "scripts"),
    ),
    "dashboard-empty": Expected("roll_back", CORE, browser("dashboard", "details")),
    "filter-broken-in-page": Expected("fix_forward", FEATURE, browser("filter-chain", "filter-protocol")),
    "asset-missing": Expected("fix_forward", FEATURE, browser("requests")),
    "cors-own-origin-refused": Expected("roll_back", CORE, browser("dashboard", "requests")),
    "sign-in-page-missing": Expected("roll_back", AUTH, browser("sign-in-page", "sign-in")),
    "sessions-lost": Expected("roll_back", AUTH, browser("sign-in", "dashboard")),
    "websocket-refused": Expected("fix_forward", FEATURE, browser("subscribe")),
    "frontend-slow": Expected("fix_forward", PERFORMANCE, ("performance.browser-load-time",)),
    "rate-limited": Expected("inconclusive", CORE, browser("dashboard")),
}
"""What only pages show, and what they show of other faults: each walked with a browser."""

LOAD_DESERTS = {
    "frontend-saturated": Expected(
        "fix_forward",
        PERFORMANCE,
        ("performance.load-throughput", "performance.load-p95", "performance.load-knee"),
    ),
    "frontend-overloaded": Expected(
        "fix_forward", PERFORMANCE, ("performance.load-throughput", "performance.load-errors")
    ),
}
"""What only load shows."""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", str(BEAT_S), environment=CANARIES) as sandbox:
        yield sandbox


@pytest.fixture
def fresh(running: Sandbox) -> Sandbox:
    """The running sandbox, healthy again, with full allowances."""
    request("DELETE", f"{running.control}/faults").raise_for_status()
    return running


ALWAYS = {
    "api-down",
    "exploits-vanished",
    "auth-misconfigured",
    "webhook-wrong-secret",
    "cors-any-origin",
    "websocket-silent",
    "slow-a-little",
    "rate-limited",
}
"""One fault of each impact, and those that must not lead to a rollback."""


@pytest.mark.parametrize(
    "fault", [fault if fault in ALWAYS else pytest.param(fault, marks=EXHAUSTIVE) for fault in DESERTS]
)
def test_a_fault_gets_the_call_that_it_deserves(fault: str, fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh)
    with fresh.fault(fault):
        ran = verify(tmp_path / "r", "-m", "postdeploy", f"--env={environment}", variables=variables(fresh))

    deserved = DESERTS[fault]
    assert ran.leaks == []
    assert ran.call == deserved.call, ran.output
    assert set(deserved.red) <= ran.red, ran.output
    assert set(deserved.impacts) <= ran.impacts, ran.output


@EXHAUSTIVE
def test_slow_answers_of_real_users_show_and_roll_nothing_back(fresh: Sandbox, tmp_path: Path) -> None:
    """Of a release that has been live for five minutes and more: fewer percentiles by minute show nothing."""
    environment = brief_environment(tmp_path, fresh)
    request("POST", f"{fresh.control}/scenes/followup").raise_for_status()
    with fresh.fault("real-users-slow"):
        ran = verify(tmp_path / "r", "-m", "postdeploy", f"--env={environment}", variables=variables(fresh))
    request("POST", f"{fresh.control}/scenes/postdeploy").raise_for_status()

    assert "postdeploy.real-traffic" in ran.red, ran.output
    assert ran.call not in {"proceed", "roll_back"}, ran.output


def test_without_a_fault_everything_passes(fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh)
    ran = verify(tmp_path / "r", "-m", "postdeploy", f"--env={environment}", variables=variables(fresh))

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert ran.leaks == []
    checked = items_checked("postdeploy") | items_checked("performance")
    not_asked_for = {item: "not_applicable" for item in checked if "load-" in item and "browser" not in item}
    expected = {item: "not_applicable" if "browser" in item else "passed" for item in checked}
    expected |= not_asked_for
    assert {item: ran.statuses[item] for item in checked} == expected


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", LOAD_DESERTS)
def test_what_only_load_shows_gets_the_call_that_it_deserves(
    fault: str, fresh: Sandbox, tmp_path: Path
) -> None:
    environment = brief_environment(tmp_path, fresh)
    select = ("-m", "performance", f"--env={environment}", "--load")
    with fresh.fault(fault):
        ran = verify(tmp_path / "r", *select, variables=variables(fresh))

    deserved = LOAD_DESERTS[fault]
    assert ran.leaks == []
    assert ran.call == deserved.call, ran.output
    assert set(deserved.red) <= ran.red, ran.output


@pytest.mark.exhaustive
def test_a_healthy_platform_serves_its_load(fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh)
    select = ("-m", "performance", f"--env={environment}", "--load")
    ran = verify(tmp_path / "r", *select, variables=variables(fresh))

    assert ran.call == "proceed", ran.output
    loads = {item: status for item, status in ran.statuses.items() if item.startswith("performance.load-")}
    assert loads == dict.fromkeys(loads, "passed")
    assert len(loads) == 4


def test_errors_for_few_are_no_reason_to_roll_back(fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh)
    with fresh.fault("errors-two-percent"):
        ran = verify(tmp_path / "r", "-m", "postdeploy", f"--env={environment}", variables=variables(fresh))

    assert ran.call != "roll_back", ran.output


def test_when_another_commit_answers_nothing_is_known_of_this_one(fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh)
    arguments = ("-m", "postdeploy", f"--env={environment}", "--commit", "9c41d07")
    ran = verify(tmp_path / "r", *arguments, variables=variables(fresh))

    assert (ran.call, ran.code) == ("inconclusive", 30), ran.output
    assert ran.verdict["reasons"][0]["item"] == "postdeploy.commit-answering"


def test_every_check_has_a_fault_that_turns_it_red() -> None:
    deserts = (*DESERTS.values(), *BROWSER_DESERTS.values(), *LOAD_DESERTS.values())
    proven = {item for deserved in deserts for item in deserved.red} | {"postdeploy.commit-answering"}
    checked = items_checked("postdeploy") | items_checked("performance")
    assert checked <= proven, f"no fault turns these red: {sorted(checked - proven)}"


def items_checked(phase: str) -> set[str]:
    """The items that the checks of a phase name, read from their source."""
    return {
        mark.args[0].value
        for path in sorted((HOUSE / "checks" / phase).glob("test_*.py"))
        for mark in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Attribute)
        and mark.func.attr == "item"
        and isinstance(mark.args[0], ast.Constant)
        and isinstance(mark.args[0].value, str)
    }
