"""Services deployed apart: each is judged, and taken back, by itself, or has nothing to go back to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.runs import EXHAUSTIVE, Ran, verify

COMMIT = "9c41d07e5a3b2c1d0f9e8d7c6b5a493827160504"
QUICKLY = ("-m", "postdeploy and not performance", "-k", "not browser")
WORKERS = ["kamiyo-aggregator", "kamiyo-social-watcher"]


def look(folder: Path, *faults: str, phase: tuple[str, ...] = QUICKLY) -> Ran:
    given = [word for fault in faults for word in ("--fault", fault)]
    return verify(folder, *phase, "--env=sandbox", f"--commit={COMMIT}", *given)


def item(ran: Ran, item_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in ran.verdict["items"] if row["id"] == item_id)
    return found


def test_the_deploy_phase_does_not_wait_for_a_service_that_stays(tmp_path: Path) -> None:
    ran = look(tmp_path, "commit-ignored", phase=("-m", "deploy"))
    values = {taken["name"]: taken["value"] for taken in item(ran, "deploy.services-live")["measurements"]}

    assert (ran.call, ran.red) == ("proceed", set()), ran.output
    assert ran.statuses["deploy.frontend-started"] == "not_applicable"
    assert (values["api_status"], values["social_watcher_status"]) == ("live", "live")
    assert "ignored this commit" in values["frontend_status"]


@pytest.mark.parametrize(
    ("faults", "call", "back", "told"),
    [
        (("deploy-stuck", "details-broken"), "roll_back", ["kamiyo-api"], "has not switched to 9c41d07 yet"),
        pytest.param(("commit-ignored",), "proceed", [], "", marks=EXHAUSTIVE),
        pytest.param(("commit-ignored", "details-broken"), "roll_back", ["kamiyo-api"], "", marks=EXHAUSTIVE),
        pytest.param(("deploy-stuck",), "inconclusive", [], "", marks=EXHAUSTIVE),
        pytest.param(("deploy-stuck", "sign-in-page-missing"), "inconclusive", [], "", marks=EXHAUSTIVE),
        pytest.param(("build-failed",), "inconclusive", [], "", marks=EXHAUSTIVE),
        pytest.param(("build-failed", "details-broken"), "roll_back", ["kamiyo-api"], "", marks=EXHAUSTIVE),
    ],
)
def test_each_service_is_judged_by_the_commit_that_it_should_run(
    faults: tuple[str, ...], call: str, back: list[str], told: str, tmp_path: Path
) -> None:
    ran = look(tmp_path, *faults)
    rollback = ran.verdict["rollback"]

    assert ran.call == call, ran.output
    assert [step["service"] for step in rollback["services"]] == back
    assert any(told in warning for warning in rollback["warnings"]) or not told
    if back:
        assert rollback["stays"] == ["kamiyo-frontend", *WORKERS]


@pytest.mark.parametrize(
    ("fault", "instead"),
    [
        ("first-deploy", "the host lists no earlier deploy that was live"),
        pytest.param("service-suspended", "resume it", marks=EXHAUSTIVE),
    ],
)
def test_where_there_is_nothing_to_go_back_to_the_call_says_what_to_do(
    fault: str, instead: str, tmp_path: Path
) -> None:
    ran = look(tmp_path, fault, "details-broken")

    assert (ran.call, ran.code) == ("fix_forward", 10), ran.output
    assert ran.verdict["headline"].endswith("there is nothing to roll back to")
    assert instead in ran.verdict["reasons"][-1]["message"]
    assert ran.verdict["rollback"]["services"] == []
