"""Blast radius and slowdown: by the interval, against the policy's line, and only for what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.effects import blast_radius, by_endpoint, may_be_over, slowdowns
from kamiyo_verify.judge.rules.measured import a_persons_call
from kamiyo_verify.judge.slo.lines import Side, side
from kamiyo_verify.model.confirmation import Confirmation, Recheck
from kamiyo_verify.model.result import Exchange, Measurement
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Attribution, Impact, Status
from tests.support.evidence_for import ERRORS, FAILED, LATENCY, PASSED, RUNBOOK, evidence, measured, result

PROCEED, FIX_FORWARD = Action.PROCEED, Action.FIX_FORWARD
ROLL_BACK, INCONCLUSIVE = Action.ROLL_BACK, Action.INCONCLUSIVE


def objective(slo_id: str) -> Slo:
    return next(one for one in RUNBOOK.slos if one.id == slo_id)


def counted(bad: int, total: int) -> tuple[Measurement, ...]:
    return (Measurement("errors", bad, "count"), Measurement("requests", total, "count"))


def errors(
    bad: int,
    total: int,
    before: tuple[int, int] | None = None,
    attribution: Attribution | None = None,
    exchanges: tuple[Exchange, ...] = (),
) -> Evidence:
    taken = result(
        ERRORS, FAILED, measurements=counted(bad, total), attribution=attribution, exchanges=exchanges
    )
    return evidence(taken, baseline={ERRORS: counted(*before)} if before else {})


def response_times(
    after: Sequence[float],
    before: Sequence[float],
    attribution: Attribution | None = None,
    stopping: str = "fixed",
) -> Evidence:
    taken = (Measurement("response_times", tuple(after), "ms"), Measurement("stopping", stopping))
    old = (Measurement("response_times", tuple(value / 1000 for value in before), "s"),)
    return evidence(result(LATENCY, measurements=taken, attribution=attribution), baseline={LATENCY: old})


def drawn(median: float, size: int, sigma: float = 0.4, seed: int = 1) -> list[float]:
    values: list[float] = np.random.default_rng(seed).lognormal(np.log(median), sigma, size).tolist()
    return values


@pytest.mark.parametrize(
    ("interval", "where"),
    [
        ((0.06, 0.2), Side.OVER),
        ((0.05, None), Side.OVER),
        ((0.01, 0.0499), Side.UNDER),
        ((None, 0.01), Side.UNDER),
        ((0.01, 0.05), Side.STRADDLING),
        ((None, None), Side.STRADDLING),
        ((0.01, None), Side.STRADDLING),
    ],
)
def test_an_interval_lies_on_one_side_or_on_both(
    interval: tuple[float | None, float | None], where: Side
) -> None:
    assert side(interval, 0.05) is where


@pytest.mark.parametrize(
    ("of", "action"),
    [
        (errors(4, 250), FIX_FORWARD),
        (errors(16, 80), ROLL_BACK),
        (errors(5, 80), INCONCLUSIVE),
        (errors(16, 80, (16, 80), Attribution.PRE_EXISTING), FIX_FORWARD),
        (errors(1_600, 8_000, (1_200, 8_000), Attribution.PRE_EXISTING), FIX_FORWARD),
        (errors(160, 800, (1, 80), Attribution.PRE_EXISTING), ROLL_BACK),
        (errors(160, 800, None, Attribution.PRE_EXISTING), FIX_FORWARD),
        (errors(160, 800, None, Attribution.THIRD_PARTY), FIX_FORWARD),
        (errors(160, 800, None, Attribution.PROBER), INCONCLUSIVE),
        (errors(160, 800, (0, 80), Attribution.UNKNOWN), ROLL_BACK),
    ],
)
def test_failing_requests_get_their_call(of: Evidence, action: Action) -> None:
    assert decide(of).recommendation is action


NOT_SEEN_AGAIN = Confirmation("2026-11-23T14:10:00+00:00", incomplete="the deadline left no time")
SEEN_AGAIN = Confirmation("2026-11-23T14:10:00+00:00", (Recheck("2026-11-23T14:11:10+00:00", FAILED),))


def confirmed(of: Evidence, item: str, confirmation: Confirmation) -> Evidence:
    """The same evidence, in which that item failed and its sample was, or was not, taken again."""
    again = [
        replace(one, status=FAILED, confirmation=confirmation) if one.item == item else one
        for one in of.results
    ]
    return replace(of, results=tuple(again))


@pytest.mark.parametrize(
    ("of", "item"),
    [(errors(16, 80), ERRORS), (response_times(drawn(900, 200), drawn(100, 200)), LATENCY)],
    ids=["errors", "slowdown"],
)
def test_an_effect_over_the_line_is_a_rollback_only_once_it_was_seen_again(of: Evidence, item: str) -> None:
    assert decide(confirmed(of, item, SEEN_AGAIN)).recommendation is ROLL_BACK
    verdict = decide(confirmed(of, item, NOT_SEEN_AGAIN))
    assert verdict.recommendation is INCONCLUSIVE
    assert "not confirmed: the deadline left no time" in str(verdict.reasons)


@pytest.mark.parametrize(
    ("median", "status", "known", "again"),
    [
        (900, FAILED, True, True),
        (160, FAILED, True, True),
        (110, FAILED, True, False),
        (900, PASSED, True, False),
        (900, FAILED, False, False),
    ],
)
def test_a_breached_objective_is_sampled_again_where_it_could_ask_for_a_rollback(
    median: float, status: Status, *, known: bool, again: bool
) -> None:
    of = response_times(drawn(median, 200), drawn(100, 200))
    [taken] = [one for one in of.results if one.item == LATENCY]
    baseline = of.baseline if known else {}
    found = may_be_over(objective("api-p95"), replace(taken, status=status), RUNBOOK.policy, baseline)
    assert found is again


def test_many_failing_requests_are_told_with_interval_line_and_endpoints() -> None:
    sent = [("GET", "/exploits?page=2", 500)] * 12 + [("GET", "/exploits/0xab12", None)] * 4
    sent += [("GET", "/exploits?page=1", 200)] * 60 + [("GET", "/exploits", 429)] * 4
    exchanges = tuple(Exchange(method, f"http://api{path}", status, 1.0) for method, path, status in sent)
    verdict = decide(errors(16, 76, exchanges=exchanges))
    (reason, *_) = verdict.reasons
    assert (reason.item, reason.impact, reason.clause) == (ERRORS, Impact.PERFORMANCE, "core is broken")
    assert reason.message == (
        "16 of 76 requests failed, which is 14 % to 30 % of all, over the policy's line (few users);"
        " by endpoint: GET /exploits/… 4 of 4, GET /exploits 12 of 72"
    )
    assert verdict.rollback.services


def test_each_endpoint_has_its_interval() -> None:
    sent = tuple(Exchange("GET", f"http://api/exploits/{number}", 500, 1.0) for number in range(3))
    ((endpoint, blast),) = by_endpoint(sent, 0.95)
    assert endpoint == "GET /exploits/…"
    assert blast.interval == pytest.approx((0.05 ** (1 / 3), 1.0))


def test_endpoints_come_by_their_share_and_then_by_their_name() -> None:
    statuses = {"/b": (500, 200), "/a": (200, 500), "/c": (500, 500), "/d": (200, 404)}
    sent = [Exchange("GET", f"http://api{path}", one, 1.0) for path, all_ in statuses.items() for one in all_]
    found = by_endpoint(sent, 0.95)
    assert [(name, blast.bad, blast.total) for name, blast in found] == [
        ("GET /c", 2, 2),
        ("GET /a", 1, 2),
        ("GET /b", 1, 2),
        ("GET /d", 0, 1),
    ]
    edge = [Exchange("GET", "http://api/x", status, 1.0) for status in (299, 300, 499, 500)]
    assert [(blast.bad, blast.total) for _, blast in by_endpoint(edge, 0.95)] == [(1, 2)]


def test_a_slowdown_on_both_sides_of_the_line_or_of_the_tail_alone_is_sampled_again() -> None:
    before = drawn(40, 300, seed=2)
    few_slow = [value * (10 if place % 8 == 0 else 1) for place, value in enumerate(drawn(40, 300))]
    open_ones, same = drawn(60, 60), drawn(40, 300)

    def again(after: Sequence[float]) -> bool:
        baseline = {LATENCY: (Measurement("response_times", tuple(before), "ms"),)}
        taken = result(LATENCY, FAILED, measurements=(Measurement("response_times", tuple(after), "ms"),))
        return may_be_over(objective("api-p95"), taken, RUNBOOK.policy, baseline)

    assert [again(few_slow), again(open_ones), again(same)] == [True, True, False]


def test_what_cannot_be_read_is_not_sampled_again() -> None:
    baseline = {LATENCY: measured(LATENCY, response_times=(100.0,) * 80).measurements}
    odd = result(LATENCY, FAILED, measurements=(Measurement("response_times", (900.0,) * 80, "rows"),))
    assert not may_be_over(objective("api-p95"), odd, RUNBOOK.policy, baseline)


def test_failures_that_are_older_count_as_far_as_there_are_more() -> None:
    blast = blast_radius(objective("error-rate"), errors(160, 800, (1, 80), Attribution.PRE_EXISTING))
    assert blast is not None
    assert 0.05 < blast.interval[0] < 0.19 < blast.interval[1]
    assert "before the deployment" in str(blast)


def test_a_persons_call_says_so() -> None:
    verdict = decide(errors(5, 80))
    assert verdict.headline.startswith("a person's call: ")
    assert "on both sides of the policy's line (few users)" in verdict.reasons[0].message


def test_without_a_line_there_is_nothing_to_hold_it_against() -> None:
    policy = RUNBOOK.policy.model_copy(update={"do_not_roll_back": ()})
    of = evidence(
        measured(ERRORS, errors=40, requests=80), runbook=RUNBOOK.model_copy(update={"policy": policy})
    )
    assert a_persons_call(of) is None
    assert decide(of).recommendation is FIX_FORWARD


def called(times: float, size: int = 300, median: float = 100.0, **more: Attribution) -> Verdict:
    return decide(response_times(drawn(median * times, size), drawn(median, size, seed=2), **more))


@pytest.mark.parametrize(
    ("times", "size", "median", "action"),
    [
        (1.0, 80, 100, PROCEED),
        (1.3, 600, 100, PROCEED),
        (1.3, 30, 100, PROCEED),
        (2.0, 600, 80, FIX_FORWARD),
        (1.6, 80, 100, FIX_FORWARD),
        (1.45, 60, 120, PROCEED),
        (1.5, 60, 120, FIX_FORWARD),
        (5.0, 80, 100, ROLL_BACK),
        (2.0, 600, 250, ROLL_BACK),
        (2.0, 300, 124, INCONCLUSIVE),
        (1.3, 600, 380, FIX_FORWARD),
        (0.5, 80, 200, PROCEED),
    ],
)
def test_slowness_gets_its_call(times: float, size: int, median: float, action: Action) -> None:
    assert called(times, size, median).recommendation is action


def test_twice_next_to_nothing_is_no_slowdown() -> None:
    assert called(4.0, 300, 2.0).recommendation is Action.PROCEED
    assert called(4.0, 300, 20.0).recommendation is Action.FIX_FORWARD


@pytest.mark.parametrize("elsewhere", [Attribution.PROBER, Attribution.THIRD_PARTY])
def test_slowness_of_others_is_none_of_this_deployment(elsewhere: Attribution) -> None:
    assert called(5.0, attribution=elsewhere).recommendation is not ROLL_BACK


def test_an_objective_that_is_better_above_has_no_slowdown() -> None:
    of = response_times(drawn(500, 80), drawn(100, 80))
    assert slowdowns(objective("api-p95"), of) != ()
    assert slowdowns(objective("api-p95").model_copy(update={"better": "above"}), of) == ()
    assert slowdowns(objective("api-p95").model_copy(update={"quantile": None}), of) == ()


def test_a_slowdown_of_few_requests_shows_in_the_tail() -> None:
    """One in eight takes ten times as long: the median stays, p95 does not."""
    after = drawn(40, 300)
    after[::8] = [value * 10 for value in after[::8]]
    of = response_times(after, drawn(40, 300, seed=2))
    median, tail = slowdowns(objective("api-p95"), of)
    assert side(median.interval, 1.5) is Side.UNDER
    assert side(tail.interval, 1.5) is Side.OVER
    verdict = decide(of)
    assert verdict.recommendation is not PROCEED
    assert verdict.reasons[0].message.startswith("p95 is ")


def test_a_slowdown_is_told_with_its_interval_and_the_objective() -> None:
    (reason, *_) = called(5.0, 80).reasons
    assert reason.message.startswith("the median is ")
    assert "times what it was before the deployment (" in reason.message
    assert "over the policy's line of 50 % more; API p95 (sampled): breached (p95 " in reason.message


def test_a_sampling_that_a_rule_ended_has_wider_bounds() -> None:
    after, before = drawn(200, 300), drawn(100, 300, seed=2)
    fixed, *_ = slowdowns(objective("api-p95"), response_times(after, before))
    watched, *_ = slowdowns(objective("api-p95"), response_times(after, before, stopping="sequential"))
    unknown, *_ = slowdowns(objective("api-p95"), response_times(after, before, stopping="who knows"))
    assert None not in (*fixed.interval, *watched.interval)
    assert watched.interval[0] < fixed.interval[0] < fixed.interval[1] < watched.interval[1]  # type: ignore[operator]
    assert unknown == watched


@pytest.mark.parametrize(
    "before",
    [(), (Measurement("other", (1.0,), "ms"),), (Measurement("response_times", "many", "ms"),)],
)
def test_without_a_baseline_nothing_is_compared(before: tuple[Measurement, ...]) -> None:
    of = evidence(measured(LATENCY, response_times=(100.0,) * 80), baseline={LATENCY: before})
    assert slowdowns(objective("api-p95"), of) == ()
    assert decide(of).recommendation is PROCEED


def test_what_took_no_time_before_has_no_ratio() -> None:
    (median, _) = slowdowns(objective("api-p95"), response_times([100.0] * 80, [0.0] * 80))
    assert median.interval == (None, None)
    assert not median.shown
