"""What evidence says of itself, and what it refuses to be."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.confirmation.confirmed import FailureState
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.clauses import grounds
from kamiyo_verify.model.words import Action, Attribution, Impact, Part, Phase, Status
from tests.support.evidence_for import (
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    RUNBOOK,
    SECRETS,
    SENTRY,
    UNVERIFIED,
    WEBHOOK,
    blamed,
    evidence,
    result,
)


def test_an_item_outside_the_runbook_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no item postdeploy\.stranger"):
        evidence(result("postdeploy.stranger"))


def test_two_results_of_one_item_are_refused() -> None:
    with pytest.raises(ValueError, match=f"more than one result for {HEALTH}"):
        evidence(result(HEALTH), result(HEALTH, FAILED))


def test_an_item_that_did_not_run_says_why() -> None:
    of = evidence(without=(DATA, WEBHOOK), absent=frozenset({Part.PAYMENTS}))
    found = {item: of.result(item) for item in (DATA, WEBHOOK, SENTRY)}
    assert {item: one and (one.status, one.message) for item, one in found.items()} == {
        DATA: (Status.UNVERIFIED, "not selected in this run"),
        WEBHOOK: (Status.NOT_APPLICABLE, "this environment has no payments"),
        SENTRY: (Status.UNVERIFIED, "no check yet"),
    }


def test_an_item_of_another_phase_has_no_result_unless_it_ran() -> None:
    assert evidence().result(SECRETS) is None
    assert evidence(result(SECRETS)).result(SECRETS) == result(SECRETS)


def test_failures_come_in_the_runbooks_order() -> None:
    of = evidence(result(LEAK, FAILED), result(HEALTH, FAILED), result(LIVE, FAILED))
    assert [one.item for one in of.failed()] == [HEALTH, LEAK, LIVE]
    assert [one.item for one in of.failed(Impact.SECURITY, Impact.FEATURE)] == [LEAK, LIVE]


def test_a_ground_is_what_nobody_else_did_and_what_was_deployed() -> None:
    phases = (Phase.PREFLIGHT, Phase.POSTDEPLOY)
    of = evidence(result(SECRETS, FAILED), result(LEAK, FAILED), phases=phases)
    assert [one.item for _, one, _ in grounds(of, FailureState.BROKEN)] == [LEAK]
    assert not [*grounds(evidence(blamed(LEAK, Attribution.PRE_EXISTING)), FailureState.BROKEN)]


def test_unproven_is_what_is_required_and_was_not_seen() -> None:
    of = evidence(result(HEALTH, ERROR), result(WEBHOOK, UNVERIFIED), result(LIVE, ERROR), without=(DATA,))
    assert [one.item for one in of.unproven()] == [HEALTH, DATA, WEBHOOK]


def test_an_unknown_item_is_no_item() -> None:
    with pytest.raises(LookupError, match="stranger"):
        evidence().item("postdeploy.stranger")


def test_an_optional_item_holds_nothing_up_unless_it_was_tried() -> None:
    optional = RUNBOOK.model_copy(
        update={
            "items": tuple(
                one.model_copy(update={"optional": one.id in {HEALTH, DATA}}) for one in RUNBOOK.items
            )
        }
    )
    of = evidence(
        result(HEALTH, UNVERIFIED), result(DATA, ERROR), result(WEBHOOK, UNVERIFIED), runbook=optional
    )
    assert [one.item for one in of.unproven()] == [DATA, WEBHOOK]
    assert decide(evidence(result(HEALTH, UNVERIFIED), runbook=optional)).recommendation is Action.PROCEED
    assert decide(evidence(result(HEALTH, FAILED), runbook=optional)).recommendation is Action.ROLL_BACK
