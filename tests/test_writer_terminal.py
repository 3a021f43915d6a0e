"""The lines at the end: few, in this order, and no wider than the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugins.judge.decide import decide
from plugins.model.result import Attempt
from plugins.model.verdict import Rollback, RollbackStep, Verdict
from plugins.model.words import Action, Phase, Status
from plugins.writers.terminal import Span, Style, lines
from tests.evidence_for import (
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LIVE,
    PASSED,
    RUNBOOK,
    SENTRY,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    evidence,
    measured,
    result,
)
from tests.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS

ALL = [item.id for item in RUNBOOK.items if item.phase is Phase.POSTDEPLOY]


def text(verdict: Verdict, width: int = 400) -> str:
    told = lines(verdict, report_path="reports/x/report.html", width=width)
    return "\n".join("".join(span.text for span in line).rstrip() for line in told)


def test_all_is_well_in_few_lines() -> None:
    fast, clean = measured(LATENCY, response_times=(100.0,) * 120), measured(ERRORS, errors=0, requests=120)
    verdict = decide(evidence(fast, clean, commit="9c41d07"))
    assert text(verdict).splitlines() == [
        "Kamiyo · staging · postdeploy+performance · commit 9c41d07 · 1 min 4 s",
        "PROCEED      10 items passed; 1 not verified",
        "  do         announce that it succeeded, then follow up within the hour",
        (
            "SLOs         ✓ API p95 100 ms [100 – 100 ms] below 500 ms: met"
            " · ? Error rate 0 % [0 – 2.5 %] below 0.1 %: needs 2,995, seen 120"
            " · ? Availability: this run alone says nothing of it"
        ),
        "Checklist    10 passed · 1 unverified (no check yet)",
        "Report       reports/x/report.html",
    ]


def test_a_rollback_says_what_why_how_and_who() -> None:
    told = text(decide(evidence(result(SIGN_IN, FAILED, "401 of 3"), deploy_minutes=7)))
    assert "ROLL BACK    kamiyo-frontend to its last good deploy: authentication is broken" in told
    assert (
        f"  because    {SIGN_IN}: 401 of 3 (users: something), introduced by this deploy"
        " [policy: nobody signs in]" in told
    )
    assert f"  would flip {SIGN_IN} passing again" in told
    assert "  how        Render dashboard → kamiyo-frontend → Rollbacks" in told
    assert "  who        minute 7 of the deploy: primary (Ada, +45 1)" in told
    assert f"  ✗ failed   {SIGN_IN} → The secret: Set it." in told


def test_a_way_that_is_known_is_told_in_one_line_a_service() -> None:
    step = RollbackStep(
        service="kamiyo-frontend",
        current="dep-9d21",
        to="dep-7fk2",
        how="",
        dashboard="https://dashboard.render.com/web/srv-1",
        calls=("PATCH /services/srv-1", "POST /services/srv-1/rollback"),
        revert="git revert 9c41d07",
    )
    called = decide(evidence(result(SIGN_IN, FAILED, "401 of 3"), deploy_minutes=7))
    told = text(replace(called, rollback=Rollback((step,), ("mind the schema",))))
    assert (
        "  or         https://dashboard.render.com/web/srv-1: auto-deploy off first, then Rollbacks"
        " → dep-7fk2; or git revert 9c41d07, and push" in told
    )
    assert len(told.splitlines()) <= 13


def test_missing_credentials_are_named() -> None:
    told = text(decide(evidence(result(WEBHOOK, UNVERIFIED, "STRIPE_WEBHOOK_SECRET is not set"))))
    assert f"  because    {WEBHOOK}: STRIPE_WEBHOOK_SECRET is not set" in told
    assert "1 × STRIPE_WEBHOOK_SECRET is not set" in told


def test_items_that_fail_alike_are_one_ground() -> None:
    told = text(decide(evidence(*(result(item, ERROR, "no route") for item in ALL))))
    because = [line for line in told.splitlines() if line.startswith("  because")]
    assert len(because) == 1
    assert because[0].startswith(f"  because    {ALL[0]}: no route; also {ALL[1]}")
    assert because[0].endswith(f"and {len(ALL) - 4} more")


def test_items_under_one_clause_are_one_ground() -> None:
    told = text(decide(evidence(result(HEALTH, FAILED, "degraded"), result(SENTRY, FAILED, "500"))))
    because = [line for line in told.splitlines() if line.startswith("  because")]
    assert len(because) == 1
    assert f"; also {SENTRY}, introduced" in because[0]


def test_much_that_differs_is_told_in_part_and_counted() -> None:
    told = text(decide(evidence(*(result(item, ERROR, f"reason of {item}") for item in ALL))))
    assert told.count("  because") == 6
    assert "and 3 more reasons in the report" in told
    assert len(told.splitlines()) < 30


def test_a_flaky_item_is_counted() -> None:
    tries = (Attempt(FAILED, "502", "", 0.1), Attempt(PASSED, "", "", 0.1))
    assert "· 1 flaky" in text(decide(evidence(result(LIVE, attempts=tries))))


def test_an_empty_run_has_its_lines_too() -> None:
    told = text(decide(evidence(phases=())))
    assert "INCONCLUSIVE nothing was verified" in told
    assert "Checklist    no item" in told


@pytest.mark.parametrize("width", [1, 60, 80, 200])
def test_lines_keep_to_the_width(width: int) -> None:
    verdict = decide(evidence(result(SIGN_IN, FAILED, HOSTILE), result(LIVE, FAILED, ENDLESS)))
    told = text(verdict, width).splitlines()
    assert max(map(len, told)) <= max(width, 40)
    assert len(told) < 130


def test_nothing_that_a_target_sent_moves_the_cursor() -> None:
    told = text(decide(evidence(result(SIGN_IN, FAILED, HOSTILE), commit=HOSTILE)))
    assert not set(LIVE_CHARACTERS) & set(told)


@pytest.mark.parametrize(
    ("action", "style"),
    [(Action.PROCEED, Style.GOOD), (Action.ROLL_BACK, Style.BAD), (Action.INCONCLUSIVE, Style.DOUBTFUL)],
)
def test_the_call_has_its_colour(action: Action, style: Style) -> None:
    verdict = replace(decide(evidence()), recommendation=action)
    call = lines(verdict, report_path="r", width=100)[1][0]
    assert call.style is style
    assert isinstance(call, Span)


@pytest.mark.parametrize("style", Style)
def test_styles_are_what_pytests_writer_takes(style: Style) -> None:
    assert set(style.markup) <= {"bold", "light", "red", "green", "yellow"}


@pytest.mark.parametrize("status", Status)
def test_every_status_can_be_told(status: Status) -> None:
    assert text(decide(evidence(result(LIVE, status))))
