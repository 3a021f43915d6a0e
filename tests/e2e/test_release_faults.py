"""While a release is deployed, later, and after a rollback: a fault turns its items red, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.runs import EXHAUSTIVE, WORKERS, Ran, verify
from tests.e2e.test_faults import items_checked

COMMIT = "9c41d07e5a3b2c1d0f9e8d7c6b5a493827160504"
RED: dict[str, dict[str, tuple[str, ...]]] = {
    "deploy": {
        "status-page-silent": ("status-page-maintenance",),
        "deploy-not-triggered": ("triggered", "services-live", "duration"),
        "build-failed": ("services-live", "build-logs"),
        "build-log-silent": ("api-started", "frontend-started"),
        "import-error-in-log": ("api-imports", "no-warning-signs"),
        "database-failed-in-log": ("no-warning-signs",),
        "migrations-missing-in-log": ("migrations-ran", "frontend-started"),
        "crash-loop": ("no-restarts",),
        "out-of-memory": ("no-restarts",),
        "health-checks-failing": ("health-checks-pass", "services-live"),
        "deploy-stuck": ("services-live", "duration"),
        "downtime-40s": ("downtime", "services-live", "duration"),
    },
    "rollback": {
        "rollback-not-done": ("previous-commit-answers",),
        "auto-deploy-on": ("auto-deploy-held",),
        "migration-applied-destructive": ("schema-fits",),
        "migration-failed": ("migrations-settled",),
        "migrations-missing-in-log": ("migration-log-read",),
        "sign-in-page-missing": ("verified",),
    },
    "followup": {
        "rolled-back-later": ("rollbacks",),
        "deployments-failing": ("success-rate",),
        "error-spike": ("sentry-rate",),
        "real-users-errors": ("error-rate-first-hour", "metrics-against-slos"),
        "real-users-slow": (
            "performance-impact",
            "response-times",
            "metrics-against-slos",
            "slow-endpoints",
        ),
    },
}
"""The items of each phase that each fault turns red."""

MOMENTS = [(phase, fault) for phase, faults in RED.items() for fault in faults]


ALWAYS = {("deploy", "build-failed"), ("rollback", "auto-deploy-on"), ("followup", "error-spike")}


@pytest.mark.parametrize(
    ("phase", "fault"),
    [moment if moment in ALWAYS else pytest.param(*moment, marks=EXHAUSTIVE) for moment in MOMENTS],
)
def test_a_fault_turns_its_items_red_and_no_other(phase: str, fault: str, tmp_path: Path) -> None:
    ran = look(tmp_path, phase, "--fault", fault)

    assert ran.red == {f"{phase}.{item}" for item in RED[phase][fault]}, ran.output
    assert ran.call != "proceed"


@EXHAUSTIVE
def test_downtime_is_measured_to_a_second_or_two(tmp_path: Path) -> None:
    ran = look(tmp_path, "deploy", "--fault", "downtime-40s")

    for service in ("api", "frontend"):
        assert abs(measured(ran, "deploy.downtime", service) - 40) <= 2, ran.output


@WORKERS
@pytest.mark.parametrize("phase", RED)
def test_without_a_fault_only_people_are_missing(
    phase: str, workers: tuple[str, ...], tmp_path: Path
) -> None:
    ran = look(tmp_path, phase, *workers)

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert {ran.statuses[item] for item in items_checked(phase)} == {"passed"}, ran.output
    assert set(waiting(ran).values()) == {True}


@EXHAUSTIVE
@pytest.mark.parametrize("phase", RED)
def test_when_people_have_spoken_everything_passes(phase: str, tmp_path: Path) -> None:
    asked = look(tmp_path / "before", phase, *(("-k", "attested")))
    words = [word for item in waiting(asked) for word in ("--attest", f"{item}=Ada: did it")]
    ran = look(tmp_path / "after", phase, *words)

    assert set(ran.statuses.values()) == {"passed"}, ran.output
    assert (ran.call, ran.code) == ("proceed", 0)


@pytest.mark.parametrize("phase", RED)
def test_every_check_of_the_phase_has_a_fault_that_turns_it_red(phase: str) -> None:
    proven = {f"{phase}.{item}" for items in RED[phase].values() for item in items}
    assert items_checked(phase) == proven


def look(folder: Path, phase: str, *arguments: str) -> Ran:
    return verify(folder, "-m", phase, "--env=sandbox", f"--commit={COMMIT}", *arguments)


def waiting(ran: Ran) -> Mapping[str, bool]:
    """The items that were tried and not passed, and whether each waits for a person."""
    return {
        missing["item"]: missing["why"].startswith("waiting for a person")
        for missing in ran.verdict["unverified"]
        if "not selected" not in missing["why"]
    }


def measured(ran: Ran, item: str, variant: str) -> float:
    found = next(row for row in ran.verdict["items"] if row["id"] == item)
    values = {taken["name"]: taken["value"] for taken in found["measurements"]}
    return float(values.get(f"downtime[{variant}]", values["downtime"]))
