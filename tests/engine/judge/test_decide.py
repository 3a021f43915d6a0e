"""The whole verdict: complete, the same every time, JSON-safe, and never open to what was not seen."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.escalation import who_acts
from kamiyo_verify.model.result import Attempt, Exchange, Measurement
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Impact, Phase, Status
from tests.support.evidence_for import (
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    LATENCY,
    LEAK,
    LIVE,
    PASSED,
    RUNBOOK,
    SECRETS,
    SENTRY,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    blamed,
    evidence,
    result,
)

BEFORE = (Phase.PREFLIGHT,)
ADA, NOBODY = "primary (Ada, +45 1)", "secondary"
ITEMS = [item for item in RUNBOOK.items if item.phase in {Phase.POSTDEPLOY, Phase.PERFORMANCE}]


@settings(deadline=None)
@given(
    statuses=st.lists(st.sampled_from(list(Status)), min_size=len(ITEMS), max_size=len(ITEMS)),
    attributions=st.lists(st.sampled_from([None, *Attribution]), min_size=len(ITEMS), max_size=len(ITEMS)),
    interrupted=st.booleans(),
    commit=st.sampled_from(["", "9c41d07"]),
)
def test_nothing_fails_open(
    statuses: list[Status], attributions: list[Attribution | None], *, interrupted: bool, commit: str
) -> None:
    results = [
        result(item.id, status, attribution=attribution)
        for item, status, attribution in zip(ITEMS, statuses, attributions, strict=True)
    ]
    verdict = decide(evidence(*results, interrupted=interrupted, commit=commit))

    required = RUNBOOK.policy.required_impacts
    well = all(
        status in {Status.PASSED, Status.NOT_APPLICABLE}
        or (status is Status.UNVERIFIED and (item.impact not in required or item.id == SENTRY))
        for item, status in zip(ITEMS, statuses, strict=True)
    )
    if verdict.recommendation is Action.PROCEED:
        assert well
        assert not interrupted
        assert Status.PASSED in statuses
    else:
        assert verdict.reasons
        assert verdict.next_step
    if verdict.recommendation is Action.ROLL_BACK:
        assert {reason.attribution for reason in verdict.reasons} <= {
            Attribution.INTRODUCED,
            Attribution.UNKNOWN,
        }
        assert all(reason.clause for reason in verdict.reasons)
        assert verdict.rollback.services
    assert verdict.exit_code == verdict.recommendation.exit_code
    assert Verdict.from_json(json.loads(json.dumps(verdict.as_json(), allow_nan=False))) == verdict


def test_the_same_evidence_gives_the_same_verdict_whatever_the_order_of_its_results() -> None:
    of = evidence(result(SIGN_IN, FAILED), result(LIVE, FAILED))
    assert decide(of) == decide(replace(of, results=of.results[::-1]))


def test_the_shape_is_the_agreed_one() -> None:
    data = decide(evidence(result(SIGN_IN, FAILED), commit="")).as_json()
    assert data["schema"] == "kamiyo-verify/1"
    assert data["phase"] == "postdeploy+performance"
    assert data["recommendation"] == "roll_back"
    assert data["exit_code"] == 20
    assert data["started_at"] == "2026-11-23T14:09:58+00:00"
    assert data["reasons"][0].keys() == {"item", "impact", "attribution", "clause", "message"}
    item = "id title section phase status impact attribution message measurements duration_s"
    assert set(item.split()) <= data["items"][0].keys()
    slo = "id objective verdict value interval samples samples_needed message"
    assert set(slo.split()) <= data["slos"][0].keys()
    assert {"item": SENTRY, "why": "no check yet"} in data["unverified"]
    assert {"service", "from", "to", "how"} <= data["rollback"]["services"][0].keys()


def test_every_item_of_the_selected_phases_is_listed_in_the_runbooks_order() -> None:
    assert [item.id for item in decide(evidence(without=(DATA,))).items] == [item.id for item in ITEMS]


def test_a_failed_item_shows_its_remedy_and_its_tries() -> None:
    tries = tuple(Attempt(FAILED, "500", "", 0.1) for _ in range(3))
    verdict = decide(evidence(result(SIGN_IN, FAILED, attempts=tries)))
    item = next(item for item in verdict.items if item.id == SIGN_IN)
    assert item.remedy == RUNBOOK.remedy("secret")
    assert (len(item.attempts), item.flaky, item.attribution) == (3, False, Attribution.UNKNOWN)


def test_a_flaky_item_is_shown_and_does_not_block() -> None:
    tries = (Attempt(FAILED, "502", "", 0.1), Attempt(PASSED, "", "", 0.1))
    verdict = decide(evidence(result(SIGN_IN, attempts=tries)))
    item = next(item for item in verdict.items if item.id == SIGN_IN)
    assert (verdict.recommendation, item.flaky, item.remedy) == (Action.PROCEED, True, None)


def test_numbers_that_json_has_no_word_for_are_told_as_text() -> None:
    taken = (Measurement("series", (1.0, math.inf), "ms"), Measurement("odd", math.nan), Measurement("n", 3))
    verdict = decide(evidence(result(LATENCY, measurements=taken)))
    item = next(item for item in verdict.items if item.id == LATENCY)
    assert [one.value for one in item.measurements] == ["2 values, 1 of them not finite", "nan", 3]
    json.dumps(verdict.as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("item", "services"),
    [
        (SIGN_IN, ["kamiyo-frontend"]),
        (WEBHOOK, ["kamiyo-frontend"]),
        (HEALTH, ["kamiyo-api"]),
        (LEAK, ["kamiyo-api"]),
        (DATA, ["kamiyo-api", "kamiyo-frontend"]),
    ],
)
def test_only_the_services_behind_the_failure_go_back(item: str, services: list[str]) -> None:
    rollback = decide(evidence(result(item, FAILED))).rollback
    assert [step.service for step in rollback.services] == services
    assert all("switch auto-deploy off first" in step.how for step in rollback.services)
    assert any("schema" in warning for warning in rollback.warnings)
    assert any("restores no data" in warning for warning in rollback.warnings) == (item == DATA)


@pytest.mark.parametrize("item", [LIVE, LATENCY])
def test_only_a_rollback_names_services(item: str) -> None:
    assert not decide(evidence(result(item, FAILED))).rollback.services


def test_a_rollback_tells_of_what_else_failed() -> None:
    warnings = decide(evidence(result(SIGN_IN, FAILED), result(LIVE, FAILED))).rollback.warnings
    assert f"1 item failed as well: {LIVE}" in warnings


@pytest.mark.parametrize(
    ("of", "step"),
    [
        (evidence(), "follow up within the hour"),
        (evidence(phases=BEFORE), "then deploy"),
        (evidence(result(LIVE, FAILED)), "then run pytest -m postdeploy --env staging"),
        (evidence(result(SIGN_IN, FAILED)), "then run pytest -m rollback --env staging"),
        (evidence(result(SECRETS, FAILED), phases=BEFORE), "then run pytest -m preflight --env staging"),
        (evidence(result(SIGN_IN, ERROR), commit="9c41d07"), "-m postdeploy --env staging --commit 9c41d07"),
        (
            evidence(result(SIGN_IN, ERROR), phases=(Phase.PREFLIGHT, Phase.POSTDEPLOY)),
            '-m "preflight or postdeploy" --env staging',
        ),
        (evidence(phases=()), "decide nothing from this run: run pytest -m PHASE --env staging"),
    ],
)
def test_the_next_step_can_be_typed(of: Evidence, step: str) -> None:
    assert decide(of).next_step.endswith(step)


def test_what_would_flip_the_call_names_the_items() -> None:
    assert SIGN_IN in decide(evidence(result(SIGN_IN, FAILED))).flip
    assert decide(evidence()).flip == ""
    many = [result(item.id, ERROR) for item in ITEMS if item.impact is not Impact.FEATURE]
    assert decide(evidence(*many)).flip.endswith("more passing: proceed")


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (None, f"{ADA} now: looks into it; {NOBODY} from minute 15; no contacts in runbook.toml"),
        (7.4, f"{ADA} now (minute 7 of the deployment): looks into it; "),
        (15, f"{NOBODY} now (minute 15 of the deployment): joins; manager from minute 30"),
        (90, "manager now (minute 90 of the deployment): takes over"),
    ],
)
def test_who_acts_goes_by_the_minutes(minutes: float | None, told: str) -> None:
    assert who_acts(RUNBOOK, minutes).startswith(told)
    assert "chief" not in who_acts(RUNBOOK, minutes)


def test_a_runbook_without_escalation_names_nobody() -> None:
    runbook = RUNBOOK.model_copy(update={"escalation": ()})
    assert who_acts(runbook, 3, critical=True) == ""


DOWN = (Exchange("GET", "http://x/health", None, 1.0, problem="refused"),)


@pytest.mark.parametrize(
    ("of", "primary", "chief"),
    [
        (evidence(), False, False),
        (evidence(result(SECRETS, FAILED), phases=BEFORE), False, False),
        (evidence(interrupted=True), False, False),
        (evidence(phases=()), False, False),
        (evidence(result(SIGN_IN, UNVERIFIED)), False, False),
        (evidence(blamed(SIGN_IN, Attribution.PROBER)), False, False),
        (evidence(result(LIVE, FAILED)), True, False),
        (evidence(result(SIGN_IN, FAILED)), True, False),
        (evidence(result(HEALTH, FAILED, exchanges=DOWN)), True, True),
        (evidence(result(SIGN_IN, FAILED), deploy_minutes=700.0), True, False),
        (evidence(result(SIGN_IN, FAILED), deploy_minutes=800.0), False, False),
    ],
)
def test_only_who_has_to_act_is_named(of: Evidence, *, primary: bool, chief: bool) -> None:
    who = decide(of).escalation
    assert bool(who) is primary
    assert ("chief" in who) is chief


def test_a_call_that_no_item_is_the_ground_of_rests_on_no_interval() -> None:
    told = decide(evidence(interrupted=True)).confidence
    assert told == "none: the evidence does not suffice"


@pytest.mark.parametrize("kind", FailureKind)
def test_an_item_that_fails_by_silence_alone_proves_no_more_than_that_the_service_is_silent(
    kind: FailureKind,
) -> None:
    """Of an API that gives no answer it is not known whether sign-in is broken; health itself is."""
    found = {
        name: next(
            one for one in decide(evidence(result(name, FAILED, failure=kind))).items if one.id == name
        )
        for name in (HEALTH, SIGN_IN)
    }
    impacts = {item.id: item.user_impact for item in RUNBOOK.items}
    silent = kind is FailureKind.NO_ANSWER
    assert found[HEALTH].user_impact == impacts[HEALTH] != ""
    assert found[SIGN_IN].user_impact == ("" if silent else impacts[SIGN_IN])
    assert (found[SIGN_IN].remedy is None) is silent
