"""The series of a round: which requests count for what, against which line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.readings import OUTCOMES, SENT_AT
from kamiyo_verify.judge.watch.detection import Outcomes, detect
from kamiyo_verify.judge.watch.rounds import record_of
from kamiyo_verify.model.history.watch import Line, RoundRecord, RoundSeries, SeriesKind
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution
from tests.support.evidence_for import (
    DATA,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LIVE,
    LOOKS,
    RUNBOOK,
    SIGN_IN,
    at,
    evidence,
    measured,
    result,
)

BEGAN = datetime.fromisoformat(at(0)).timestamp()


def recorded(given: Evidence) -> RoundRecord:
    given = replace(given, started_at=at(0), finished_at=at(60))
    return record_of(3, given, decide(given))


def series(given: Evidence, kind: SeriesKind, item: str = "") -> list[RoundSeries]:
    return [one for one in recorded(given).series if one.kind is kind and item in {"", one.item}]


def test_an_item_without_tries_counts_once_when_it_began() -> None:
    [one] = series(evidence(result(SIGN_IN, FAILED, started_at=at(7))), SeriesKind.ITEM, SIGN_IN)
    assert (one.times_s, one.failed) == ((BEGAN + 7,), (True,))
    assert one.lines == (Line(0.05, Action.FIX_FORWARD),)


def test_an_item_that_feeds_an_objective_counts_once_and_only_where_it_was_measured() -> None:
    [one] = series(evidence(measured(ERRORS, errors=0, requests=80)), SeriesKind.ITEM, ERRORS)
    assert one.failed == (False,)
    assert series(evidence(result(ERRORS, ERROR)), SeriesKind.ITEM, ERRORS) == []


def test_only_what_calls_for_something_is_a_ground() -> None:
    assert recorded(evidence(result(LIVE, ERROR))).grounds == ()
    [lesser] = recorded(evidence(result(LIVE, FAILED))).grounds
    assert (lesser.item, lesser.action) == (LIVE, Action.FIX_FORWARD)
    [grave] = recorded(evidence(result(SIGN_IN, FAILED))).grounds
    assert (grave.item, grave.action) == (SIGN_IN, Action.ROLL_BACK)
    theirs = evidence(result(LIVE, FAILED), result(LOOKS, FAILED, attribution=Attribution.PRE_EXISTING))
    assert LOOKS not in {one.item for one in recorded(theirs).grounds}


def sampled(failed: tuple[float, ...], **more: Any) -> Result:
    taken = {"errors": int(sum(failed)), "requests": len(failed), OUTCOMES: failed}
    taken[SENT_AT] = tuple(2.0 * number for number in range(len(failed)))
    return measured(ERRORS, **{**taken, **more})


def test_a_share_objective_is_held_against_the_policys_line_and_its_own() -> None:
    [one] = series(evidence(sampled((0.0, 1.0, 0.0))), SeriesKind.SHARE)
    assert one.times_s == (BEGAN, BEGAN + 2, BEGAN + 4)
    assert one.failed == (False, True, False)
    assert one.lines == (Line(0.05, Action.ROLL_BACK), Line(0.001, Action.FIX_FORWARD))
    assert series(evidence(measured(ERRORS, errors=0, requests=80)), SeriesKind.SHARE) == []
    assert series(evidence(sampled((0.0, 1.0), **{OUTCOMES: 3})), SeriesKind.SHARE) == []


def test_failures_of_before_raise_both_lines() -> None:
    def lines(bad: int) -> list[float]:
        known = {ERRORS: (Measurement("errors", bad), Measurement("requests", 1_000))}
        [one] = series(evidence(sampled((0.0, 1.0)), baseline=known), SeriesKind.SHARE)
        return [line.share for line in one.lines]

    assert lines(0) == [0.05, 0.001]
    few, many = lines(10), lines(100)
    assert 0.06 < few[0] < 0.08
    assert 0.15 < many[0] < 0.19
    assert few[0] - few[1] == pytest.approx(0.049)
    assert len(lines(950)) == 1
    assert lines(999) == []


def test_response_times_are_spread_over_the_round() -> None:
    taken = measured(LATENCY, response_times=(499.0, 500.0, 501.0))
    [slow] = series(evidence(taken), SeriesKind.SLOW)
    assert slow.times_s == (BEGAN, BEGAN + 20, BEGAN + 40)
    assert slow.failed == (False, True, True)
    assert slow.lines[0].action is Action.FIX_FORWARD
    assert slow.lines[0].share == pytest.approx(0.05)
    assert slow.text == "API p95 (sampled): requests take 500 ms or longer"


def test_a_slowdown_is_held_against_what_was_usual_before() -> None:
    def judged(before: float, *after: float) -> tuple[bool, ...]:
        known = {LATENCY: (Measurement("response_times", (before,) * 100, "ms"),)}
        [one] = series(evidence(measured(LATENCY, response_times=after), baseline=known), SeriesKind.SLOWER)
        assert one.lines == (Line(0.5, Action.ROLL_BACK),)
        return one.failed

    assert judged(100.0, 149.9, 150.0) == (False, True)
    assert judged(10.0, 34.9, 35.0) == (False, True)
    assert series(evidence(measured(LATENCY, response_times=(1.0,))), SeriesKind.SLOWER) == []


def test_an_objective_that_is_better_above_has_no_series() -> None:
    slos = tuple(one.model_copy(update={"better": "above"}) for one in RUNBOOK.slos)
    of = evidence(sampled((0.0, 1.0)), runbook=RUNBOOK.model_copy(update={"slos": slos}))
    assert series(of, SeriesKind.SHARE) == []


@pytest.mark.parametrize(
    ("item", "action"),
    [(HEALTH, Action.ROLL_BACK), (DATA, Action.ROLL_BACK), (LIVE, Action.FIX_FORWARD)],
)
def test_an_endpoint_is_judged_as_what_it_serves(item: str, action: Action) -> None:
    items = tuple(one.model_copy(update={"services": ("api",)}) for one in RUNBOOK.items)
    sent = tuple(Exchange("GET", "https://a.example/x", status, 1.0, at=at(1)) for status in (200, 500))
    of = evidence(result(item, exchanges=sent), runbook=RUNBOOK.model_copy(update={"items": items}))
    [one] = series(of, SeriesKind.ENDPOINT)
    assert (one.lines, one.failed, one.judged) == ((Line(0.05, action),), (False, True), True)
    failed = evidence(result(item, FAILED, exchanges=sent), runbook=of.runbook)
    [owned] = series(failed, SeriesKind.ENDPOINT)
    assert not owned.judged


# Where a change began


def outcomes(number: int, pattern: str) -> Outcomes:
    places = range(len(pattern))
    return Outcomes(tuple(number * 60.0 + place for place in places), tuple(one == "x" for one in pattern))


def test_a_change_is_dated_to_the_round_with_the_most_evidence() -> None:
    rounds = [
        *(outcomes(number, "." * 30) for number in range(4)),
        *(outcomes(4 + number, "x" * 10) for number in range(2)),
    ]
    found = detect(rounds, 0.05, 10)
    assert (found.start, found.bad, found.total, found.lasts) == (4, 20, 20, True)
    assert found.lasted_s == 69.0


def test_what_answers_again_does_not_last() -> None:
    ended = detect([outcomes(0, "x" * 10 + "." * 20)], 0.05, 10)
    assert (ended.bad, ended.total, ended.lasts, ended.lasted_s) == (10, 30, False, 9.0)
    assert detect([outcomes(0, "x.x.x.x.x.")], 0.05, 10).lasts


def test_a_share_at_the_line_is_no_evidence() -> None:
    none = detect([outcomes(0, "x" + "." * 19)], 0.05, 10)
    assert (none.total, none.lasts) == (0, False)
    some = detect([outcomes(0, "x" + "." * 18)], 0.05, 10)
    assert some.total == 19


def test_more_rounds_planned_need_more_evidence() -> None:
    few, many = (detect([outcomes(0, "x" * 10)], 0.05, planned).log_evidence for planned in (1, 100))
    assert few - many == pytest.approx(4.60517, abs=1e-4)


def test_a_good_stretch_before_a_bad_one_does_not_hide_what_began_earlier() -> None:
    """The newest round alone is well; over the last three the share is far over the line."""
    rounds = [outcomes(0, "." * 20), outcomes(1, "x" * 20), outcomes(2, "x" * 20), outcomes(3, "." * 2)]
    found = detect(rounds, 0.05, 10)
    assert (found.start, found.bad, found.total) == (1, 40, 42)


@pytest.mark.parametrize("attribution", [None, *Attribution])
def test_an_objective_has_a_series_unless_its_samples_failed_on_our_own_side(
    attribution: Attribution | None,
) -> None:
    failed = replace(sampled((0.0, 1.0, 0.0)), attribution=attribution)
    found = series(evidence(failed), SeriesKind.SHARE)
    assert bool(found) is (attribution is not Attribution.PROBER)
