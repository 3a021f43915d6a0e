"""The states at GitHub: only "proceed" is a success."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting.exports.github_status import commit_status, deployment_status, state_of
from tests.engine.reporting.exports.verdicts import BROKEN, GOOD, HOSTILE_ONE, VERDICTS
from tests.support.hostile import LIVE_CHARACTERS

REPORT = "https://reports.example.com/report.html"


@pytest.mark.parametrize("action", Action)
def test_only_proceed_is_a_success(action: Action) -> None:
    verdict = replace(GOOD, recommendation=action, exit_code=action.exit_code)
    expected = {Action.PROCEED: "success", Action.INCONCLUSIVE: "error"}.get(action, "failure")
    assert state_of(verdict) == expected
    assert commit_status(verdict, "kamiyo-verify")["state"] == expected
    assert deployment_status(verdict)["state"] == expected


def test_a_commit_that_is_live_is_no_success_before_it_was_verified() -> None:
    live = replace(GOOD, phase="deploy")
    assert commit_status(live, "c")["state"] == "pending"
    assert deployment_status(live)["state"] == "in_progress"
    assert state_of(replace(live, exit_code=3)) == "error"
    assert state_of(replace(live, phase="deploy+postdeploy")) == "success"


@pytest.mark.parametrize("code", [2, 3, 30])
def test_a_run_that_did_not_end_well_is_never_a_success(code: int) -> None:
    assert state_of(replace(GOOD, exit_code=code)) == "error"
    assert state_of(BROKEN) == "error"


@pytest.mark.parametrize("name", VERDICTS)
def test_a_description_fits_and_moves_nothing(name: str) -> None:
    for body in (commit_status(VERDICTS[name], "kamiyo-verify"), deployment_status(VERDICTS[name])):
        assert 0 < len(body["description"]) <= 140
        assert not set(LIVE_CHARACTERS) & set(body["description"])


def test_the_call_comes_first_even_when_the_headline_is_endless() -> None:
    described = commit_status(replace(HOSTILE_ONE, headline="x" * 10_000), "c")["description"]
    assert described.startswith(f"{HOSTILE_ONE.recommendation.value.replace('_', ' ')}: xxx")


def test_the_report_is_linked_where_it_has_an_address() -> None:
    assert commit_status(GOOD, "c", REPORT)["target_url"] == REPORT
    assert deployment_status(GOOD, REPORT)["log_url"] == REPORT
    assert "target_url" not in commit_status(GOOD, "c")
    assert "log_url" not in deployment_status(GOOD)


def test_a_status_of_one_deployment_ends_no_other() -> None:
    assert deployment_status(GOOD)["auto_inactive"] is False
