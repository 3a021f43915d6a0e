"""Edges of the record of a round: what a cut-short round keeps, whose failures count, and its texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.watch.rounds import record_of, without_verdict
from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.history.watch import Line, RoundRecord, RoundSeries, SeriesKind
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, Impact
from tests.engine.judge.test_outage_edges import line
from tests.engine.judge.watch.test_round_series import BEGAN, recorded, sampled, series
from tests.support.evidence_for import (
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
    PASSED,
    RUNBOOK,
    SIGN_IN,
    at,
    evidence,
    measured,
    result,
)

BACK, FIX = Action.ROLL_BACK, Action.FIX_FORWARD


def timed(*results: Result, **more: Any) -> Evidence:
    return evidence(*results, started_at=at(0), finished_at=at(60), **more)


def test_a_round_keeps_its_number_its_times_and_its_call() -> None:
    of = timed(result(LIVE, FAILED, "closed"), timelines=(line("..xxx..."),))
    found = record_of(7, of, decide(of))
    assert (found.number, found.started_at, found.finished_at) == (7, at(0), at(60))
    assert (found.call, found.headline) == (FIX, decide(of).headline)
    assert len(found.outages) == 1
    lasting: tuple[ServiceTimeline, ...] = (line("..xxx"),)
    assert record_of(7, replace(of, timelines=lasting), decide(replace(of, timelines=lasting))).outages == ()


def test_a_round_that_was_cut_short_keeps_its_outcomes_and_makes_no_call() -> None:
    of = timed(result(SIGN_IN, FAILED, "500"), sampled((0.0, 1.0)), timelines=(line("..xxx..."),))
    found = record_of(7, of, decide(of), "the deadline came")
    assert (found.call, found.headline, found.grounds, found.outages) == (None, "the deadline came", (), ())
    assert {one.kind for one in found.series} == {SeriesKind.ITEM, SeriesKind.SHARE}
    nothing = without_verdict(3, at(0), at(9), "it broke")
    assert nothing == RoundRecord(
        number=3, started_at=at(0), finished_at=at(9), call=None, headline="it broke"
    )


@pytest.mark.parametrize(("length", "kept"), [(200, 200), (240, 240), (241, 240), (900, 240)])
def test_the_text_of_a_ground_is_cut(length: int, kept: int) -> None:
    [ground] = recorded(timed(result(LIVE, FAILED, "x" * length))).grounds
    assert len(ground.text) == kept


@pytest.mark.parametrize(
    ("results", "grounds"),
    [
        ((result(SIGN_IN, FAILED),), [(SIGN_IN, BACK)]),
        ((result(SIGN_IN, FAILED), result(HEALTH, FAILED)), [(SIGN_IN, BACK), (HEALTH, BACK)]),
        ((result(LIVE, FAILED),), [(LIVE, FIX)]),
        ((result(LIVE, FAILED, attribution=Attribution.THIRD_PARTY),), []),
        ((result(LIVE, FAILED, attribution=Attribution.PRE_EXISTING),), []),
        ((result(HEALTH, ERROR),), []),
        ((measured(ERRORS, errors=4, requests=250),), []),
        ((), []),
    ],
)
def test_the_grounds_of_a_round_are_the_items_of_its_call(
    results: tuple[Result, ...], grounds: list[tuple[str, Action]]
) -> None:
    found = recorded(timed(*results)).grounds
    assert sorted((one.item, one.action) for one in found) == sorted(grounds)


def only(of: Evidence, item: str) -> RoundSeries:
    [one] = series(of, SeriesKind.ITEM, item)
    return one


@pytest.mark.parametrize(
    ("attribution", "is_judged"),
    [
        (None, True),
        (Attribution.UNKNOWN, True),
        (Attribution.INTRODUCED, True),
        (Attribution.THIRD_PARTY, False),
        (Attribution.PRE_EXISTING, False),
    ],
)
def test_an_items_failures_are_judged_unless_they_are_attributed_elsewhere(
    attribution: Attribution | None, *, is_judged: bool
) -> None:
    one = only(timed(result(LIVE, FAILED, attribution=attribution)), LIVE)
    assert (one.judged, one.key, one.text) == (is_judged, f"item {LIVE}", f"{LIVE} is well fails")
    assert series(timed(result(LIVE, FAILED, attribution=Attribution.PROBER)), SeriesKind.ITEM, LIVE) == []


def test_an_item_without_a_time_began_with_the_round() -> None:
    assert only(timed(result(ERRORS)), ERRORS).times_s == (BEGAN,)
    assert only(timed(replace(result(ERRORS), started_at=at(9))), ERRORS).times_s == (BEGAN + 9,)
    passed = result(SIGN_IN, attempts=(Attempt(PASSED, "", at(3), 0.1),))
    assert only(timed(passed), SIGN_IN).failed == (False,)


def test_times_are_spread_evenly_and_a_round_of_no_length_has_one_moment() -> None:
    of = timed(measured(LATENCY, response_times=(100.0, 900.0)))
    [slow] = series(of, SeriesKind.SLOW)
    assert (slow.times_s, slow.failed, slow.key, slow.item) == (
        (BEGAN, BEGAN + 30),
        (False, True),
        slow.key,
        LATENCY,
    )
    turned = replace(of, finished_at=at(-60))
    record = record_of(1, turned, decide(turned))
    [slow] = [one for one in record.series if one.kind is SeriesKind.SLOW]
    assert slow.times_s == (BEGAN, BEGAN)


@pytest.mark.parametrize(
    ("before", "usual", "threshold"), [(100.0, "100", 150.0), (40.0, "40", 65.0), (60.0, "60", 90.0)]
)
def test_slower_is_half_more_than_usual_and_a_twentieth_of_the_objective_more(
    before: float, usual: str, threshold: float
) -> None:
    """The objective is 500 ms: 25 ms more at least."""
    known = {LATENCY: (Measurement("response_times", (before,) * 100, "ms"),)}
    taken = measured(LATENCY, response_times=(threshold - 0.1, threshold))
    [one] = series(timed(taken, baseline=known), SeriesKind.SLOWER)
    assert one.failed == (False, True)
    assert one.text == (
        f"API p95 (sampled): requests take {threshold:.0f} ms or longer, over the policy's line against"
        f" {usual} before"
    )
    assert series(timed(taken, baseline={LATENCY: known[LATENCY][:0]}), SeriesKind.SLOWER) == []
    few = {LATENCY: (Measurement("response_times", (before,) * 3, "ms"),)}
    assert series(timed(taken, baseline=few), SeriesKind.SLOWER) == []


def requests(path: str, *statuses: int) -> tuple[Exchange, ...]:
    return tuple(
        Exchange("GET", f"https://api.example{path}", status, 1.0, at=at(number))
        for number, status in enumerate(statuses)
    )


def with_services(impact: dict[str, Impact]) -> Any:
    items = tuple(
        one.model_copy(update={"services": ("api",), "impact": impact.get(one.id, one.impact)})
        for one in RUNBOOK.items
    )
    return RUNBOOK.model_copy(update={"items": items})


@pytest.mark.parametrize(
    ("name", "action"),
    [(HEALTH, BACK), (DATA, BACK), (LEAK, BACK), (SIGN_IN, BACK), (LIVE, FIX), (LOOKS, FIX), (COMMIT, FIX)],
)
def test_an_endpoint_calls_what_the_clause_of_its_item_does(name: str, action: Action) -> None:
    of = timed(result(name, exchanges=requests("/x", 200, 500)), runbook=with_services({}))
    [one] = series(of, SeriesKind.ENDPOINT)
    assert one.lines == (Line(0.05, action),)
    assert (one.key, one.text, one.item) == (
        "endpoint https://api.example GET /x",
        "GET /x fails",
        name,
    )
    assert one.times_s == (BEGAN, BEGAN + 1)


def test_an_endpoint_of_several_items_is_that_of_the_gravest_which_counts_no_requests() -> None:
    sent = requests("/x", 200, 500)
    of = timed(*(result(name, exchanges=sent) for name in (LIVE, SIGN_IN, ERRORS)), runbook=with_services({}))
    [one] = series(of, SeriesKind.ENDPOINT)
    assert (one.item, one.judged) == (SIGN_IN, True)
    alone = timed(result(ERRORS, exchanges=sent), runbook=with_services({}))
    assert series(alone, SeriesKind.ENDPOINT)[0].item == ERRORS
    owned = timed(result(LIVE, FAILED, exchanges=sent), result(SIGN_IN, exchanges=sent), runbook=of.runbook)
    assert not series(owned, SeriesKind.ENDPOINT)[0].judged
    theirs = timed(result(LIVE, exchanges=sent, attribution=Attribution.THIRD_PARTY), runbook=of.runbook)
    assert not series(theirs, SeriesKind.ENDPOINT)[0].judged


@pytest.mark.parametrize(
    ("schema", "action"),
    [
        (None, BACK),
        (Migrated(safe=("a",)), BACK),
        (Migrated(grave=("a",)), FIX),
        (Migrated(unread=("a",)), Action.INCONCLUSIVE),
        (Migrated(grave=("a",), unread=("b",)), FIX),
    ],
)
def test_a_schema_that_forbids_a_rollback_limits_what_a_round_may_call(
    schema: Migrated | None, action: Action
) -> None:
    [one] = series(timed(sampled((0.0, 1.0)), migrated=schema), SeriesKind.SHARE)
    assert [line.action for line in one.lines] == [action, FIX]


def test_a_service_that_runs_another_commit_is_not_judged() -> None:
    taken = (Measurement("frontend_commit", "b" * 40), Measurement("api_commit", "a" * 40))
    of = timed(result(COMMIT, FAILED, measurements=taken), result(SIGN_IN, FAILED), commit="a" * 40)
    judged = {one.item: one.judged for one in recorded(of).series if one.kind is SeriesKind.ITEM}
    assert (judged[SIGN_IN], judged[HEALTH]) == (False, True)


def test_a_line_is_a_share_between_0_and_1() -> None:
    for objective, lines in ((0.0, 1), (0.5, 2), (1.0, 1)):
        slos = tuple(
            one.model_copy(update={"objective": objective}) if one.item == ERRORS else one
            for one in RUNBOOK.slos
        )
        of = timed(sampled((0.0, 1.0)), runbook=RUNBOOK.model_copy(update={"slos": slos}))
        [one] = series(of, SeriesKind.SHARE)
        assert len(one.lines) == lines


def test_a_ground_without_a_failed_request_is_one_bad_outcome() -> None:
    assert only(timed(measured(ERRORS, errors=16, requests=80)), ERRORS).failed == (True,)
    assert only(timed(measured(ERRORS, errors=0, requests=80)), ERRORS).failed == (False,)
