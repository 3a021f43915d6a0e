"""What would change the call: each statement, and the evidence that it was tried on."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.clauses import roll_back
from kamiyo_verify.judge.rules.finding import spared_share
from kamiyo_verify.judge.rules.flip import flip
from kamiyo_verify.judge.slo import objectives
from kamiyo_verify.model.circumstances import Before, FailedBefore, SupplierReport
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Supplier
from tests.support.evidence_for import (
    DATA,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LEAK,
    LIVE,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    at,
    evidence,
    measured,
    result,
)

A = Action


def statements(
    given: Evidence, action: Action, *items: str, blamed: Attribution | None = None
) -> dict[str, Evidence]:
    """Every statement, with the evidence that it was tried on: this judge always calls for something else."""
    tried: list[Evidence] = []

    def judge(altered: Evidence) -> Action:
        tried.append(altered)
        return A.HOLD

    reasons = [Reason(item, None, blamed, "", "") for item in items]
    said = flip(given, action, reasons, objectives.judge(attributed(given)), judge)
    return dict(zip(said.split(": hold; "), tried, strict=True)) if said else {}


def seen(of: Evidence, item: str) -> Result:
    found = of.result(item)
    assert found is not None
    return found


def test_items_that_pass_are_named_up_to_three() -> None:
    items = (SIGN_IN, HEALTH, LIVE, LEAK)
    given = evidence(*(result(item, FAILED, failure=FailureKind.NO_ANSWER) for item in items))
    said = statements(given, A.FIX_FORWARD, *items)
    [(what, altered)] = said.items()
    assert what == f"{SIGN_IN}, {HEALTH}, {LIVE} and 1 more passing: hold"
    assert all(seen(altered, item).status is PASSED for item in items)
    assert seen(altered, SIGN_IN).failure is None
    [three] = statements(evidence(*(result(item, FAILED) for item in items[:3])), A.FIX_FORWARD, *items[:3])
    assert three == f"{SIGN_IN}, {HEALTH}, {LIVE} passing: hold"


def test_a_rollback_is_tried_with_a_failure_of_before() -> None:
    known = Before(
        run="r1",
        baseline=True,
        commit="",
        finished_at="",
        age_s=1.0,
        statuses={SIGN_IN: PASSED, HEALTH: PASSED},
        failures={SIGN_IN: FailedBefore(), HEALTH: FailedBefore()},
    )
    said = statements(evidence(result(SIGN_IN, FAILED), before=known), A.ROLL_BACK, SIGN_IN)
    altered = said[f"{SIGN_IN} known to have failed before this deploy: hold"]
    assert altered.before is not None
    assert altered.before.statuses == {SIGN_IN: FAILED, HEALTH: PASSED}
    assert altered.before.failures == {HEALTH: FailedBefore()}
    assert altered.before.run == "r1"
    assert "before" not in "".join(statements(evidence(result(SIGN_IN, FAILED)), A.FIX_FORWARD, SIGN_IN))


def test_what_others_did_is_tried_without_them() -> None:
    given = evidence(
        result(SIGN_IN, FAILED), suppliers=(SupplierReport(Supplier.STRIPE, ("Webhooks: major outage",)),)
    )
    theirs = statements(given, A.FIX_FORWARD, SIGN_IN, blamed=Attribution.THIRD_PARTY)
    assert theirs[f"{SIGN_IN} still failing once the third party is well: hold"].suppliers == ()
    older = statements(given, A.FIX_FORWARD, SIGN_IN, blamed=Attribution.PRE_EXISTING)
    altered = older[f"a baseline in which {SIGN_IN} passed: hold"]
    assert altered.before is not None
    assert altered.before.statuses == {SIGN_IN: PASSED}


def test_what_passed_or_is_no_item_changes_nothing() -> None:
    assert statements(evidence(), A.FIX_FORWARD, SIGN_IN, "", "api-p95x") == {}


def test_requests_of_a_refused_credential_are_left_out_where_an_item_passes() -> None:
    sent = [
        Exchange("GET", f"https://a.example/{number}", 200, 1.0, accepted=accepted)
        for number, accepted in enumerate((True, False, None))
    ]
    [(_, altered)] = statements(
        evidence(result(HEALTH, FAILED, exchanges=tuple(sent))), A.FIX_FORWARD, HEALTH
    ).items()
    assert [one.accepted for one in seen(altered, HEALTH).exchanges] == [True, None]


def errors_in(of: Evidence) -> Any:
    taken = seen(of, ERRORS).measurement("errors")
    return taken and taken.value


def test_failing_requests_are_told_up_to_the_line() -> None:
    many = statements(evidence(measured(ERRORS, errors=16, requests=80)), A.ROLL_BACK, ERRORS)
    assert {what: errors_in(of) for what, of in many.items()} == {
        "at most 7 of 80 requests failing (it is 16): hold": 7
    }
    few = statements(evidence(measured(ERRORS, errors=24, requests=1_200)), A.FIX_FORWARD, ERRORS)
    assert {what: errors_in(of) for what, of in few.items()} == {
        "no request failing": 0,
        "74 of 1,200 requests failing: hold": 74,
    }
    open_one = statements(evidence(measured(ERRORS, errors=5, requests=120)), A.INCONCLUSIVE, ERRORS)
    assert {what: errors_in(of) for what, of in open_one.items()} == {
        "at most 1 of 120 requests failing (it is 5)": 1,
        "11 of 120 requests failing: hold": 11,
    }


def test_an_objective_that_is_no_reason_is_not_told() -> None:
    given = evidence(
        measured(ERRORS, errors=16, requests=80), measured(LATENCY, response_times=(900.0,) * 80)
    )
    assert not any("80 requests" in what for what in statements(given, A.FIX_FORWARD, LATENCY))
    assert not any("p95" in what for what in statements(given, A.FIX_FORWARD, ERRORS))
    assert statements(given, A.FIX_FORWARD, "availability") == {}


def test_an_objective_that_was_not_measured_keeps_no_other_from_being_told() -> None:
    given = evidence(result(LATENCY, FAILED), measured(ERRORS, errors=16, requests=80))
    said = statements(given, A.ROLL_BACK, LATENCY, ERRORS)
    assert "at most 7 of 80 requests failing (it is 16): hold" in said


def test_times_are_told_clearly_under_the_objective_and_the_line() -> None:
    given = evidence(
        measured(LATENCY, response_times=(900.0,) * 80),
        baseline={LATENCY: (Measurement("response_times", (400.0,) * 80, "ms"),)},
    )
    said = statements(given, A.ROLL_BACK, LATENCY)
    assert [*said] == [
        "p95 clearly under 500 ms (it is 900 ms)",
        "the median clearly under 600 ms, 50 % more than the 400 ms before (it is 900 ms): hold",
    ]
    middles = [median(seen(of, LATENCY).measurement("response_times").value) for of in said.values()]  # type: ignore[union-attr,arg-type]
    assert middles == pytest.approx([450.0, 540.0])


def tries(pattern: str) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(FAILED if one == "F" else PASSED, "no rows" if one == "F" else "", at(number), 0.1)
        for number, one in enumerate(pattern)
    )


def test_a_flaky_item_is_told_with_one_more_failing_try() -> None:
    given = evidence(result(DATA, attempts=tries("FFP")), result(LIVE, attempts=tries("PP")))
    [(what, altered)] = statements(given, A.PROCEED).items()
    assert what == f"one more failing try of {DATA} (2 of 3 failed): hold"
    assert (seen(altered, DATA).status, seen(altered, DATA).message) == (FAILED, "no rows")
    assert statements(given, A.ROLL_BACK) == {}


# Clauses and headlines


def test_many_causes_of_one_clause_are_counted_beyond_those_that_are_named() -> None:
    items = tuple(one.model_copy(update={"impact": RUNBOOK.items[2].impact}) for one in RUNBOOK.items)
    book = RUNBOOK.model_copy(update={"items": items})
    names = (HEALTH, DATA, SIGN_IN, LIVE, LEAK)
    given = evidence(*(result(item, FAILED, f"{item[11:]} is broken") for item in names), runbook=book)
    [found] = roll_back(attributed(given))
    assert found.headline.startswith("core functionality is broken: api-health is broken; ")
    named = found.headline.count("is broken") - 1
    assert found.headline.endswith(f" and {5 - named} more causes")


@pytest.mark.parametrize(
    ("interval", "clause"),
    [((0.0, 0.049), "few users"), ((0.0, 0.05), ""), ((0.06, 0.2), ""), ((0.0, None), ""), (None, "")],
)
def test_few_users_are_cited_where_the_whole_interval_is_under_their_limit(
    interval: tuple[float | None, float | None] | None, clause: str
) -> None:
    assert spared_share(RUNBOOK.policy, interval) == clause
