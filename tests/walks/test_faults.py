"""Every fault gets the call that it deserves, and every check has a fault that turns it red."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox_process import HOUSE, Sandbox, request, started
from tests.walks.runs import CANARIES, EXHAUSTIVE, brief_environment, variables, verify

BEAT_S = 0.5


@dataclass(frozen=True, slots=True)
class Deserves:
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
    "api-down": Deserves("roll_back", CORE, ("postdeploy.api-health", "performance.error-rate")),
    "api-errors": Deserves("roll_back", CORE, ("postdeploy.exploits-served", "performance.error-rate")),
    "api-not-ready": Deserves("roll_back", CORE, ("postdeploy.api-readiness", "postdeploy.status-script")),
    "frontend-down": Deserves("roll_back", CORE, ("postdeploy.frontend-loads",)),
    "frontend-blank": Deserves(
        "roll_back", CORE, ("postdeploy.frontend-loads", "postdeploy.dashboard-loads")
    ),
    "frontend-proxy-broken": Deserves("roll_back", CORE, ("postdeploy.frontend-health-proxy",)),
    "dashboard-broken": Deserves("roll_back", CORE, ("postdeploy.dashboard-loads",)),
    "database-down": Deserves(
        "roll_back", CORE, ("postdeploy.database-direct", "postdeploy.exploits-listed")
    ),
    "health-degraded": Deserves("roll_back", CORE, ("postdeploy.api-health",)),
    "exploits-malformed": Deserves("roll_back", CORE, ("postdeploy.exploits-served",)),
    "exploits-vanished": Deserves(
        "roll_back", (*CORE, *DATA), ("postdeploy.data-present", "postdeploy.exploits-listed")
    ),
    "details-broken": Deserves("roll_back", CORE, ("postdeploy.exploit-details",)),
    "migration-failed": Deserves("roll_back", DATA, ("postdeploy.migrations-applied",)),
    "auth-misconfigured": Deserves("roll_back", AUTH, ("postdeploy.auth-csrf", "postdeploy.auth-providers")),
    "auth-wrong-url": Deserves("roll_back", AUTH, ("postdeploy.auth-origin",)),
    "auth-wrong-secret": Deserves("roll_back", AUTH, ("postdeploy.auth-secret",)),
    "auth-provider-missing": Deserves("roll_back", AUTH, ("postdeploy.auth-providers",)),
    "sign-in-page-missing": Deserves("roll_back", AUTH, ("postdeploy.sign-in-page",)),
    "sign-in-broken": Deserves("roll_back", AUTH, ("postdeploy.credentials-accepted",)),
    "sessions-lost": Deserves("roll_back", AUTH, ("postdeploy.session-recognised",)),
    "wrong-password-accepted": Deserves("roll_back", SECURITY, ("postdeploy.wrong-password-refused",)),
    "webhook-wrong-secret": Deserves("roll_back", PAYMENTS, ("postdeploy.stripe-webhook",)),
    "webhook-unsigned-accepted": Deserves("roll_back", SECURITY, ("postdeploy.stripe-webhook-refuses",)),
    "cors-any-origin": Deserves("roll_back", SECURITY, ("postdeploy.cors-foreign-origin",)),
    "cors-own-origin-refused": Deserves("roll_back", CORE, ("postdeploy.cors-own-origins",)),
    "errors-leak-internals": Deserves("roll_back", SECURITY, ("postdeploy.errors-leak-nothing",)),
    "admin-open": Deserves("roll_back", SECURITY, ("postdeploy.admin-closed",)),
    "websocket-refused": Deserves(
        "fix_forward", FEATURE, ("postdeploy.websocket", "postdeploy.websocket-heartbeat")
    ),
    "websocket-silent": Deserves("fix_forward", FEATURE, ("postdeploy.websocket-heartbeat",)),
    "filter-broken": Deserves(
        "fix_forward", FEATURE, ("postdeploy.filter-by-chain", "postdeploy.filter-by-protocol")
    ),
    "subscribe-broken": Deserves("fix_forward", FEATURE, ("postdeploy.subscribe-to-alerts",)),
    "api-key-ignored": Deserves("fix_forward", FEATURE, ("postdeploy.api-key-honoured",)),
    "security-headers-missing": Deserves("fix_forward", FEATURE, ("postdeploy.security-headers",)),
    "sentry-fatal": Deserves("fix_forward", FEATURE, ("postdeploy.sentry-quiet",)),
    "error-spike": Deserves("fix_forward", FEATURE, ("postdeploy.sentry-no-spike",)),
    "sentry-regression": Deserves("fix_forward", FEATURE, ("postdeploy.sentry-no-regression",)),
    "log-errors": Deserves(
        "fix_forward", FEATURE, ("postdeploy.api-log-quiet", "postdeploy.frontend-log-quiet")
    ),
    "real-users-errors": Deserves("fix_forward", FEATURE, ("postdeploy.real-traffic",)),
    "real-users-slow": Deserves("fix_forward", FEATURE, ("postdeploy.real-traffic",)),
    "status-page-not-operational": Deserves(
        "fix_forward", ("process",), ("postdeploy.status-page-operational",)
    ),
    "slow": Deserves("fix_forward", PERFORMANCE, ("performance.api-response-time", "performance.api-timing")),
    "frontend-slow": Deserves(
        "fix_forward", PERFORMANCE, ("performance.frontend-first-byte", "performance.frontend-timing")
    ),
    "slow-queries": Deserves("fix_forward", PERFORMANCE, ("performance.slow-queries",)),
    "slow-a-little": Deserves("proceed", (), ()),
    "rate-limited": Deserves("inconclusive", CORE, ("postdeploy.exploits-served",)),
}
"""Those of the post-deployment phase that lead to one call. The others have tests of their own below."""


def browser(*items: str) -> tuple[str, ...]:
    return tuple(f"postdeploy.browser-{item}" for item in items)


BROWSER_DESERTS = {
    "frontend-script-error": Deserves(
        "roll_back",
        (*CORE, *AUTH),
        browser("dashboard", "details", "subscribe", "sign-in", "signed-out", "scripts"),
    ),
    "dashboard-empty": Deserves("roll_back", CORE, browser("dashboard", "details")),
    "filter-broken-in-page": Deserves("fix_forward", FEATURE, browser("filter-chain", "filter-protocol")),
    "asset-missing": Deserves("fix_forward", FEATURE, browser("requests")),
    "cors-own-origin-refused": Deserves("roll_back", CORE, browser("dashboard", "requests")),
    "sign-in-page-missing": Deserves("roll_back", AUTH, browser("sign-in-page", "sign-in")),
    "sessions-lost": Deserves("roll_back", AUTH, browser("sign-in", "dashboard")),
    "websocket-refused": Deserves("fix_forward", FEATURE, browser("subscribe")),
    "frontend-slow": Deserves("fix_forward", PERFORMANCE, ("performance.browser-load-time",)),
    "rate-limited": Deserves("inconclusive", CORE, browser("dashboard")),
}
"""What only pages show, and what they show of other faults: each walked with a browser."""


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


def test_without_a_fault_everything_passes(fresh: Sandbox, tmp_path: Path) -> None:
    environment = brief_environment(tmp_path, fresh)
    ran = verify(tmp_path / "r", "-m", "postdeploy", f"--env={environment}", variables=variables(fresh))

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert ran.leaks == []
    checked = items_checked("postdeploy") | items_checked("performance")
    expected = {item: "not_applicable" if "browser" in item else "passed" for item in checked}
    assert {item: ran.statuses[item] for item in checked} == expected


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
    deserts = (*DESERTS.values(), *BROWSER_DESERTS.values())
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
