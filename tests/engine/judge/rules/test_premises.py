"""What a run must have seen before it speaks of a deployment, and what the report says where it has not."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import NO_CHECK_FOUND
from kamiyo_verify.model.result import Attempt, Exchange, Measurement
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Phase
from tests.support.evidence_for import (
    BACK,
    COMMIT,
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    LOOKS,
    NOT_APPLICABLE,
    RUNBOOK,
    SECRETS,
    SIGN_IN,
    TESTS,
    UNVERIFIED,
    WEBHOOK,
    blamed,
    evidence,
    result,
)

ASKED = "9c41d07a2b8e"


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (404, Action.INCONCLUSIVE),
        (499, Action.INCONCLUSIVE),
        (500, Action.ROLL_BACK),
        (503, Action.ROLL_BACK),
    ],
)
def test_a_platform_that_answers_without_its_commit_is_not_judged_and_a_silent_one_is(
    status: int, action: Action
) -> None:
    asked = result(COMMIT, ERROR, exchanges=(Exchange("GET", "http://x/version", status, 1.0),))
    verdict = decide(evidence(asked, result(LEAK, FAILED), commit=ASKED))
    assert verdict.recommendation is action


def test_a_baseline_holds_for_what_fails_and_not_for_a_credential_of_ours() -> None:
    ours = blamed(SIGN_IN, Attribution.PROBER)
    alone = decide(evidence(ours, records_baseline=True))
    both = decide(evidence(ours, result(HEALTH, FAILED), records_baseline=True))
    assert alone.recommendation is Action.INCONCLUSIVE
    assert both.recommendation is Action.HOLD
    assert both.headline == "1 item failing before the deployment"


@pytest.mark.parametrize(
    ("without", "why", "headline"),
    [
        ((DATA,), "-k", "1 required item was not selected"),
        ((DATA, SIGN_IN), "-k", "2 required items were not selected"),
        ((DATA, LOOKS), "-k", "1 required item was not selected"),
        ((LOOKS,), "-k", "1 item was not selected"),
        ((LIVE, LOOKS), "-k", "2 items were not selected"),
        ((DATA,), NO_CHECK_FOUND, "1 required item has no check"),
        ((LIVE, LOOKS), NO_CHECK_FOUND, "2 items have no check"),
    ],
)
def test_what_was_left_out_is_counted(without: tuple[str, ...], why: str, headline: str) -> None:
    verdict = decide(evidence(without=without, not_run=dict.fromkeys(without, why)))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.headline == headline


def test_an_item_that_does_not_apply_or_is_optional_may_be_left_out() -> None:
    optional = RUNBOOK.model_copy(
        update={"items": tuple(one.model_copy(update={"optional": one.id == LOOKS}) for one in RUNBOOK.items)}
    )
    left_out = {LOOKS: "-k", WEBHOOK: "-k"}
    of = evidence(result(WEBHOOK, NOT_APPLICABLE), without=(LOOKS,), not_run=left_out, runbook=optional)
    assert decide(of).recommendation is Action.PROCEED


def test_where_nothing_answered_the_commonest_reason_is_told() -> None:
    of = evidence(
        result(TESTS, ERROR, "the GitHub token is not accepted"),
        result(SECRETS, UNVERIFIED, "the GitHub token is not accepted"),
        phases=(Phase.PREFLIGHT,),
    )
    [reason] = decide(of).reasons
    told = "1 error, 1 unverified; most often: the GitHub token is not accepted"
    assert told in reason.message
    assert "the phases are" not in reason.message


def test_where_nothing_was_run_the_phases_are_named() -> None:
    ids = (TESTS, SECRETS)
    of = evidence(without=ids, not_run=dict.fromkeys(ids, "-k"), phases=(Phase.PREFLIGHT,))
    [reason] = decide(of).reasons
    assert "the phases are preflight, deploy, postdeploy" in reason.message


def test_an_interrupted_run_says_how_far_it_came_and_what_failed() -> None:
    of = evidence(result(LIVE, FAILED), without=(LOOKS, COMMIT), interrupted=True)
    verdict = decide(of)
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert [reason.item for reason in verdict.reasons] == ["", LIVE]
    assert "8 of 11 items had been answered when it was cut short" in verdict.reasons[0].message


@pytest.mark.parametrize(("tries", "action"), [(2, Action.ROLL_BACK), (1, Action.INCONCLUSIVE)])
def test_a_hole_that_two_tries_saw_stands_though_the_run_was_interrupted(tries: int, action: Action) -> None:
    seen = tuple(Attempt(FAILED, "stack trace", f"2026-11-23T14:10:0{n}+00:00", 0.1) for n in range(tries))
    hole = result(LEAK, FAILED, attempts=seen, failure=FailureKind.WRONG_CONTENT)
    assert decide(evidence(hole, interrupted=True)).recommendation is action
    grave = result(SIGN_IN, FAILED, attempts=seen, failure=FailureKind.WRONG_CONTENT)
    assert decide(evidence(grave, interrupted=True)).recommendation is Action.INCONCLUSIVE


def test_an_interrupted_baseline_never_calls_for_a_rollback() -> None:
    hole = result(LEAK, FAILED, confirmation=None)
    of = evidence(hole, interrupted=True, records_baseline=True)
    assert decide(of).recommendation is Action.INCONCLUSIVE


def test_what_does_not_work_after_a_rollback_is_repaired_not_rolled_back_again() -> None:
    verdict = decide(evidence(result(BACK, FAILED), phases=(Phase.ROLLBACK,)))
    assert verdict.recommendation is Action.FIX_FORWARD
    assert verdict.headline.startswith("the platform is not well after the rollback")


@pytest.mark.parametrize(
    ("failed", "headline"), [((LIVE,), "1 item failed"), ((LIVE, LOOKS), "2 items failed")]
)
def test_lesser_failures_are_counted(failed: tuple[str, ...], headline: str) -> None:
    assert decide(evidence(*(result(item, FAILED) for item in failed))).headline == headline


def test_a_service_of_another_commit_is_told_by_twelve_characters_of_both() -> None:
    wanted, runs = "9c41d07a2b8e" + "1" * 28, "3b0cca2f00d1" + "2" * 28
    taken = (Measurement("api_commit", runs), Measurement("frontend_commit", wanted))
    verdict = decide(evidence(result(COMMIT, FAILED, measurements=taken), commit=wanted))
    told = f"kamiyo-api runs {runs[:12]} where {wanted[:12]} was expected"
    assert told in [reason.message for reason in verdict.reasons]
