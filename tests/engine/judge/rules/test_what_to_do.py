"""What the report says to do next, who acts, and how sure it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.advice import next_step
from kamiyo_verify.judge.rules.confidence import confidence
from kamiyo_verify.judge.rules.data_loss import COUNTS_ITEM, falls, rows_gone
from kamiyo_verify.judge.rules.escalation import escalation, who_acts
from kamiyo_verify.judge.rules.held_back import held_back
from kamiyo_verify.judge.rules.not_on_release import release_not_shown
from kamiyo_verify.judge.rules.worst import worst
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.confirmation import Confirmation, FailingShare
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.runbook import Contact, Escalation
from kamiyo_verify.model.words import Action, Attribution, Phase
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
    SIGN_IN,
    TESTS,
    UNVERIFIED,
    WEBHOOK,
    at,
    blamed,
    evidence,
    looks,
    measured,
    result,
    share,
    tried,
)
from tests.support.kamiyo_evidence import kamiyo_evidence

ASKED = "9c41d07a2b8e" + "0" * 28
OLD = "3b0cca2" + "0" * 33
A = Action
UNTRIED = Attempt(ERROR, "the run's deadline of 5 s passed before it was tried", "", 0.0)


MANY_ERRORS = measured(ERRORS, errors=16, requests=80)


def tried_once() -> tuple[Attempt, ...]:
    return (Attempt(FAILED, "it broke", at(0), 0.1),)


def missing(*services: bool) -> tuple[Measurement, ...]:
    """Of each service, whether its rollback was not carried out."""
    return tuple(Measurement(f"rollback_missing[{n}]", one, "") for n, one in enumerate(services))


@pytest.mark.parametrize(
    ("of", "action", "told"),
    [
        (evidence(phases=(Phase.PREFLIGHT,)), A.PROCEED, "announce the deployment, then deploy"),
        (evidence(), A.PROCEED, "announce that the deployment succeeded; follow up within the hour"),
        (
            evidence(phases=(Phase.ROLLBACK,)),
            A.PROCEED,
            "announce that the previous version is back, then write the incident report",
        ),
        (evidence(phases=(Phase.FOLLOWUP,)), A.PROCEED, "nothing now: this follow-up is complete"),
        (
            evidence(phases=(Phase.PREFLIGHT, Phase.DEPLOY), commit=ASKED),
            A.PROCEED,
            "continue with pytest -m postdeploy --env staging --commit 9c41d07a2b8e: this run",
        ),
        (
            evidence(phases=(Phase.PERFORMANCE,)),
            A.PROCEED,
            "continue with pytest -m postdeploy --env staging: this run did not cover that phase",
        ),
        (
            evidence(phases=(Phase.PREFLIGHT,), commit=ASKED),
            A.HOLD,
            "repair what is listed below, then run pytest -m preflight --env staging --commit SHA",
        ),
        (
            evidence(phases=(Phase.ROLLBACK,)),
            A.FIX_FORWARD,
            "do not roll back again: repair what is listed below, then run pytest -m rollback --env staging",
        ),
        (
            evidence(),
            A.FIX_FORWARD,
            "keep this version: repair what is listed below, deploy that, then run pytest -m postdeploy",
        ),
        (evidence(commit=ASKED), A.FIX_FORWARD, "then run pytest -m postdeploy --env staging --commit SHA"),
        (
            evidence(commit=ASKED),
            A.INCONCLUSIVE,
            "run pytest -m postdeploy --env staging --commit 9c41d07a2b8e",
        ),
        (evidence(), A.ROLL_BACK, "roll back manually, then run pytest -m rollback --env staging"),
        (evidence(), A.INCONCLUSIVE, "decide nothing from this run: run pytest -m postdeploy --env staging"),
        (
            evidence(result(WEBHOOK, UNVERIFIED)),
            A.INCONCLUSIVE,
            "decide nothing from this run: supply what is missing, then run",
        ),
        (
            evidence(without=(LOOKS,), not_run={LOOKS: "-k"}),
            A.INCONCLUSIVE,
            "decide nothing from this run: supply what is missing, then run",
        ),
        (
            evidence(result(LIVE, ERROR)),
            A.INCONCLUSIVE,
            "decide nothing from this run: find out why postdeploy.websocket could not be measured, then run",
        ),
        (
            evidence(result(WEBHOOK, UNVERIFIED), interrupted=True),
            A.INCONCLUSIVE,
            "decide nothing from this run: run pytest",
        ),
        (
            evidence(result(LIVE, ERROR, attribution=Attribution.INTRODUCED), interrupted=True),
            A.INCONCLUSIVE,
            "decide nothing from this run: run pytest",
        ),
        (
            evidence(result(LIVE, ERROR, attribution=Attribution.INTRODUCED, attempts=(UNTRIED,))),
            A.INCONCLUSIVE,
            f"find out why {LIVE} could not be measured, then run",
        ),
        (
            evidence(interrupted=True),
            A.ROLL_BACK,
            "the run was interrupted after it had confirmed this: roll back manually, then run",
        ),
        (
            evidence(result(BACK, FAILED, measurements=missing(True, True)), phases=(Phase.ROLLBACK,)),
            A.FIX_FORWARD,
            "the rollback was not carried out: run kamiyo-verify rollback --env staging",
        ),
        (
            evidence(result(BACK, FAILED, measurements=missing(True, False)), phases=(Phase.ROLLBACK,)),
            A.FIX_FORWARD,
            "do not roll back again",
        ),
        (
            evidence(commit=ASKED, records_baseline=True),
            A.HOLD,
            "then run pytest -m postdeploy --env staging --commit SHA --baseline",
        ),
        (
            evidence(phases=()),
            A.INCONCLUSIVE,
            "decide nothing from this run: run pytest -m PHASE --env staging",
        ),
        (
            evidence(result(LIVE, ERROR, attribution=Attribution.INTRODUCED)),
            A.INCONCLUSIVE,
            f"find out why {LIVE} no longer answers, then run",
        ),
        (
            evidence(result(LIVE, ERROR, refusal=Refusal("KEY", RefusalKind.UNAUTHORIZED))),
            A.INCONCLUSIVE,
            "decide nothing from this run: renew KEY, then run",
        ),
        (
            evidence(phases=(Phase.PREFLIGHT, Phase.POSTDEPLOY, Phase.PERFORMANCE)),
            A.INCONCLUSIVE,
            'run pytest -m "preflight or postdeploy" --env staging',
        ),
    ],
)
def test_the_next_step_follows_from_the_call_and_the_phase(of: Evidence, action: Action, told: str) -> None:
    assert told in next_step(of, action)


PRIMARY = "primary (Ada, +45 1)"


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (None, f"{PRIMARY} now: looks into it; secondary from minute 15; no contacts in runbook.toml"),
        (0.0, f"{PRIMARY} now (minute 0 of the deployment): looks into it; secondary from minute 15;"),
        (14.9, f"{PRIMARY} now (minute 15 of the deployment): looks into it"),
        (15.0, "secondary now (minute 15 of the deployment): joins; manager from minute 30"),
        (29.0, "secondary now (minute 29 of the deployment): joins; manager from minute 30"),
        (30.0, "manager now (minute 30 of the deployment): takes over; no contacts in runbook.toml"),
        (500.0, "manager now (minute 500 of the deployment): takes over; no contacts"),
    ],
)
def test_who_acts_goes_by_the_minute_of_the_deployment(minutes: float | None, told: str) -> None:
    assert who_acts(RUNBOOK, minutes).startswith(told)


def test_the_critical_level_is_told_of_a_critical_outage_alone() -> None:
    assert who_acts(RUNBOOK, 1.0, critical=True, duties=False) == (
        f"{PRIMARY} now (minute 1 of the deployment); secondary from minute 15;"
        " critical outage: chief is told; no contacts in runbook.toml"
    )
    assert "chief" not in who_acts(RUNBOOK, 1.0)


def test_the_critical_level_is_none_of_the_levels_by_the_minute() -> None:
    critical = Escalation(level=4, from_minute=10, who="chief", does="is told", critical=True)
    book = RUNBOOK.model_copy(update={"escalation": (*RUNBOOK.escalation[:3], critical)})
    assert who_acts(book, 12.0) == who_acts(RUNBOOK, 12.0)


def test_where_everybody_is_known_no_contact_is_missing() -> None:
    level = Escalation(level=1, from_minute=5, who="primary", does="")
    book = RUNBOOK.model_copy(
        update={
            "escalation": (level,),
            "contacts": (Contact(role="PRIMARY", name="Ada", email="a@x.example"),),
        }
    )
    assert who_acts(book, 0.0) == "primary (Ada, a@x.example) now (minute 0 of the deployment)"
    assert who_acts(book.model_copy(update={"escalation": ()}), 0.0) == ""


@pytest.mark.parametrize(
    ("of", "action", "acts"),
    [
        (evidence(result(SIGN_IN, FAILED)), A.ROLL_BACK, True),
        (evidence(result(SIGN_IN, FAILED), interrupted=True), A.ROLL_BACK, True),
        (evidence(result(SIGN_IN, FAILED), interrupted=True), A.INCONCLUSIVE, False),
        (evidence(result(SIGN_IN, FAILED)), A.INCONCLUSIVE, True),
        (evidence(result(LIVE, FAILED)), A.INCONCLUSIVE, False),
        (evidence(blamed(SIGN_IN, Attribution.PROBER)), A.INCONCLUSIVE, False),
        (evidence(result(LIVE, FAILED)), A.FIX_FORWARD, True),
        (evidence(), A.FIX_FORWARD, False),
        (evidence(tried(LIVE, "P", Confirmation(at(0), looks("P")))), A.FIX_FORWARD, True),
        (evidence(result(TESTS, FAILED), phases=(Phase.PREFLIGHT,)), A.FIX_FORWARD, False),
        (evidence(result(LIVE, FAILED)), A.PROCEED, False),
        (evidence(result(TESTS, FAILED), phases=(Phase.PREFLIGHT,)), A.HOLD, False),
        (evidence(result(SIGN_IN, FAILED), deploy_minutes=240.0), A.ROLL_BACK, True),
        (evidence(result(SIGN_IN, FAILED), deploy_minutes=100_000.0), A.ROLL_BACK, False),
    ],
)
def test_somebody_acts_only_where_the_platform_needs_it(of: Evidence, action: Action, *, acts: bool) -> None:
    assert bool(escalation(of, action, critical=False)) is acts


def reasons(*items: str) -> tuple[Reason, ...]:
    return tuple(Reason(item, None, None, "", "") for item in items)


def times(pattern: str, *, every_s: int = 1) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(FAILED if one == "F" else PASSED, "", at(number * every_s), 0.1)
        for number, one in enumerate(pattern)
    )


def failing(item: str, pattern: str, **more: Any) -> Result:
    return result(item, FAILED, attempts=times(pattern), **more)


@pytest.mark.parametrize(
    ("of", "items", "action", "told"),
    [
        (
            evidence(failing(SIGN_IN, "FFF")),
            (SIGN_IN,),
            A.ROLL_BACK,
            f"high: {SIGN_IN} failed in 3 of 3 tries and rechecks over 2 s",
        ),
        (
            evidence(failing(SIGN_IN, "FF")),
            (SIGN_IN,),
            A.ROLL_BACK,
            f"moderate: {SIGN_IN} failed in 2 of 2 tries and rechecks over 1 s",
        ),
        (evidence(failing(SIGN_IN, "PFF")), (SIGN_IN,), A.ROLL_BACK, f"moderate: {SIGN_IN} failed in 2 of 3"),
        (
            evidence(failing(SIGN_IN, "F")),
            (SIGN_IN,),
            A.FIX_FORWARD,
            f"low: {SIGN_IN} failed in the only try",
        ),
        (
            evidence(result(SIGN_IN, FAILED)),
            (SIGN_IN,),
            A.FIX_FORWARD,
            f"low: {SIGN_IN} failed in the only try",
        ),
        (
            evidence(failing(SIGN_IN, "F"), failing(LIVE, "F")),
            (SIGN_IN, LIVE),
            A.FIX_FORWARD,
            "low: 2 items failed in the only try of each",
        ),
        (
            evidence(failing(SIGN_IN, "FF"), failing(LIVE, "PF")),
            (SIGN_IN, LIVE),
            A.ROLL_BACK,
            "moderate: 2 items failed in 3 of 4 tries and rechecks over 1 s",
        ),
        (
            evidence(failing(SIGN_IN, "F", confirmation=Confirmation(at(0), looks("FF")))),
            (SIGN_IN,),
            A.ROLL_BACK,
            f"high: {SIGN_IN} failed in 3 of 3 tries and rechecks over 10 s",
        ),
        (
            evidence(failing(SIGN_IN, "FP", confirmation=Confirmation(at(0), looks("F"), share("FS" * 8)))),
            (SIGN_IN,),
            A.ROLL_BACK,
            "tries and rechecks over 2 s, and 8 of 16 sampled requests failed",
        ),
        (
            evidence(failing(SIGN_IN, "FP")),
            (SIGN_IN,),
            A.INCONCLUSIVE,
            f"none: the evidence does not suffice; {SIGN_IN} failed in 1 of 2",
        ),
        (
            evidence(
                failing(SIGN_IN, "FP", confirmation=Confirmation(at(0), share=share("FS" * 8))),
                failing(HEALTH, "FP", confirmation=Confirmation(at(0), share=share("FSSS" * 9))),
            ),
            (SIGN_IN, HEALTH),
            A.ROLL_BACK,
            "high: 2 items failed in 2 of 4 tries and rechecks over 1 s, and 8 of 16 sampled requests failed",
        ),
        (evidence(), (), A.INCONCLUSIVE, "none: the evidence does not suffice"),
        (evidence(), (), A.FIX_FORWARD, ""),
        (
            evidence(MANY_ERRORS, measured(LATENCY, response_times=(900.0,) * 200)),
            (HEALTH, ERRORS, LATENCY, "error-rate", "api-p95"),
            A.FIX_FORWARD,
            f"high: intervals at 95 % confidence for {ERRORS}, {LATENCY}, error-rate and 1 more",
        ),
        (
            evidence(MANY_ERRORS),
            (ERRORS,),
            A.FIX_FORWARD,
            f"high: intervals at 95 % confidence for {ERRORS}",
        ),
        (
            evidence(MANY_ERRORS, result(LATENCY, FAILED, attempts=tried_once())),
            (ERRORS, LATENCY, "api-p95"),
            A.FIX_FORWARD,
            f"high: intervals at 95 % confidence for {ERRORS}; {LATENCY} failed in the only try",
        ),
        (
            evidence(result(ERRORS, FAILED, attempts=tried_once())),
            (ERRORS, "error-rate"),
            A.FIX_FORWARD,
            f"low: {ERRORS} failed in the only try",
        ),
        (
            evidence(measured(ERRORS, errors=0, requests=3)),
            (ERRORS,),
            A.INCONCLUSIVE,
            "none: the evidence does not suffice",
        ),
    ],
)
def test_the_confidence_is_told_by_tries_and_their_time(
    of: Evidence, items: tuple[str, ...], action: Action, told: str
) -> None:
    found = confidence(of, action, reasons(*items), slo.judge(of))
    assert told in found
    assert ("intervals" in found) is ("intervals" in told)


def test_a_proceed_tells_what_it_rests_on() -> None:
    verdict = decide(evidence(result(WEBHOOK, NOT_APPLICABLE), measured(ERRORS, errors=0, requests=12_000)))
    assert verdict.confidence.startswith(
        f"high: 4 of 4 required items passed; 1 not applicable in staging ({WEBHOOK}); 1 of 3 objectives"
    )
    assert verdict.confidence.endswith("2 undecided")
    optional = RUNBOOK.model_copy(
        update={"items": tuple(one.model_copy(update={"optional": one.id == DATA}) for one in RUNBOOK.items)}
    )
    spared = decide(evidence(result(DATA, UNVERIFIED), runbook=optional)).confidence
    assert f"4 of 4 required items passed; 1 optional one not verified ({DATA})" in spared
    open_one = confidence(evidence(result(DATA, UNVERIFIED)), A.PROCEED, (), ())
    assert open_one == "4 of 5 required items passed"


def counted(**counts: int) -> tuple[Measurement, ...]:
    return tuple(Measurement(name, count, "count") for name, count in counts.items())


def rows(was: int, now: object, commit: str = OLD, name: str = "exploits") -> Evidence:
    before = Before(
        run="r1", baseline=True, commit=commit, finished_at="", age_s=60.0, statuses={COUNTS_ITEM: PASSED}
    )
    taken = Result(COUNTS_ITEM, Phase.POSTDEPLOY, PASSED, measurements=(Measurement(name, now, "count"),))  # type: ignore[arg-type]
    return kamiyo_evidence(taken, commit=ASKED, before=before, baseline={COUNTS_ITEM: counted(**{name: was})})


def test_rows_are_gone_from_the_first_that_the_policy_does_not_allow() -> None:
    [fall] = falls(rows(1_000, 1))
    least = fall.least
    assert falls(rows(1_000, least)) == ()
    [just] = falls(rows(1_000, least - 1))
    assert (just.was, just.now) == (1_000, least - 1)
    assert str(fall) == "exploits counts 1 where the baseline has 1,000 (100% gone)"
    assert [one.now for one in falls(rows(1_000, 0))] == [0]


@pytest.mark.parametrize("now", [True, "12", None, 1_001])
def test_what_is_no_count_or_no_fall_is_no_loss(now: object) -> None:
    assert falls(rows(1_000, now)) == ()
    assert falls(rows(0, 0)) == ()
    assert falls(rows(1_000, 1, name="visitors")) == ()


def test_rows_that_fell_under_the_same_commit_are_repaired_not_taken_back() -> None:
    ours, theirs = rows_gone(rows(1_000, 1)), rows_gone(rows(1_000, 1, commit=ASKED))
    assert ours is not None
    assert theirs is not None
    assert (ours.action, ours.reasons[0].attribution) == (A.ROLL_BACK, Attribution.INTRODUCED)
    assert (theirs.action, theirs.reasons[0].attribution) == (A.FIX_FORWARD, Attribution.PRE_EXISTING)
    assert "taking it back would not help" in theirs.reasons[0].message
    assert "taking it back" not in ours.reasons[0].message


def test_where_nothing_is_rolled_back_no_schema_stands_against_it() -> None:
    assert held_back(evidence(), ()) == ()


def test_a_commit_that_no_item_reads_must_be_seen_by_a_measurement() -> None:
    items = tuple(one for one in RUNBOOK.items if one.id != COMMIT)
    book = RUNBOOK.model_copy(update={"items": items})

    def shown(*results: Result, **more: Any) -> bool:
        given = {one.item for one in results}
        ran = [result(one.id) for one in items if one.phase is Phase.POSTDEPLOY and one.id not in given]
        of = {"runbook": book, "expected": (), "no_check": (), "results": (*ran, *results), "commit": ASKED}
        return release_not_shown(evidence(**{**of, **more})) is None

    read = (Measurement("commit", ASKED[:12]),)
    assert not shown()
    assert shown(result(HEALTH, measurements=read))
    assert shown(result(HEALTH, measurements=(Measurement("api_commit[1]", ASKED[:12]),)))
    assert not shown(result(HEALTH, FAILED, measurements=read))
    assert not shown(result(HEALTH, measurements=(Measurement("commit", OLD),)))
    assert not shown(result(HEALTH, measurements=(Measurement("committed", ASKED),)))
    assert shown(commit="")
    assert shown(records_baseline=True)
    assert shown(phases=(Phase.PREFLIGHT,))


def test_the_worst_call_of_several_runs_wins() -> None:
    assert worst([]) is A.INCONCLUSIVE
    assert worst([A.PROCEED, A.FIX_FORWARD]) is A.FIX_FORWARD
    assert worst([A.INCONCLUSIVE, A.HOLD]) is A.HOLD
    assert worst([A.HOLD, A.ROLL_BACK, A.PROCEED]) is A.ROLL_BACK


def test_a_reason_without_words_says_the_status_and_cites_no_clause_for_what_was_not_measured() -> None:
    silent = decide(evidence(replace(result(LIVE, FAILED), message="")))
    assert silent.reasons[0].message == "failed, with no reason given"
    unmeasured = decide(evidence(result(LIVE, ERROR)))
    assert unmeasured.reasons[0].clause == ""


@pytest.mark.parametrize(
    ("attempts", "words"),
    [
        (
            (Attempt(FAILED, "GET /health answered 500", at(60), 0.1), Attempt(PASSED, "", at(61), 0.1)),
            "passed, after a try that failed: GET /health answered 500 – ",
        ),
        ((Attempt(PASSED, "", at(60), 0.1),), "passed – "),
    ],
    ids=["the second try passed", "no try said why"],
)
def test_an_item_that_passed_and_fails_for_a_share_says_what_its_failure_was(
    attempts: tuple[Attempt, ...], words: str
) -> None:
    share = FailingShare("GET /health", "", tuple(map(float, range(40))), (True, *[False] * 39))
    seen = replace(result(HEALTH, PASSED, attempts=attempts), confirmation=Confirmation(at(60), share=share))
    [reason] = decide(evidence(seen)).reasons
    assert reason.message.startswith(words)


def test_a_rollback_of_one_service_that_failed_names_what_failed_besides() -> None:
    verdict = decide(evidence(result(LEAK, FAILED), result(LIVE, FAILED), result(LOOKS, FAILED)))
    assert f"2 items failed as well: {LIVE}, {LOOKS}" in verdict.rollback.warnings
    assert decide(evidence(result(BACK, FAILED), phases=(Phase.ROLLBACK,))).rollback.services == ()


def test_an_item_is_another_one_only_after_some_that_were_named() -> None:
    assert decide(evidence(result(LIVE, ERROR))).headline == "1 item could not be measured"


def test_a_phase_that_the_runbook_lacks_is_not_in_the_next_step() -> None:
    items = tuple(item for item in RUNBOOK.items if item.phase is not Phase.ROLLBACK)
    of = evidence(runbook=RUNBOOK.model_copy(update={"items": items}))
    assert next_step(of, Action.ROLL_BACK) == "roll back manually"
