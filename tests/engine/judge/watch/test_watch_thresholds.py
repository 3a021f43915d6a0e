"""The evidence that a watch needs, what it withdraws, and its sentences, by its documentation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kamiyo_verify.judge.statistics.sequences import log_above
from kamiyo_verify.judge.watch.call import Watch, judged
from kamiyo_verify.judge.watch.detection import Outcomes, detect
from kamiyo_verify.judge.watch.schedule import AT_ONCE, covered_s, next_round_at
from kamiyo_verify.judge.watch.tries import seconds_of, tries_of
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.history.watch import (
    EventKind,
    Line,
    RoundGround,
    RoundRecord,
    RoundSeries,
    SeriesKind,
    WatchState,
)
from kamiyo_verify.model.result import Attempt
from kamiyo_verify.model.words import Action
from tests.engine.judge.watch.journals import (
    BEGAN,
    ERRORS,
    EVERY_S,
    OTHER,
    SIGN_IN,
    never,
    plan,
    record,
    requests,
    tries,
)
from tests.support.evidence_for import ERROR, FAILED, HEALTH, PASSED, UNVERIFIED, at, result

LATENCY = "performance.api-response-time"


def series(kind: SeriesKind, number: int, *failed: bool, **more: object) -> RoundSeries:
    """One outcome every 2 s since the beginning of the round."""
    one = replace(tries(number, OTHER, *failed), kind=kind, key=f"{kind} of it", text=f"{kind} fails")
    return replace(one, **more)  # type: ignore[arg-type]


def after(*rounds: RoundRecord, planned: int = 30, confirm_s: float = 0.0) -> WatchState:
    return judged(plan(planned, confirm_s=confirm_s), 0.95, rounds)


def grounded(number: int, *all_of: RoundSeries, action: Action = Action.ROLL_BACK) -> RoundRecord:
    grounds = (RoundGround(SIGN_IN, action, "sign-in answers 500"),)
    return record(number, *all_of, call=action, grounds=grounds)


# The error of 5 % is shared: half among the objectives, half among items and endpoints; of each half, the
# series that first appear in round r have 1/(r(r+1)), in equal parts, and their lines share that.


@pytest.mark.parametrize(
    ("kind", "first", "beside", "others", "lines", "parts"),
    [
        (SeriesKind.ITEM, 1, 0, 0, 1, 2 * 2),
        (SeriesKind.ITEM, 1, 3, 0, 1, 2 * 2 * 4),
        (SeriesKind.ITEM, 1, 0, 5, 1, 2 * 2),
        (SeriesKind.ITEM, 3, 0, 0, 1, 2 * 12),
        (SeriesKind.ENDPOINT, 2, 0, 0, 1, 2 * 6),
        (SeriesKind.ENDPOINT, 1, 7, 0, 1, 2 * 2 * 8),
        (SeriesKind.SHARE, 1, 0, 0, 2, 2 * 2 * 2),
        (SeriesKind.SHARE, 4, 5, 2, 2, 2 * 20 * 3 * 2),
    ],
)
def test_a_call_needs_the_evidence_of_its_part_of_the_allowed_error(
    kind: SeriesKind, first: int, beside: int, others: int, lines: int, parts: int
) -> None:
    """`beside` items and `others` objectives first appear in the same round."""
    needed = math.log(parts / 0.05)
    most = plan().most_rounds
    fewest = next(count for count in range(2, 99) if log_above(count, count, 0.05) - math.log(most) >= needed)
    for count, called in ((fewest, True), (fewest - 1, False)):
        bad = (True,) * count
        own = series(kind, first, *bad, item=SIGN_IN, lines=(Line(0.05, Action.ROLL_BACK),) * lines)
        well = [series(SeriesKind.ITEM, first, False, key=f"item {place}") for place in range(beside)]
        met = [series(SeriesKind.SHARE, first, False, key=f"share {place}") for place in range(others)]
        rounds = [record(number) for number in range(1, first)]
        state = after(*rounds, grounded(first, own, *well, *met))
        assert (state.call is Action.ROLL_BACK) is called, count
        assert {ground.since for ground in state.grounds} == ({first} if called else set())


def test_a_series_that_appears_later_counts_its_rounds_from_the_first_of_the_watch() -> None:
    rounds = [record(number, tries(number, OTHER, False)) for number in (1, 2)]
    rounds.append(record(3, tries(3, OTHER, False), tries(3, SIGN_IN, False)))
    state = after(*rounds, grounded(4, tries(4, OTHER, False), tries(4, SIGN_IN, *(True,) * 9)))
    [ground] = state.grounds
    assert (ground.since, ground.item, ground.action) == (4, SIGN_IN, Action.ROLL_BACK)
    assert ground.text == "sign-in answers 500: 9 of 9 since round 4"
    assert state.why == ground.text
    assert [(one.kind, one.text, one.round) for one in state.events] == [
        (EventKind.CALLED, f"roll_back: {ground.text}", 4)
    ]


@pytest.mark.parametrize(("confirm_s", "called"), [(0.0, True), (38.0, True), (38.1, False), (60.0, False)])
def test_failing_requests_are_called_from_the_confirmation_time_on(confirm_s: float, *, called: bool) -> None:
    """20 requests, one every 2 s: the last failure is 38 s after the first. A confirmed item is called."""
    one = series(SeriesKind.SHARE, 1, *(True,) * 20, lines=(Line(0.05, Action.ROLL_BACK),))
    assert (after(record(1, one), confirm_s=confirm_s).call is Action.ROLL_BACK) is called
    own = tries(1, SIGN_IN, *(True,) * 20)
    assert after(grounded(1, own), confirm_s=confirm_s).call is Action.ROLL_BACK


def test_an_item_is_called_by_its_ground_and_only_if_it_has_one() -> None:
    own = tries(1, SIGN_IN, *(True,) * 20)
    assert after(record(1, own)).call is Action.PROCEED
    assert after(grounded(1, own, action=Action.FIX_FORWARD)).call is Action.FIX_FORWARD
    away = replace(own, judged=False)
    assert after(grounded(1, away)).call is Action.PROCEED


def slower(number: int, *failed: bool) -> RoundSeries:
    return series(
        SeriesKind.SLOWER, number, *failed, item=LATENCY, lines=(Line(0.5, Action.ROLL_BACK),), text="slower"
    )


def slow(number: int, *failed: bool, item: str = LATENCY) -> RoundSeries:
    return series(
        SeriesKind.SLOW, number, *failed, item=item, lines=(Line(0.05, Action.FIX_FORWARD),), text="slow"
    )


def test_a_slowdown_is_rolled_back_only_where_its_own_objective_is_breached_too() -> None:
    bad, well = (True,) * 40, (False,) * 40
    assert after(record(1, slower(1, *bad), slow(1, *bad))).call is Action.ROLL_BACK
    assert after(record(1, slower(1, *bad), slow(1, *well))).call is Action.FIX_FORWARD
    assert after(record(1, slower(1, *bad), slow(1, *bad, item=ERRORS))).call is Action.FIX_FORWARD
    assert after(record(1, slower(1, *well), slow(1, *bad))).call is Action.FIX_FORWARD
    assert after(record(1, slower(1, *well), slow(1, *well))).call is Action.PROCEED


def test_the_requests_of_endpoints_are_counted_and_no_others() -> None:
    rounds = [
        record(
            number,
            series(SeriesKind.ENDPOINT, number, True, False, False, key="endpoint a"),
            series(SeriesKind.ENDPOINT, number, False, key="endpoint b"),
            tries(number, OTHER, False, False),
            requests(number, never, 7),
        )
        for number in (1, 2)
    ]
    state = after(*rounds)
    assert (state.rounds, state.requests, state.failed) == (2, 8, 2)
    assert state.covered_s == 2 * EVERY_S


# What ends


@pytest.mark.parametrize(("answers", "stands"), [(67, False), (66, True), (1, True), (0, True)])
def test_failing_requests_are_withdrawn_once_the_answers_since_prove_a_share_under_the_line(
    answers: int, *, stands: bool
) -> None:
    """67 answers in a row show less than 5 % at 95 % confidence, whenever one looks: docs/statistics.md."""
    broken = series(SeriesKind.ENDPOINT, 1, *(True,) * 20, lines=(Line(0.05, Action.ROLL_BACK),))
    later = [
        record(2, replace(broken, failed=(True, *(False,) * 40), times_s=tuple(map(float, range(100, 141))))),
        record(
            3,
            replace(
                broken,
                failed=(False,) * (answers - 40),
                times_s=tuple(map(float, range(200, 160 + answers))),
            ),
        ),
    ]
    if answers < 40:
        later = [
            record(2, replace(broken, failed=(True, *(False,) * answers), times_s=(0.0,) * (answers + 1)))
        ]
    state = after(record(1, broken), *later, planned=3)
    assert (state.call is Action.ROLL_BACK) is stands
    if not stands:
        assert [one.kind for one in state.events] == [EventKind.CALLED, EventKind.WITHDRAWN]
        assert state.events[-1].text == (
            "roll_back withdrawn: endpoint fails: 20 of 20 since round 1; it has ended, and round 3 is well"
        )


def test_an_item_is_withdrawn_by_a_whole_good_round_and_by_no_empty_one() -> None:
    broken = grounded(1, tries(1, SIGN_IN, *(True,) * 20), action=Action.FIX_FORWARD)
    assert after(broken, record(2, tries(2, SIGN_IN))).call is Action.FIX_FORWARD
    assert after(broken, record(2)).call is Action.FIX_FORWARD
    assert after(broken, record(2, tries(2, SIGN_IN, False, True))).call is Action.FIX_FORWARD
    assert after(broken, record(2, tries(2, SIGN_IN, False))).call is Action.PROCEED


# Open questions, and the final call


@pytest.mark.parametrize(
    ("call", "final", "why"),
    [
        (Action.INCONCLUSIVE, Action.INCONCLUSIVE, "an open question: something is wrong (round 2)"),
        (Action.HOLD, Action.HOLD, "an open question: something is wrong (round 2)"),
        (Action.FIX_FORWARD, Action.INCONCLUSIVE, "an open question: something is wrong (round 2)"),
        (Action.ROLL_BACK, Action.INCONCLUSIVE, "an open question: something is wrong (round 2)"),
        (Action.PROCEED, Action.PROCEED, "no regression was proven, and the latest round is well"),
        (None, Action.INCONCLUSIVE, "the latest round left no verdict: something is wrong"),
    ],
)
def test_the_final_call_is_that_of_what_is_open(call: Action | None, final: Action, why: str) -> None:
    state = after(record(1), record(2, call=call), planned=2)
    assert (state.call, state.final, state.why) == (Action.PROCEED, final, why)


def test_a_question_is_opened_once_and_passes_once() -> None:
    doubt = [record(number, call=Action.INCONCLUSIVE) for number in (2, 3)]
    state = after(record(1), *doubt, record(4), record(5), planned=5)
    assert [(one.round, one.kind, one.text) for one in state.events] == [
        (2, EventKind.OPENED, "something is wrong (round 2)"),
        (4, EventKind.PASSED, "something is wrong (round 3): well again in round 4, and no ground"),
    ]
    assert state.open == ""


def test_a_ground_that_is_called_closes_the_question_without_a_word() -> None:
    one, many = tries(1, SIGN_IN, True), tries(2, SIGN_IN, *(True,) * 20)
    state = after(grounded(1, one), grounded(2, many))
    assert [event.kind for event in state.events] == [EventKind.OPENED, EventKind.CALLED]
    assert state.open == ""
    forward = after(grounded(1, many, action=Action.FIX_FORWARD), planned=1)
    assert (forward.open, forward.final) == ("", Action.FIX_FORWARD)
    assert forward.why == "sign-in answers 500: 20 of 20 since round 1"


def test_beside_a_lesser_call_another_finding_stays_open() -> None:
    beside = RoundGround(ERRORS, Action.ROLL_BACK, "errors for many")
    both = grounded(1, tries(1, SIGN_IN, *(True,) * 20), action=Action.FIX_FORWARD)
    state = after(replace(both, grounds=(*both.grounds, beside)), planned=1)
    assert (state.call, state.open) == (Action.FIX_FORWARD, "errors for many (round 1, not proven)")
    assert state.final is Action.INCONCLUSIVE
    held = after(replace(both, call=Action.HOLD), planned=1)
    assert (held.open, held.final) == ("something is wrong (round 1)", Action.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("rounds", "final", "why"),
    [
        (2, Action.PROCEED, "no regression was proven, and the latest round is well"),
        (1, Action.INCONCLUSIVE, "rounds tell of 1 min of 4 min only"),
        (0, Action.INCONCLUSIVE, "the latest round left no verdict"),
    ],
)
def test_half_of_the_time_has_to_be_covered(rounds: int, final: Action, why: str) -> None:
    state = after(*(record(number) for number in range(1, rounds + 1)), planned=4)
    assert (state.final, state.why) == (final, why)


def test_texts_of_several_grounds_are_joined_and_named_once() -> None:
    bad = (True,) * 30
    both = [
        series(SeriesKind.ENDPOINT, 1, *bad, key="a", lines=(Line(0.05, Action.FIX_FORWARD),), text="GET /a"),
        series(SeriesKind.ENDPOINT, 1, *bad, key="b", lines=(Line(0.05, Action.FIX_FORWARD),), text="GET /b"),
        series(SeriesKind.ENDPOINT, 1, *bad, key="c", lines=(Line(0.05, Action.FIX_FORWARD),), text="GET /a"),
    ]
    state = after(record(1, *both), planned=1)
    assert state.why == "GET /a: 30 of 30 since round 1; GET /b: 30 of 30 since round 1"


def test_an_upgrade_names_the_call_before() -> None:
    first = grounded(1, tries(1, SIGN_IN, *(True,) * 20), action=Action.FIX_FORWARD)
    state = after(first, grounded(2, tries(2, SIGN_IN, *(True,) * 20)))
    assert [(one.kind, one.text) for one in state.events] == [
        (EventKind.CALLED, "fix_forward: sign-in answers 500: 20 of 20 since round 1"),
        (EventKind.UPGRADED, "roll_back, no longer fix_forward: sign-in answers 500: 40 of 40 since round 1"),
    ]
    lesser = after(
        grounded(1, tries(1, SIGN_IN, *(True,) * 20)),
        grounded(2, tries(2, SIGN_IN, *(True,) * 20), action=Action.FIX_FORWARD),
    )
    assert (lesser.call, len(lesser.events)) == (Action.ROLL_BACK, 1)


def test_a_round_without_a_verdict_still_counts_its_outcomes() -> None:
    watch = Watch(plan(confirm_s=0.0), 0.95)
    watch.take(record(1, tries(1, SIGN_IN, *(True,) * 5), call=None, outages=("api was away for 4 s",)))
    state = watch.take(grounded(2, tries(2, SIGN_IN, *(True,) * 5)))
    assert [(one.kind, one.text) for one in state.events] == [
        (EventKind.OUTAGE, "api was away for 4 s"),
        (EventKind.GAP, "something is wrong"),
        (EventKind.CALLED, "roll_back: sign-in answers 500: 10 of 10 since round 1"),
    ]
    assert {one.at for one in state.events[:2]} == {"2026-03-02T14:00:30+00:00"}


# Detection


def outcomes(pattern: str, began: float = 0.0) -> Outcomes:
    """One request a second; x failed."""
    return Outcomes(
        tuple(began + place for place in range(len(pattern))), tuple(one == "x" for one in pattern)
    )


@pytest.mark.parametrize(
    ("pattern", "bad", "total", "lasted_s", "lasts"),
    [
        ("xxxx", 4, 4, 3.0, True),
        ("..x.xx", 3, 6, 3.0, True),
        ("xxx.", 3, 4, 2.0, False),
        ("x.x" + "." * 2, 2, 5, 2.0, True),
        ("x.x" + "." * 3, 2, 6, 2.0, False),
        ("x.x.x" + "." * 3, 3, 8, 4.0, True),
        ("x.x.x" + "." * 4, 3, 9, 4.0, False),
        ("x..x..x" + "." * 3, 3, 10, 6.0, True),
        ("x..x..x" + "." * 6, 3, 13, 6.0, False),
        (".x", 1, 2, 0.0, True),
    ],
)
def test_failures_last_while_the_answers_since_are_no_more_than_chance(
    pattern: str, bad: int, total: int, lasted_s: float, *, lasts: bool
) -> None:
    """From the first failure to the last, 2 of 3 fail: (1/3)^2 is 11 %, and (1/3)^3 under 5 %."""
    found = detect([outcomes(pattern, 100.0)], 0.05, 30)
    assert (found.start, found.bad, found.total, found.lasted_s) == (0, bad, total, lasted_s)
    assert found.lasts is lasts


def test_outcomes_of_a_round_are_ordered_by_their_time() -> None:
    turned = Outcomes((5.0, 4.0, 3.0, 2.0, 1.0), (True, False, True, False, False))
    found = detect([turned], 0.05, 30)
    assert (found.lasts, found.lasted_s) == (True, 2.0)


def test_no_evidence_is_less_than_any() -> None:
    for rounds in ([], [outcomes("....")], [outcomes("x" + "." * 19)]):
        found = detect(rounds, 0.05, 30)
        assert (found.log_evidence, found.bad, found.total, found.lasts) == (-math.inf, 0, 0, False)
        assert (found.start, found.lasted_s) == (0, 0.0)


@pytest.mark.parametrize(("size", "weighed"), [(19, False), (20, True)])
def test_failures_in_spells_are_weighed_from_twenty_outcomes_on(size: int, *, weighed: bool) -> None:
    pattern = "." * (size - 8) + "x" * 8
    found = detect([outcomes(pattern)], 0.05, 1)
    alone = log_above(8, size, 0.05)
    assert (found.log_evidence < alone - 0.1) is weighed
    assert weighed or found.log_evidence == pytest.approx(alone)


def test_rounds_beyond_the_planned_ones_begin_no_test() -> None:
    rounds = [outcomes("...."), outcomes("...", 10.0), outcomes("xxxx", 20.0)]
    assert detect(rounds, 0.05, 3).start == 2
    assert detect(rounds, 0.05, 2).start == 1
    assert detect(rounds, 0.05, 1).start == 0
    assert detect(rounds, 0.05, 2).total == 7


# Pace, and the time that is covered


def timed(number: int, began: float, ended: float, call: Action | None = Action.PROCEED) -> RoundRecord:
    """A round between two seconds of the watch."""
    one = record(number, call=call)
    moments = [BEGAN.fromtimestamp(BEGAN.timestamp() + second, BEGAN.tzinfo) for second in (began, ended)]
    return replace(one, started_at=moments[0].isoformat(), finished_at=moments[1].isoformat())


@pytest.mark.parametrize(
    ("rounds", "covered"),
    [
        ([], 0.0),
        ([timed(1, 0, 30)], 60.0),
        ([timed(1, 0, 90)], 90.0),
        ([timed(1, 0, 30), timed(2, 60, 90)], 120.0),
        ([timed(1, 0, 30), timed(2, 100, 130)], 160.0),
        ([timed(1, 0, 30), timed(2, 121, 151)], 180.0),
        ([timed(1, 0, 30), timed(2, 500, 530)], 180.0),
        ([timed(1, 0, 200), timed(2, 500, 530)], 260.0),
        ([timed(1, 0, 30, None), timed(2, 60, 90)], 60.0),
        ([timed(1, 0, 30), timed(2, 60, 90, None)], 60.0),
        ([timed(1, 0, 30), timed(2, 40, 70)], 100.0),
    ],
)
def test_a_round_tells_of_the_time_until_the_next_one_up_to_twice_the_pace(
    rounds: list[RoundRecord], covered: float
) -> None:
    assert covered_s(plan(), rounds) == pytest.approx(covered)


def due(*rounds: RoundRecord, planned: int = 30) -> float | None:
    found = next_round_at(plan(planned), rounds, after(*rounds, planned=planned))
    return None if found is None else found - BEGAN.timestamp()


def test_the_next_round_is_due_by_the_pace_and_an_open_question_at_once() -> None:
    assert due(timed(1, 0, 30)) == 60.0
    assert due(timed(1, 0, 90)) == 60.0  # a moment in the past: at once
    assert due(timed(1, 0, 30), timed(2, 75, 100)) == 135.0
    assert due(timed(1, 0, 30, Action.INCONCLUSIVE)) == 30.0
    assert due(timed(1, 0, 30), timed(2, 60, 95, Action.INCONCLUSIVE)) == 95.0
    assert due(timed(1, 0, 30), timed(2, 60, 95, None)) == 95.0


def test_the_last_round_begins_before_the_end() -> None:
    assert due(timed(1, 0, 30), planned=2) == 60.0
    assert due(timed(1, 59, 89), planned=2) == 119.0
    assert due(timed(1, 60, 90), planned=2) is None
    assert due(timed(1, 0, 119), planned=2) == 60.0
    assert due(timed(1, 0, 120), planned=2) is None


def test_a_question_is_looked_at_at_once_ten_times_beyond_the_pace() -> None:
    """A round at second 600 is the eleventh by the pace: 21 rounds have used up the ten, and 20 have not."""
    assert AT_ONCE == 10
    early = [timed(number, 0, 1) for number in range(1, 20)]
    asks = timed(20, 600, 610, Action.INCONCLUSIVE)
    assert due(*early, asks) == 610.0
    assert due(*early, timed(20, 0, 1), replace(asks, number=21)) == 660.0


def test_a_rollback_ends_the_watch_and_so_does_the_last_planned_round() -> None:
    assert due(grounded(1, tries(1, SIGN_IN, *(True,) * 20))) is None
    doubt = [timed(number, 0, 1, None) for number in range(1, 41)]
    assert due(*doubt) is None
    assert due(*doubt[:-1]) == 60.0


# The outcomes of an item in one round


def test_tries_rechecks_and_sampled_requests_are_outcomes_in_order_of_time() -> None:
    found = Confirmation(
        at(0),
        (Recheck(at(20), FAILED, "no"), Recheck(at(30), ERROR, "?"), Recheck(at(10), PASSED)),
        FailingShare("GET /", at(40), (0.0, 1.5), (True, False)),
    )
    attempts = tuple(
        Attempt(status, "", at(second), 0.1)
        for second, status in ((2, PASSED), (0, FAILED), (1, ERROR), (3, UNVERIFIED))
    )
    one = result(HEALTH, FAILED, attempts=attempts, confirmation=found)
    began = seconds_of(at(0))
    assert [(second - began, bad) for second, bad in tries_of(one)] == [
        (0.0, True),
        (2.0, False),
        (10.0, False),
        (20.0, True),
        (40.0, True),
        (41.5, False),
    ]


@pytest.mark.parametrize(
    ("status", "outcomes_of"), [(PASSED, [False]), (FAILED, [True]), (ERROR, []), (UNVERIFIED, [])]
)
def test_an_item_without_tries_is_one_outcome_if_it_was_measured(
    status: object, outcomes_of: list[bool]
) -> None:
    one = result(HEALTH, status, started_at=at(3))  # type: ignore[arg-type]
    assert [bad for _, bad in tries_of(one)] == outcomes_of
    assert {second for second, _ in tries_of(one)} <= {seconds_of(at(3))}
    assert seconds_of("") == 0.0
