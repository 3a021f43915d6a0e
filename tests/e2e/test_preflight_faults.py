"""Before a deployment: every fault turns its items red and no other, and any of them holds the release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs import EXHAUSTIVE, WORKERS, verify
from tests.e2e.test_faults import items_checked

RED: dict[str, tuple[str, ...]] = {
    "tests-failing": ("tests-pass",),
    "audit-failing": ("security-audit",),
    "unreviewed-commit": ("code-reviewed",),
    "self-approved-commit": ("code-reviewed",),
    "stale-approval": ("code-reviewed",),
    "changes-requested": ("code-reviewed",),
    "check-run-failed": ("checks-green",),
    "branch-behind": ("branch-up-to-date",),
    "tree-dirty": ("branch-up-to-date",),
    "validation-failing": ("environment-validated",),
    "validation-broken": ("environment-validated",),
    "variable-missing": ("variables-present",),
    "placeholder-secret": ("variables-well-formed", "nextauth-secret"),
    "short-secret": ("variables-well-formed", "nextauth-secret"),
    "database-url-differs": ("database-url",),
    "http-origin": ("https-origins", "nextauth-url"),
    "trailing-slash-origin": ("https-origins", "nextauth-url"),
    "webhook-secrets-differ": ("stripe-webhook-secret",),
    "stripe-endpoint-disabled": ("stripe-endpoint",),
    "stripe-endpoint-missing": ("stripe-endpoint",),
    "stripe-endpoint-twice": ("stripe-endpoint",),
    "stripe-events-missing": ("stripe-endpoint",),
    "stripe-wrong-mode": ("stripe-endpoint",),
    "deliveries-failing": ("stripe-deliveries",),
    "stripe-wrong-mode-key": ("stripe-keys-mode",),
    "blueprint-disagrees": ("blueprint-agrees",),
    "migration-malformed": ("migrations-on-disk", "migrations-classified"),
    "migration-pending-destructive": ("migrations-classified",),
    "migration-edited": ("migration-history",),
    "migration-missing-on-disk": ("migration-history",),
    "migration-out-of-order": ("migration-history",),
    "migration-failed": ("migration-history",),
    "backup-too-old": ("backup-fresh",),
    "backup-missing": ("backup-fresh",),
    "connections-full": ("connections-free",),
    "postgres-suspended": ("connections-free",),
    "requirements-loose": ("python-locked",),
    "lock-out-of-step": ("python-locked",),
    "node-lock-out-of-step": ("node-locked",),
    "registry-foreign": ("registries-known",),
    "dsn-of-another-project": ("sentry-dsn",),
    "dsn-inactive": ("sentry-dsn",),
    "frontend-down": ("health-endpoints",),
    "prometheus-broken": ("prometheus",),
    "on-call-gap": ("on-call",),
    "on-call-empty": ("on-call", "contacts-complete"),
    "on-call-unreachable": ("contacts-complete",),
    "stripe-status-outage": ("suppliers-operational",),
}
"""The items of the phase that each fault turns red."""


HIDES = {"variable-missing": ("variables-well-formed",)}
"""Items that a fault keeps other faults from turning red: what is missing cannot be malformed."""


def groups() -> Iterator[tuple[str, ...]]:
    """All faults, in as few groups as may be within which no two touch the same item."""
    left = dict(RED)
    while left:
        taken: set[str] = set()
        group = []
        for fault in list(left):
            items = {*RED[fault], *HIDES.get(fault, ())}
            if taken.isdisjoint(items):
                taken |= items
                group.append(fault)
                del left[fault]
        yield tuple(group)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(group, id=f"{group[0]} and {len(group) - 1} more", marks=[EXHAUSTIVE] if number else [])
        for number, group in enumerate(groups())
    ],
)
def test_each_fault_turns_its_items_red_and_holds_the_release(
    faults: tuple[str, ...], tmp_path: Path
) -> None:
    named = [word for fault in faults for word in ("--fault", fault)]
    ran = verify(tmp_path, "-m", "preflight", "--env=sandbox", *named)

    assert ran.red == {f"preflight.{item}" for fault in faults for item in RED[fault]}, ran.output
    assert (ran.call, ran.code) == ("hold", 10), ran.output


VOUCHED = "preflight.migration-plan-reviewed=Ada: read it, and 20251102101500_drop_image is what we want"


@WORKERS
def test_without_a_fault_only_a_person_is_missing(workers: tuple[str, ...], tmp_path: Path) -> None:
    ran = verify(tmp_path, "-m", "preflight", "--env=sandbox", *workers)

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    unlike = {item: status for item, status in ran.statuses.items() if status != "passed"}
    assert unlike == {"preflight.migration-plan-reviewed": "unverified"}
    assert (tmp_path / "preflight.tests-pass.log").read_text().rstrip().endswith("s")


def test_a_destructive_migration_passes_when_who_read_the_plan_names_it(tmp_path: Path) -> None:
    fault = ("--fault", "migration-pending-destructive")
    ran = verify(tmp_path, "-m", "preflight", "--env=sandbox", *fault, "--attest", VOUCHED)

    assert set(ran.statuses.values()) == {"passed"}, ran.output
    assert ran.call == "proceed"


def test_every_check_of_the_phase_has_a_fault_that_turns_it_red() -> None:
    proven = {f"preflight.{item}" for items in RED.values() for item in items}
    assert items_checked("preflight") == proven
