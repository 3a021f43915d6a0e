"""The rules: one table of evidence and the call that it must get."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import NO_CHECK_FOUND, Evidence
from kamiyo_verify.judge.rules.rules import PREMISES, RULES
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, Impact, Part, Phase
from tests.engine.judge.test_outages import timeline
from tests.support.evidence_for import (
    BACK,
    COMMIT,
    DATA,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LEAK,
    LIVE,
    LOOKS,
    NOT_APPLICABLE,
    PASSED,
    RUNBOOK,
    SECRETS,
    SENTRY,
    SIGN_IN,
    TESTS,
    UNVERIFIED,
    WEBHOOK,
    blamed,
    evidence,
    looked,
    measured,
    result,
)

PROCEED, HOLD, FIX_FORWARD = Action.PROCEED, Action.HOLD, Action.FIX_FORWARD
ROLL_BACK, INCONCLUSIVE = Action.ROLL_BACK, Action.INCONCLUSIVE
PREFLIGHT, ROLLBACK = (Phase.PREFLIGHT,), (Phase.ROLLBACK,)
ASKED = "9c41d07a2b8e"
GRAVE = (HEALTH, DATA, SIGN_IN, WEBHOOK, LEAK)
LESSER = (LIVE, LOOKS, LATENCY, COMMIT)


def commit(read: str, other: str = "", **more: object) -> Result:
    taken = [Measurement("api_commit", read)] + ([Measurement("frontend_commit", other)] if other else [])
    return result(COMMIT, FAILED, f"{read} answers", measurements=tuple(taken), **more)


def silent(item: str) -> Result:
    return result(item, FAILED, exchanges=(Exchange("GET", "http://x/", None, 1.0, problem="refused"),))


def sampled(failed: int, total: int) -> Confirmation:
    """A follow-up sample whose failures are spread evenly."""
    step = max(1, total // max(failed, 1))
    bad = tuple(
        failed > 0 and number % step == step - 1 and number // step < failed for number in range(total)
    )
    share = FailingShare("GET /", "2026-11-23T14:10:05+00:00", tuple(map(float, range(total))), bad)
    return Confirmation("2026-11-23T14:10:00+00:00", share=share)


ENDED = Confirmation(
    "2026-11-23T14:10:00+00:00",
    (
        Recheck("2026-11-23T14:10:05+00:00", FAILED),
        *(Recheck(f"2026-11-23T14:10:{second}+00:00", PASSED) for second in range(12, 61, 6)),
    ),
)


def compared(median: float, times: float = 1.0, spread: float = 0.05) -> Evidence:
    """A median response time in ms after a deployment, times a factor; it was 100 ms before."""
    steps = [1 + spread * (number / 50 - 1) for number in range(101)]
    before = tuple(100.0 * step for step in steps)
    after = tuple(median * times * step for step in steps)
    return evidence(
        measured(LATENCY, response_times=after),
        baseline={LATENCY: (Measurement("response_times", before, "ms"),)},
    )


def fewer_rows(count: int) -> Evidence:
    """That many rows after a deployment, where the baseline has 420."""
    before = Before(
        run="before", baseline=True, commit="", finished_at="", age_s=60.0, statuses={DATA: PASSED}
    )
    return evidence(
        result(DATA, measurements=(Measurement("exploits", count, "count"),)),
        before=before,
        baseline={DATA: (Measurement("exploits", 420, "count"),)},
    )


DEAD = tuple(
    Exchange("GET", "http://api/stats", 500, 1.0, at=f"2026-11-23T14:10:0{n}+00:00") for n in range(4)
)


def shorter_page() -> Evidence:
    """A page of 20 rows after a deployment, where the baseline listed 40."""
    before = Before(
        run="before", baseline=True, commit="", finished_at="", age_s=60.0, statuses={SIGN_IN: PASSED}
    )
    items = tuple(
        one.model_copy(update={"impact": Impact.DATA if one.id == SIGN_IN else one.impact})
        for one in RUNBOOK.items
    )
    page = (Measurement("listed_rows", 20, "count"), Measurement("listed_as", "a page of more"))
    return evidence(
        result(SIGN_IN, measurements=page),
        runbook=RUNBOOK.model_copy(update={"items": items}),
        before=before,
        baseline={SIGN_IN: (Measurement("listed_rows", 40, "count"),)},
    )


CALLS: list[tuple[str, Evidence, Action]] = [
    ("all passed", evidence(), PROCEED),
    ("preflight passed", evidence(phases=PREFLIGHT), PROCEED),
    ("after a rollback, passed", evidence(phases=ROLLBACK), PROCEED),
    ("rows are gone", fewer_rows(42), ROLL_BACK),
    ("a few rows fewer", fewer_rows(400), PROCEED),
    ("a shorter page of more rows", shorter_page(), INCONCLUSIVE),
    ("a crash loop", evidence(timelines=(timeline(("S" * 8 + "NN") * 4),)), INCONCLUSIVE),
    ("no phase at all", evidence(phases=()), INCONCLUSIVE),
    ("nothing ran", evidence(without=tuple(item.id for item in RUNBOOK.items)), INCONCLUSIVE),
    (
        "nothing answered",
        evidence(result(TESTS, ERROR), result(SECRETS, ERROR), phases=PREFLIGHT),
        INCONCLUSIVE,
    ),
    ("nothing applies", evidence(result(BACK, NOT_APPLICABLE), phases=ROLLBACK), INCONCLUSIVE),
    ("interrupted, all passed", evidence(interrupted=True), INCONCLUSIVE),
    ("interrupted after a failure", evidence(result(SIGN_IN, FAILED), interrupted=True), INCONCLUSIVE),
    *((f"{item} failed", evidence(result(item, FAILED)), ROLL_BACK) for item in GRAVE),
    *((f"{item} failed", evidence(result(item, FAILED)), FIX_FORWARD) for item in LESSER),
    ("nobody knows whose doing", evidence(blamed(SIGN_IN, Attribution.UNKNOWN)), ROLL_BACK),
    ("introduced", evidence(blamed(SIGN_IN, Attribution.INTRODUCED)), ROLL_BACK),
    ("there before", evidence(blamed(SIGN_IN, Attribution.PRE_EXISTING)), FIX_FORWARD),
    (
        "requests fail for many, and there was no time to see it again",
        evidence(
            result(
                ERRORS,
                FAILED,
                measurements=(Measurement("errors", 16, "count"), Measurement("requests", 80, "count")),
                confirmation=Confirmation("2026-11-23T14:10:00+00:00", incomplete="no time"),
            )
        ),
        INCONCLUSIVE,
    ),
    ("a third party", evidence(blamed(WEBHOOK, Attribution.THIRD_PARTY)), FIX_FORWARD),
    ("our own network", evidence(blamed(HEALTH, Attribution.PROBER)), INCONCLUSIVE),
    ("our own network, lesser item", evidence(blamed(LIVE, Attribution.PROBER)), INCONCLUSIVE),
    (
        "one introduced, one not",
        evidence(blamed(HEALTH, Attribution.PROBER), result(LEAK, FAILED)),
        ROLL_BACK,
    ),
    ("a required item not measured", evidence(result(SIGN_IN, ERROR)), INCONCLUSIVE),
    ("a required item not verified", evidence(result(WEBHOOK, UNVERIFIED)), INCONCLUSIVE),
    ("a required item not selected", evidence(without=(DATA,)), INCONCLUSIVE),
    ("-k leaves a lesser item out", evidence(without=(LIVE,), not_run={LIVE: "-k"}), INCONCLUSIVE),
    ("a required item has no check", evidence(without=(DATA,), not_run={DATA: NO_CHECK_FOUND}), INCONCLUSIVE),
    (
        "-k leaves an item out, another failed",
        evidence(result(SIGN_IN, FAILED), without=(LIVE,), not_run={LIVE: "-k"}),
        ROLL_BACK,
    ),
    (
        "nothing of one phase applies",
        evidence(*(result(item.id, NOT_APPLICABLE) for item in RUNBOOK.items if item.phase == "performance")),
        INCONCLUSIVE,
    ),
    ("a required item not applicable", evidence(result(WEBHOOK, NOT_APPLICABLE)), PROCEED),
    (
        "a required item of an absent part",
        evidence(without=(WEBHOOK,), absent=frozenset({Part.PAYMENTS})),
        PROCEED,
    ),
    ("a lesser item not verified", evidence(result(LIVE, UNVERIFIED)), PROCEED),
    ("a lesser item not selected", evidence(without=(LIVE,)), PROCEED),
    ("a lesser item not measured", evidence(result(LIVE, ERROR)), INCONCLUSIVE),
    (
        "a failure outweighs what was not seen",
        evidence(result(SIGN_IN, FAILED), result(HEALTH, ERROR)),
        ROLL_BACK,
    ),
    ("a lesser failure does not", evidence(result(LIVE, FAILED), result(HEALTH, ERROR)), INCONCLUSIVE),
    ("preflight failed", evidence(result(TESTS, FAILED), phases=PREFLIGHT), HOLD),
    ("preflight found a hole", evidence(result(SECRETS, FAILED), phases=PREFLIGHT), HOLD),
    ("preflight could not look", evidence(result(SECRETS, UNVERIFIED), phases=PREFLIGHT), INCONCLUSIVE),
    ("not well after a rollback", evidence(result(BACK, FAILED), phases=ROLLBACK), FIX_FORWARD),
    ("objective breached", evidence(measured(LATENCY, response_times=(900.0,) * 59)), FIX_FORWARD),
    ("two in a hundred fail", evidence(measured(ERRORS, errors=24, requests=1_200)), FIX_FORWARD),
    ("twenty in a hundred fail", evidence(measured(ERRORS, errors=16, requests=80)), ROLL_BACK),
    (
        "three in a hundred fail: under twice the line",
        evidence(measured(ERRORS, errors=8, requests=250)),
        FIX_FORWARD,
    ),
    ("five of eighty fail", evidence(measured(ERRORS, errors=5, requests=80)), INCONCLUSIVE),
    ("an endpoint is dead", evidence(result(HEALTH, exchanges=DEAD)), ROLL_BACK),
    ("a lesser endpoint is dead", evidence(result(ERRORS, exchanges=DEAD)), FIX_FORWARD),
    ("one of eighty fails", evidence(measured(ERRORS, errors=1, requests=80)), PROCEED),
    ("30 % slower", compared(130.0), PROCEED),
    ("60 % slower", compared(160.0), FIX_FORWARD),
    ("five times as slow", compared(120.0, times=5.0), ROLL_BACK),
    ("slower within the objective, by how much is open", compared(140.0, spread=0.3), PROCEED),
    ("objective neither met nor breached", evidence(measured(ERRORS, errors=0, requests=120)), PROCEED),
    ("another commit answers", evidence(commit("3b0cca2f00d1"), commit=ASKED), INCONCLUSIVE),
    (
        "another commit, and a failure",
        evidence(commit("3b0cca2f00d1"), result(LEAK, FAILED), commit=ASKED),
        INCONCLUSIVE,
    ),
    (
        "another commit on one service",
        evidence(commit("3b0cca2f00d1", other=ASKED), commit=ASKED),
        INCONCLUSIVE,
    ),
    (
        "another commit on one service, and a failure on the other",
        evidence(commit("3b0cca2f00d1", other=ASKED), result(SIGN_IN, FAILED), commit=ASKED),
        ROLL_BACK,
    ),
    ("the commit answers", evidence(commit=ASKED), PROCEED),
    ("the commit is not told", evidence(result(COMMIT, UNVERIFIED), commit=ASKED), INCONCLUSIVE),
    (
        "the commit is not told, a failure",
        evidence(result(COMMIT, UNVERIFIED), result(LEAK, FAILED), commit=ASKED),
        INCONCLUSIVE,
    ),
    ("the commit was not looked at", evidence(without=(COMMIT,), commit=ASKED), INCONCLUSIVE),
    ("no commit was asked for", evidence(result(COMMIT, UNVERIFIED)), PROCEED),
    ("a baseline, all passed", evidence(records_baseline=True), PROCEED),
    ("a baseline, broken", evidence(result(SIGN_IN, FAILED), records_baseline=True), HOLD),
    ("a failure for few", evidence(result(SIGN_IN, FAILED, confirmation=sampled(1, 200))), FIX_FORWARD),
    ("a failure for some", evidence(result(SIGN_IN, FAILED, confirmation=sampled(1, 40))), INCONCLUSIVE),
    ("an outage that ended", evidence(result(SIGN_IN, FAILED, confirmation=ENDED)), PROCEED),
    (
        "two in a hundred requests fail",
        looked(SIGN_IN, "FP", "PPP", ("F" + "S" * 49) * 12),
        FIX_FORWARD,
    ),
    (
        "a commit that no item reads",
        evidence(
            commit=ASKED,
            runbook=RUNBOOK.model_copy(
                update={"items": tuple(one for one in RUNBOOK.items if one.id != COMMIT)}
            ),
            expected=tuple(one.id for one in RUNBOOK.items if one.id in {HEALTH, DATA, SIGN_IN}),
            results=tuple(result(one) for one in (HEALTH, DATA, SIGN_IN)),
        ),
        INCONCLUSIVE,
    ),
    ("a commit, before the deploy", evidence(phases=PREFLIGHT, commit=ASKED), PROCEED),
    ("the platform is silent", evidence(silent(COMMIT), silent(HEALTH), commit=ASKED), ROLL_BACK),
]


@pytest.mark.parametrize(("of", "action"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
def test_each_evidence_gets_its_call(of: Evidence, action: Action) -> None:
    assert decide(of).recommendation is action


@pytest.mark.parametrize("rule", [*PREMISES, *RULES])
def test_no_rule_speaks_when_all_is_well(rule: object) -> None:
    assert callable(rule)
    assert rule(evidence(commit=ASKED)) is None


def test_each_rule_is_reached() -> None:
    silent_rules = [rule for rule in (*PREMISES, *RULES) if not any(rule(of) for _, of, _ in CALLS)]
    assert not silent_rules


def test_reasons_come_worst_first_each_with_its_clause() -> None:
    failed = (result(item, FAILED) for item in GRAVE)
    reasons = decide(evidence(*failed)).reasons
    assert [(reason.item, reason.clause) for reason in reasons] == [
        (LEAK, "a hole was opened"),
        (DATA, "data is corrupted"),
        (SIGN_IN, "nobody signs in"),
        (WEBHOOK, "payments fail"),
        (HEALTH, "core is broken"),
    ]
    assert {reason.attribution for reason in reasons} == {Attribution.UNKNOWN}


def test_a_lesser_failure_names_the_clause_that_forbids_a_rollback() -> None:
    (reason,) = decide(evidence(result(LIVE, FAILED))).reasons
    assert reason.clause == "a lesser feature"


@pytest.mark.parametrize(
    ("attribution", "why"),
    [(Attribution.PRE_EXISTING, "failed before"), (Attribution.THIRD_PARTY, "third party is down")],
)
def test_what_this_deploy_did_not_cause_says_why_it_is_not_rolled_back(
    attribution: Attribution, why: str
) -> None:
    (reason,) = decide(evidence(blamed(SIGN_IN, attribution))).reasons
    assert why in reason.message
    assert not reason.clause


def test_an_impact_without_a_clause_does_not_roll_back() -> None:
    clauses = tuple(one for one in RUNBOOK.policy.roll_back if one.impact is not Impact.AUTH)
    policy = RUNBOOK.policy.model_copy(update={"roll_back": clauses})
    of = evidence(result(SIGN_IN, FAILED), runbook=RUNBOOK.model_copy(update={"policy": policy}))
    assert decide(of).recommendation is FIX_FORWARD


def test_missing_evidence_is_named_with_what_would_give_it() -> None:
    verdict = decide(
        evidence(result(WEBHOOK, UNVERIFIED, "STRIPE_WEBHOOK_SECRET is not set"), result(LIVE, ERROR))
    )
    assert [(reason.item, reason.message) for reason in verdict.reasons] == [
        (WEBHOOK, "STRIPE_WEBHOOK_SECRET is not set"),
        (LIVE, f"{LIVE} is error"),
    ]
    assert verdict.headline == "1 required item not verified; 1 other item could not be measured"


def test_where_nothing_is_missing_nothing_is_to_be_supplied() -> None:
    verdict = decide(evidence(result(LIVE, ERROR, "the check itself broke")))
    assert verdict.next_step.startswith(
        f"decide nothing from this run: find out why {LIVE} could not be measured, then run "
    )


def test_an_item_without_a_check_never_blocks() -> None:
    verdict = decide(evidence())
    assert verdict.recommendation is PROCEED
    assert SENTRY in {missing.item for missing in verdict.unverified}


def test_failures_of_another_commit_are_told_and_not_judged() -> None:
    verdict = decide(evidence(commit("3b0cca2f00d1"), result(LEAK, FAILED), commit=ASKED))
    assert verdict.headline == "nothing was verified about this deploy"
    assert [reason.item for reason in verdict.reasons] == [COMMIT]
    assert any(LEAK in warning for warning in verdict.rollback.warnings)


@pytest.mark.parametrize("read", ["9c41d07", "9C41D07A2B8E", "9c41d07a2b8e00112233"])
def test_an_abbreviated_commit_is_the_same_commit(read: str) -> None:
    answered = (Exchange("GET", "http://x/", None, 1.0),)
    verdict = decide(evidence(commit(read, exchanges=answered), commit=ASKED))
    assert verdict.headline != "nothing was verified about this deploy"


def test_two_services_of_two_commits_are_no_one_deploy() -> None:
    taken = (Measurement("api_commit", "a" * 12), Measurement("frontend_commit", "b" * 12))
    verdict = decide(evidence(result(COMMIT, FAILED, measurements=taken)))
    assert verdict.recommendation is INCONCLUSIVE


def test_few_failing_requests_rest_on_the_clause_of_few_users_and_many_on_that_of_the_core() -> None:
    few = decide(evidence(measured(ERRORS, errors=24, requests=1_200))).reasons
    many = decide(evidence(measured(ERRORS, errors=240, requests=1_200))).reasons
    assert [reason.clause for reason in (*few, *many)] == ["few users", "core is broken"]
    assert (few[0].item, few[0].impact) == ("error-rate", None)


def test_a_breached_percentile_cites_no_clause_of_a_slowdown_that_nobody_measured() -> None:
    (reason,) = decide(evidence(measured(LATENCY, response_times=(900.0,) * 59))).reasons
    assert reason.clause == ""


def test_an_item_is_a_reason_only_once() -> None:
    reasons = decide(evidence(blamed(BACK, Attribution.PRE_EXISTING), phases=ROLLBACK)).reasons
    assert [reason.item for reason in reasons] == [BACK]


def test_where_another_commit_answers_the_next_step_is_about_instances() -> None:
    verdict = decide(evidence(commit("3b0cca2f00d1"), commit=ASKED))
    assert verdict.next_step.startswith(
        "decide nothing from this run: see that the commit is live on every instance, then run pytest"
    )
