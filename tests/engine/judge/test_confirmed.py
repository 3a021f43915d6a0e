"""What further looks make of a failure: still broken, an outage that ended, few users, or not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamiyo_verify.judge.confirmation.confirmed import FailureState, reading
from kamiyo_verify.judge.confirmation.shares import few_with_samples, spell_is_over
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.confirmation import Confirmation, FailingShare
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind
from tests.support.evidence_for import (
    ERROR,
    HEALTH,
    LEAK,
    LIVE,
    SIGN_IN,
    at,
    evidence,
    looked,
    looks,
    result,
    share,
    tried,
)

CASES = [
    ("failing to the end", looked(HEALTH, "FFF", "FFFFF"), Action.ROLL_BACK),
    ("failing to the end, every request too", looked(HEALTH, "FFF", "FFF", "F" * 60), Action.ROLL_BACK),
    ("well in every further look", looked(HEALTH, "FFF", "P" * 8), Action.PROCEED),
    ("down, then well in eight looks", looked(HEALTH, "FFF", "FF" + "P" * 8), Action.PROCEED),
    ("well in too few looks", looked(HEALTH, "FFF", "PP"), Action.INCONCLUSIVE),
    ("coming and going", looked(HEALTH, "FPF", "FPFPFPFP"), Action.ROLL_BACK),
    ("a single blip, and then sixty-seven answers", looked(HEALTH, "FP", "PPP", "S" * 67), Action.PROCEED),
    (
        "a spell, and then sixty-seven answers",
        looked(HEALTH, "FFF", "FPP", "FFFF" + "S" * 67),
        Action.PROCEED,
    ),
    ("a blip, and too few answers", looked(HEALTH, "FP", "PPP", "S" * 20), Action.INCONCLUSIVE),
    ("every second request fails", looked(SIGN_IN, "FP", "PFPF", "FS" * 10), Action.ROLL_BACK),
    ("every second, and the last look passes", looked(SIGN_IN, "FP", "FPFP", "FS" * 10), Action.ROLL_BACK),
    ("every third request fails", looked(SIGN_IN, "FPP", "PPP", "FSS" * 10), Action.ROLL_BACK),
    ("two in a hundred fail", looked(SIGN_IN, "FP", "PPP", ("F" + "S" * 49) * 12), Action.FIX_FORWARD),
    ("five in a hundred fail", looked(SIGN_IN, "FP", "PPP", ("F" + "S" * 19) * 6), Action.INCONCLUSIVE),
    ("well in between, and one look fails", looked(HEALTH, "FP", "F"), Action.INCONCLUSIVE),
    (
        "well in between, and a look and two in a hundred requests fail",
        looked(SIGN_IN, "FP", "F", ("F" + "S" * 49) * 12),
        Action.FIX_FORWARD,
    ),
    ("well in between, and never again", looked(HEALTH, "FP", "FFF"), Action.ROLL_BACK),
    (
        "well in between, and no request is answered since",
        looked(SIGN_IN, "FP", "F", "F" * 60),
        Action.ROLL_BACK,
    ),
    ("a hole that is seen twice", looked(LEAK, "F", "F"), Action.ROLL_BACK),
    ("a hole that is seen once", looked(LEAK, "F", "PPPP"), Action.INCONCLUSIVE),
    ("a hole on one instance of two", looked(LEAK, "F", "PPF"), Action.ROLL_BACK),
    ("a lesser item that recovers", looked(LIVE, "FFF", "FP"), Action.PROCEED),
    ("a lesser item that does not", looked(LIVE, "FFF", "FF"), Action.FIX_FORWARD),
    ("our own network went away meanwhile", looked(HEALTH, "FFF", "FFE"), Action.INCONCLUSIVE),
    (
        "no time to look again",
        evidence(tried(HEALTH, "FFF", Confirmation(at(0), (), None, "the deadline left no time"))),
        Action.INCONCLUSIVE,
    ),
    ("nobody looked again", evidence(tried(HEALTH, "FFF", None)), Action.ROLL_BACK),
]


@pytest.mark.parametrize(("of", "action"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_confirmation_gets_its_call(of: Evidence, action: Action) -> None:
    assert decide(of).recommendation is action


@pytest.mark.parametrize(
    ("failing", "action"),
    [
        (("GET /csrf", "POST /sign-in", "GET /session"), Action.INCONCLUSIVE),
        (("POST /sign-in",), Action.ROLL_BACK),
    ],
    ids=["a request here and there", "always the same one"],
)
def test_looks_are_weighed_by_their_requests_where_different_ones_fail(
    failing: tuple[str, ...], action: Action
) -> None:
    """Of looks with four requests each, a third fails where one request in eleven does."""
    sent = (Exchange("POST", "https://www.example/sign-in", 401, 5.0),) * 4
    seen = tuple(
        replace(look, message=f"{failing[number % len(failing)]} answered 502" if look.message else "")
        for number, look in enumerate(looks("FPFPPFPPFPPP"))
    )
    flaky = tried(SIGN_IN, "FP", Confirmation(at(0), seen, None))
    assert decide(evidence(replace(flaky, exchanges=sent))).recommendation is action


@pytest.mark.parametrize(
    ("failure", "action"),
    [
        (FailureKind.WRONG_CONTENT, Action.INCONCLUSIVE),
        (FailureKind.WRONG_STATUS, Action.PROCEED),  # 404 while routes are not mounted yet let nobody in
    ],
)
def test_only_content_that_was_seen_once_is_a_hole_that_may_still_be_there(
    failure: FailureKind, action: Action
) -> None:
    found = tried(LEAK, "F", Confirmation(at(0), looks("P" * 8), None))
    assert decide(evidence(replace(found, failure=failure))).recommendation is action


def down(service: str, began: float, ended: float, until: float) -> ServiceTimeline:
    """Asked once a second; without an answer between two moments."""
    moments = [float(second) for second in range(-20, int(until))]
    return ServiceTimeline(
        service,
        at(-20),
        tuple(moment + 20 for moment in moments),
        tuple(0.1 for _ in moments),
        tuple("no answer" if began <= moment < ended else "" for moment in moments),
    )


def test_an_outage_that_ended_needs_no_long_sample() -> None:
    of = looked(HEALTH, "FFF", "FPP", "FFSSS", timelines=(down("api", 0, 5, 30),))

    found = decide(of)
    assert found.recommendation is Action.PROCEED
    [outage] = found.outages
    assert (outage.service, outage.seconds, outage.requests) == ("api", 5.0, 5)
    assert found.deployment.seen.downtime_s == 5.0


@pytest.mark.parametrize(
    "timeline",
    [down("frontend", 0, 5, 30), down("api", -15, -10, 30), down("api", 0, 60, 30)],
    ids=["of another service", "before", "that goes on"],
)
def test_an_outage_explains_only_what_it_covers(timeline: ServiceTimeline) -> None:
    of = looked(HEALTH, "FFF", "FPP", timelines=(timeline,))
    assert decide(of).recommendation is Action.INCONCLUSIVE


def test_what_is_not_confirmed_is_named_with_what_was_wrong() -> None:
    of = evidence(tried(HEALTH, "FFF", Confirmation(at(0), (), None, "the deadline left no time")))
    [reason] = decide(of).reasons
    assert reason.item == HEALTH
    assert reason.message == f"{HEALTH} is failed – not confirmed: the deadline left no time"
    assert decide(of).headline == "1 item failing, and not confirmed"


def test_a_share_is_told_with_its_numbers() -> None:
    [reason] = decide(looked(SIGN_IN, "FP", "PPP", "FS" * 10)).reasons
    assert reason.attribution is Attribution.UNKNOWN
    assert "GET /api/auth/csrf failed in 9 of 19 further requests, which is" in reason.message


def test_few_users_are_told_by_their_clause() -> None:
    [reason] = decide(looked(SIGN_IN, "FP", "PPP", ("F" + "S" * 49) * 12)).reasons
    assert reason.clause == "few users"


def test_what_could_not_be_measured_then_or_now_stays_so() -> None:
    of = evidence(result(HEALTH, ERROR, "502", confirmation=Confirmation(at(0), looks("EE"))))
    [found] = [one for one in of.results if one.item == HEALTH]
    assert reading(of, found) is None


def test_what_could_not_be_measured_and_then_was_bad_is_broken() -> None:
    of = evidence(result(HEALTH, ERROR, "502", confirmation=Confirmation(at(0), looks("FF"))))
    assert decide(of).recommendation is Action.ROLL_BACK


@given(st.integers(0, 40), st.integers(67, 120), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_any_spell_that_ended_long_enough_ago_is_over(before: int, after: int, bad: int) -> None:
    pattern = "S" * before + "F" * bad + "S" * after
    assert spell_is_over(share(pattern), 0.05, 0.95)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_request_of_which_a_third_fails_never_proceeds(extra: list[bool]) -> None:
    """However the other answers fall: in every three requests one fails at least."""
    pattern = "".join("F" + ("F" if more else "S") + "S" for more in extra)
    found = reading(*_one(looked(SIGN_IN, "FP", "PPP", pattern)))
    assert found is not None
    assert found.standing in {FailureState.BROKEN, FailureState.UNDECIDED}


def _one(of: Evidence) -> tuple[Evidence, Result]:
    return of, next(one for one in of.results if one.confirmation is not None)


def test_a_failing_look_is_never_better_than_a_passing_one() -> None:
    order = [Action.PROCEED, Action.FIX_FORWARD, Action.INCONCLUSIVE, Action.ROLL_BACK]
    for number in range(1, 10):
        passing = decide(looked(HEALTH, "FFF", "P" * number)).recommendation
        failing = decide(looked(HEALTH, "FFF", "P" * (number - 1) + "F")).recommendation
        assert order.index(failing) >= order.index(passing) or passing is Action.INCONCLUSIVE


@pytest.mark.parametrize(
    ("failed", "total", "beside", "few"),
    [
        (1, 40, (2, 100), True),
        (0, 40, (3, 100), True),
        (1, 40, (0, 100), True),
        (1, 40, (9, 100), False),
        (0, 40, (0, 100), False),
        (3, 6, (1, 900), False),
        (20, 40, (1, 900), False),
        (1, 40, (0, 0), False),
        (0, 0, (1, 900), False),
    ],
    ids=[
        "few in both",
        "few in the others",
        "few in the follow-up",
        "many in the others",
        "none at all",
        "half of a few",
        "half of many",
        "no others",
        "no follow-up",
    ],
)
def test_other_requests_to_the_endpoint_help_to_show_that_few_fail(
    failed: int,
    total: int,
    beside: tuple[int, int],
    few: bool,  # noqa: FBT001 - the expectation
) -> None:
    step = max(1, total // (failed + 1))
    bad = tuple(0 < number <= failed * step and number % step == 0 for number in range(total))
    share = FailingShare("GET /", "2026-11-23T14:10:05+00:00", tuple(map(float, range(total))), bad, beside)
    assert sum(bad) == failed
    assert few_with_samples(share, 0.05, 0.95) is few


def test_half_broken_is_not_diluted_by_other_requests() -> None:
    """One instance of two answers 500 to one query; a hundred requests with others are well."""
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        outcomes = rng.random(67) < 0.5
        for taken in range(1, 68):
            failed = tuple(bool(one) for one in outcomes[:taken])
            share = FailingShare("GET /", "", tuple(map(float, range(taken))), failed, (1, 139))
            if few_with_samples(share, 0.05, 0.95):
                wrong += 1
                break
    assert wrong <= 4
