"""The summary at the end of a run: at most twelve lines, in this order, no wider than the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.result import Attempt, Exchange
from kamiyo_verify.model.verdict import Rollback, RollbackStep, Verdict
from kamiyo_verify.model.words import Action, FailureKind, Phase, Status
from kamiyo_verify.reporting.terminal import Span, Style, lines
from tests.support.evidence_for import (
    ERROR,
    ERRORS,
    FAILED,
    LATENCY,
    LIVE,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    evidence,
    measured,
    result,
)
from tests.support.example_reports import BEFORE as OLD
from tests.support.example_reports import COMMIT as NEW
from tests.support.example_reports import EXAMPLES
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS

_LABEL = 14
ALL = [item.id for item in RUNBOOK.items if item.phase is Phase.POSTDEPLOY]


def text(verdict: Verdict, width: int = 400) -> str:
    told = lines(verdict, report_path="reports/x/report.html", width=width)
    return "\n".join("".join(span.text for span in line).rstrip() for line in told)


def test_all_is_well_in_few_lines() -> None:
    fast, clean = measured(LATENCY, response_times=(100.0,) * 120), measured(ERRORS, errors=0, requests=120)
    verdict = decide(evidence(fast, clean, commit="9c41d07"))
    assert text(verdict).splitlines() == [
        "Kamiyo · staging · postdeploy+performance · commit 9c41d07 · 1 min 4 s",
        "PROCEED       10 items passed; 1 not verified",
        "  Do          announce that the deployment succeeded; follow up within the hour",
        (
            "  Confidence  high: 5 of 5 required items passed; 1 of 3 objectives met at 95 % confidence,"
            " 2 undecided"
        ),
        "SLOs          ✓ 1 met · ? 2 undecided",
        "Items         10 passed · 1 unverified (no check yet)",
        "Report        reports/x/report.html",
    ]


def test_a_rollback_says_what_why_how_and_who() -> None:
    sent = Exchange(
        "POST", "https://site.example/callback", 500, 12.0, "7fe1", at="2026-11-23T14:07:44+00:00"
    )
    broken = result(SIGN_IN, FAILED, "401 of 3", failure=FailureKind.SERVER_ERROR, exchanges=(sent,))
    told = text(decide(evidence(broken, deploy_minutes=7))).splitlines()
    assert [line[:_LABEL].strip() for line in told[1:]] == [
        "ROLL BACK",
        "Do",
        "Goes back",
        "Confidence",
        "Who",
        "Warning",
        "Evidence",
        "SLOs",
        "Items",
        "Report",
    ]
    assert told[1].endswith("Something: POST /callback answers 500, seen since 14:07 UTC")
    assert told[2].endswith("roll back manually, then run pytest -m rollback --env staging")
    assert "kamiyo-frontend: Render dashboard → kamiyo-frontend → Rollbacks" in told[3]
    assert told[4].endswith(f"low: {SIGN_IN} failed in the only try")
    assert "primary (Ada, +45 1) now (minute 7 of the deployment): looks into it" in told[5]
    assert "status 500 · request 7fe1 · 14:07:44 UTC · not known whether it was so before" in told[7]
    assert told[7].endswith(f"{SIGN_IN} → if this is the cause: The secret")


def test_a_known_target_is_told_in_one_line() -> None:
    step = RollbackStep(
        service="kamiyo-frontend", current="dep-1", to="dep-2", how="", current_commit=NEW, to_commit=OLD
    )
    called = decide(evidence(result(SIGN_IN, FAILED, "401 of 3"), deploy_minutes=7))
    told = text(replace(called, rollback=Rollback((step,), ("one", "two"), stays=("kamiyo-api",))))
    assert "  Goes back   kamiyo-frontend: 9c41d07 → 3b0cca2; kamiyo-api stays" in told
    assert "  Warning     one (and 1 more in the report)" in told


def test_missing_credentials_are_named() -> None:
    told = text(decide(evidence(result(WEBHOOK, UNVERIFIED, "STRIPE_WEBHOOK_SECRET is not set"))))
    assert "INCONCLUSIVE  1 required item not verified: STRIPE_WEBHOOK_SECRET is not set" in told
    assert f"Evidence      STRIPE_WEBHOOK_SECRET is not set · {WEBHOOK}" in told


def test_items_that_fail_alike_are_one_cause() -> None:
    told = text(decide(evidence(*(result(item, ERROR, "no route") for item in ALL)))).splitlines()
    (line,) = (line for line in told if "no route" in line and line.startswith("Evidence"))
    assert line.endswith(f"{ALL[0]}, {ALL[1]}, {ALL[2]} and {len(ALL) - 3} more")


def test_causes_that_differ_are_counted() -> None:
    told = text(decide(evidence(*(result(item, ERROR, f"reason of {item}") for item in ALL))))
    assert told.count("reason of") == 3, "in the call, and twice in the evidence"
    assert f"{len(ALL) - 1} more causes in the report, such as reason of" in told


def test_a_flaky_item_is_counted() -> None:
    tries = (Attempt(FAILED, "502", "", 0.1), Attempt(PASSED, "", "", 0.1))
    assert "· 1 flaky" in text(decide(evidence(result(LIVE, attempts=tries))))


def test_an_empty_run_has_its_lines_too() -> None:
    told = text(decide(evidence(phases=())))
    assert "INCONCLUSIVE  nothing was verified" in told.replace("Nothing", "nothing")
    assert "Items         none was selected" in told


@pytest.mark.parametrize("width", [40, 80, 100, 140, 400])
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_no_run_takes_more_than_twelve_lines(name: str, width: int) -> None:
    told = text(decide(EXAMPLES[name]()), width).splitlines()
    assert len(told) <= 12
    assert told[-1].strip().endswith("report.html")
    assert sum("report.html" in line for line in told) == 1


@pytest.mark.parametrize("width", [1, 60, 80, 200])
def test_lines_keep_to_the_width(width: int) -> None:
    verdict = decide(evidence(result(SIGN_IN, FAILED, HOSTILE), result(LIVE, FAILED, ENDLESS)))
    told = text(verdict, width).splitlines()
    assert max(map(len, told)) <= max(width, 40)
    assert len(told) <= 12


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
