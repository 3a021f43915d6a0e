"""A small runbook, and evidence for it: everything passed, but for what a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.policy import Clause, Policy
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.runbook import Contact, Escalation, Item, Remedy, Runbook, Slo, SupplierRow
from kamiyo_verify.model.services import Services
from kamiyo_verify.model.words import (
    Attribution,
    Explains,
    Impact,
    Part,
    Phase,
    Status,
    Supplier,
)

PASSED, FAILED, ERROR = Status.PASSED, Status.FAILED, Status.ERROR
UNVERIFIED, NOT_APPLICABLE = Status.UNVERIFIED, Status.NOT_APPLICABLE

HEALTH = "postdeploy.api-health"
DATA = "postdeploy.data-present"
SIGN_IN = "postdeploy.sign-in"
WEBHOOK = "postdeploy.stripe-webhook"
LEAK = "postdeploy.errors-leak-nothing"
LIVE = "postdeploy.websocket"
LOOKS = "postdeploy.looks"
COMMIT = "postdeploy.commit-answering"
SENTRY = "postdeploy.sentry-quiet"
LATENCY = "performance.api-response-time"
ERRORS = "performance.error-rate"
SECRETS = "preflight.secrets"
TESTS = "preflight.tests-pass"
BACK = "rollback.verified"

_ITEMS: tuple[tuple[str, Impact, str], ...] = (
    (TESTS, Impact.PROCESS, "1. Code"),
    (SECRETS, Impact.SECURITY, "2. Configuration"),
    (HEALTH, Impact.CORE, "Step 4"),
    (DATA, Impact.DATA, "Step 4"),
    (SIGN_IN, Impact.AUTH, "Step 4"),
    (WEBHOOK, Impact.PAYMENTS, "Step 4"),
    (LEAK, Impact.SECURITY, "Step 4"),
    (LIVE, Impact.FEATURE, "Step 4"),
    (LOOKS, Impact.UI, "Step 4"),
    (COMMIT, Impact.PROCESS, "Step 4"),
    (LATENCY, Impact.PERFORMANCE, "Step 5"),
    (ERRORS, Impact.PERFORMANCE, "Step 5"),
    (SENTRY, Impact.CORE, "Step 6"),
    (BACK, Impact.CORE, "Rollback"),
)
_SERVICES = {
    HEALTH: ("api",),
    LEAK: ("api",),
    LATENCY: ("api",),
    ERRORS: ("api",),
    SIGN_IN: ("frontend",),
    WEBHOOK: ("frontend",),
}
_SUPPLIERS = {HEALTH: Supplier.RENDER, WEBHOOK: Supplier.STRIPE}
_ROLL_BACK = {
    Impact.SECURITY: "a hole was opened",
    Impact.DATA: "data is corrupted",
    Impact.AUTH: "nobody signs in",
    Impact.PAYMENTS: "payments fail",
    Impact.CORE: "core is broken",
}
_PROPERTIES: dict[Impact, dict[str, Any]] = {
    Impact.SECURITY: {
        "headline": "a security hole is open",
        "proof": "content",
        "confirmation": "short",
    },
    Impact.DATA: {"headline": "data is damaged or gone", "proof": "content", "data_damage": True},
    Impact.AUTH: {"headline": "authentication is broken"},
    Impact.PAYMENTS: {"headline": "payments are failing"},
    Impact.CORE: {"headline": "core functionality is broken", "silence": True},
}


def _item(item_id: str, impact: Impact, section: str) -> Item:
    return Item(
        id=item_id,
        title=f"{item_id} is well",
        section=section,
        phase=Phase(item_id.partition(".")[0]),
        impact=impact,
        user_impact="something",
        remedy="secret" if impact is Impact.AUTH else "",
        part=Part.PAYMENTS if impact is Impact.PAYMENTS else None,
        services=_SERVICES.get(item_id, ()),
        supplier=_SUPPLIERS.get(item_id),
        clock_sensitive=item_id == WEBHOOK,
    )


RUNBOOK = Runbook(
    title="Small",
    items=tuple(_item(*row) for row in _ITEMS),
    slos=(
        Slo(
            id="api-p95",
            title="API p95 (sampled)",
            kind="quantile",
            objective=500,
            unit="ms",
            item=LATENCY,
            measurement="response_times",
            quantile=0.95,
        ),
        Slo(
            id="error-rate",
            title="Error rate",
            kind="ratio",
            objective=0.001,
            item=ERRORS,
            measurement="errors",
            total="requests",
        ),
        Slo(id="availability", title="Availability", kind="history", objective=0.995, better="above"),
    ),
    policy=Policy(
        roll_back=tuple(
            Clause(id=impact, text=text, impact=impact, **_PROPERTIES.get(impact, {}))
            for impact, text in _ROLL_BACK.items()
        ),
        do_not_roll_back=(
            Clause(id="process", text="a step of the process", impact=Impact.PROCESS),
            Clause(id="ui", text="a flaw in the looks", impact=Impact.UI),
            Clause(id="feature", text="a lesser feature", impact=Impact.FEATURE),
            Clause(id="slow", text="slower by less than half", impact=Impact.PERFORMANCE, limit=0.5),
            Clause(id="few", text="few users", limit=0.05),
        ),
        required_impacts=(Impact.CORE, Impact.DATA, Impact.AUTH, Impact.PAYMENTS, Impact.SECURITY),
    ),
    remedies=(
        Remedy(
            id="secret",
            title="The secret",
            cause="It is wrong.",
            steps=("Set it.", "Redeploy."),
        ),
    ),
    escalation=(
        Escalation(level=2, from_minute=15, who="secondary", does="joins"),
        Escalation(level=1, from_minute=0, who="primary", does="looks into it"),
        Escalation(level=3, from_minute=30, who="manager", does="takes over"),
        Escalation(level=4, who="chief", does="is told", critical=True),
    ),
    contacts=(Contact(role="Primary", name="Ada", phone="+45 1"), Contact(role="secondary")),
    log_patterns=(),
    announcements=(),
    deployment_log=(),
    questions=(),
    services=Services(
        names={"api": "kamiyo-api", "frontend": "kamiyo-frontend"},
        manual="Render dashboard → {service} → Rollbacks → the last good deploy; "
        "switch auto-deploy off first",
    ),
    suppliers=(
        SupplierRow(id=Supplier.RENDER, name="Render", page="render", components=("Web Services",)),
        SupplierRow(
            id=Supplier.STRIPE, name="Stripe", page="stripe", components=("Webhooks",), explains=Explains.ANY
        ),
    ),
)


def result(item: str, status: Status = PASSED, message: str = "", **more: Any) -> Result:
    """One result; what did not pass says why."""
    phase = Phase(item.partition(".")[0])
    return Result(item, phase, status, message or ("" if status is PASSED else f"{item} is {status}"), **more)


def blamed(item: str, attribution: Attribution) -> Result:
    """A failure, and whose doing it is."""
    return result(item, FAILED, attribution=attribution)


def measured(item: str, **values: Any) -> Result:
    """A pass with these measurements; series are in ms."""
    taken = tuple(
        Measurement(name, value, "ms" if isinstance(value, tuple) else "count")
        for name, value in values.items()
    )
    return result(item, measurements=taken)


def evidence(
    *results: Result,
    phases: tuple[Phase, ...] = (Phase.POSTDEPLOY, Phase.PERFORMANCE),
    without: tuple[str, ...] = (),
    **more: Any,
) -> Evidence:
    """Evidence of a run in which every item passed but these, and `without` did not run at all."""
    no_check = {SENTRY}
    ids = [item.id for item in RUNBOOK.items if item.phase in phases]
    given = {one.item: one for one in results}
    ran = [given.get(item) or result(item) for item in ids if item not in {*without, *no_check, *given}]
    return Evidence(
        **{
            "runbook": RUNBOOK,
            "environment": "staging",
            "phases": phases,
            "results": (*ran, *results),
            "expected": tuple(item for item in ids if item not in no_check),
            "no_check": tuple(item for item in ids if item in no_check),
            "started_at": "2026-11-23T14:09:58+00:00",
            "finished_at": "2026-11-23T14:11:02+00:00",
            **more,
        }
    )


BEGAN = datetime(2026, 11, 23, 14, 10, tzinfo=UTC)


def at(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def looks(pattern: str, every_s: float = 8.0) -> tuple[Recheck, ...]:
    """One look a letter: F failed, P passed, E could not be measured."""
    status = {"F": FAILED, "P": PASSED, "E": ERROR, "u": UNVERIFIED}
    return tuple(
        Recheck(at(2 + number * every_s), status[letter], "" if letter == "P" else "why")
        for number, letter in enumerate(pattern)
    )


def share(pattern: str) -> FailingShare:
    return FailingShare(
        "GET /api/auth/csrf",
        at(1),
        tuple(float(number) for number in range(len(pattern))),
        tuple(letter == "F" for letter in pattern),
    )


def tried(item: str, pattern: str, confirmation: Confirmation | None) -> Result:
    """An item whose tries went like this, with what further looks showed."""
    attempts = tuple(
        Attempt(FAILED if letter == "F" else PASSED, "it broke" if letter == "F" else "", at(number), 0.1)
        for number, letter in enumerate(pattern)
    )
    status = attempts[-1].status
    return result(item, status, attempts=attempts, confirmation=confirmation)


def looked(item: str, tries: str, pattern: str, sample: str = "", **more: Any) -> Evidence:
    found = Confirmation(at(0), looks(pattern), share(sample) if sample else None)
    return evidence(tried(item, tries, found), **more)
