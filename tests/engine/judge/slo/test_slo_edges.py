"""Edges of the objectives: when a sampling ends, which runs count together, and rates of errors."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.slo import objectives
from kamiyo_verify.judge.slo.earlier import counted, earlier_runs, may_pool
from kamiyo_verify.judge.slo.readings import NotMeasured, checked, clustering, in_unit
from kamiyo_verify.judge.slo.settling import Settling, settling_for
from kamiyo_verify.judge.slo.traffic import ErrorRates, Traffic, traffic_of
from kamiyo_verify.judge.statistics.endpoints import Series, error_series
from kamiyo_verify.judge.statistics.exact import at_least
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.hosting.signals import Series as HostSeries
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.result import Exchange, Measurement
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Attribution, FailureKind, SloVerdict
from tests.engine.judge.slo.test_pooling import NOW, A, B, ran, this
from tests.support.evidence_for import ERRORS, FAILED, HEALTH, LATENCY, RUNBOOK, evidence, measured, result
from tests.support.recorded_runs import EPOCH

TIMES, SHARE, AVAILABILITY = RUNBOOK.slos
POLICY = RUNBOOK.policy


def samples_until_settled(settling: Settling, bad_at: set[int], duration: float = 100.0) -> int:
    for place in range(1_000):
        settling.update(duration, bad=place in bad_at)
        if settling.settled:
            return place + 1
    return 1_000


@pytest.mark.parametrize(
    ("settling", "bad_at", "took"),
    [
        (Settling(TIMES, POLICY), set(), 67),
        (Settling(TIMES, POLICY, failed_before=(0, 10)), set(), 67),
        (Settling(TIMES, POLICY), {5}, 120),
        (Settling(TIMES, POLICY, few=0.001), set(), 67),
        (Settling(TIMES, POLICY, few=0.001), {5}, 180),
        (Settling(TIMES, POLICY), {0, 1}, 2),
        (settling_for(TIMES, RUNBOOK, {}), set(), 67),
        (settling_for(TIMES, RUNBOOK, {}), {5}, 180),
        (settling_for(TIMES, RUNBOOK.model_copy(update={"slos": (TIMES,)}), {}), {5}, 120),
    ],
)
def test_a_sampling_ends_with_the_last_question(settling: Settling, bad_at: set[int], took: int) -> None:
    """67 answers show less than 5 %; after 120 it is enough to exclude 10 %; few failures take up to 180."""
    assert samples_until_settled(settling, bad_at) == took


@pytest.mark.parametrize("changes", [{"better": "above"}, {"objective": 1.0}, {"objective": 0.0}])
def test_a_share_without_a_line_between_0_and_1_is_not_sampled_for(changes: dict[str, Any]) -> None:
    book = RUNBOOK.model_copy(update={"slos": (TIMES, SHARE.model_copy(update=changes))})
    assert samples_until_settled(settling_for(TIMES, book, {}), {5}) == 120


def test_the_share_of_the_same_services_is_the_one_that_defines_failing_requests() -> None:
    elsewhere = SHARE.model_copy(update={"item": "postdeploy.sign-in"})
    book = RUNBOOK.model_copy(update={"slos": (TIMES, elsewhere)})
    assert samples_until_settled(settling_for(TIMES, book, {}), {5}) == 120


# Runs of one commit


def hosted(commit: str, minute: float, status: DeployStatus = DeployStatus.LIVE) -> tuple[ServiceState, ...]:
    deploy = Deploy(
        id="dep-1",
        commit=DeployedCommit(id=commit),
        status=status,
        created_at=EPOCH + timedelta(minutes=minute),
    )
    return (
        ServiceState(
            service="api",
            id="srv",
            name="kamiyo-api",
            dashboard="",
            api="",
            auto_deploy=True,
            suspended=False,
            deploys=(deploy,),
        ),
    )


@pytest.mark.parametrize(
    ("states", "runs"),
    [
        ((), 1),
        (hosted(A, NOW - 30), 0),
        (hosted(A, NOW - 90), 1),
        (hosted(B, NOW - 30), 1),
        (hosted(A, NOW - 30, DeployStatus.BUILD_FAILED), 1),
    ],
)
def test_runs_count_since_the_commit_is_live_at_its_host(states: tuple[ServiceState, ...], runs: int) -> None:
    alone = replace(this("." * 60), hosted=states)
    assert len(earlier_runs(alone, (ran("." * 60, minute=NOW - 60),)).samples) == runs


@pytest.mark.parametrize(
    ("slos", "may"), [((SHARE,), True), ((TIMES,), False), ((AVAILABILITY,), False), ((TIMES, SHARE), True)]
)
def test_only_shares_are_judged_by_several_runs(slos: tuple[Slo, ...], *, may: bool) -> None:
    book = RUNBOOK.model_copy(update={"slos": slos})
    assert may_pool(this("." * 60, runbook=book)) is may
    assert not may_pool(replace(this("." * 60), commit="", records_baseline=True))


def sampled(bad: Any, total: Any, **more: Any) -> list[Measurement]:
    taken = {"errors": bad, "requests": total, **more}
    return [Measurement(name, value) for name, value in taken.items()]


def test_failures_of_a_run_count_by_their_spells() -> None:
    """Three in a row are one event: 3 / 1. Two apart are two, and so are two of which no time is known: 1."""
    times = tuple(map(float, range(10)))

    def effect(pattern: str, **more: Any) -> float:
        outcomes = tuple(float(one == "x") for one in pattern)
        values = {"sent_at": times, "outcomes": outcomes, **more}
        found = counted(SHARE, sampled(pattern.count("x"), len(pattern), **values))
        assert found is not None
        assert (found.bad, found.total) == (pattern.count("x"), len(pattern))
        return found.effect

    assert effect("..........") == 1.0
    assert effect("...xxx....") >= 3.0
    assert effect("x........x") == 1.0
    assert effect("..x..x..x.") == 1.0
    assert effect("x........x", outcomes="unknown") == 2.0
    assert effect("x........x", outcomes=(1.0,)) == 2.0
    assert effect("x........x", sent_at=(math.nan,) * 10) == 2.0
    assert counted(SHARE, sampled(1, "many")) is None
    assert counted(SHARE, ()) is None


# Objectives at the end of the scale


@pytest.mark.parametrize("objective", [0.0, 1.0])
@pytest.mark.parametrize("better", ["below", "above"])
def test_a_share_of_all_or_nothing_needs_no_number_of_requests(objective: float, better: str) -> None:
    slo = SHARE.model_copy(update={"objective": objective, "better": better})
    of = evidence(
        measured(ERRORS, errors=1, requests=80), runbook=RUNBOOK.model_copy(update={"slos": (slo,)})
    )
    [report] = objectives.judge(of)
    assert report.samples_needed is None
    assert report.samples == 80


def test_above_turns_the_whole_interval() -> None:
    """4 of 80 are 95 % good; the bounds are those of the failures, each taken from 1."""
    above = SHARE.model_copy(update={"better": "above", "objective": 0.5})
    below = SHARE.model_copy(update={"objective": 0.5})
    reports = [
        objectives.judge(
            evidence(
                measured(ERRORS, errors=4, requests=80), runbook=RUNBOOK.model_copy(update={"slos": (one,)})
            )
        )[0]
        for one in (above, below)
    ]
    (low, high), (lower, upper) = reports[0].interval or (0, 0), reports[1].interval or (0, 0)
    assert (reports[0].value, low, high) == (0.95, 1 - (upper or 0), 1 - (lower or 0))
    assert [one.verdict for one in reports] == [SloVerdict.MET, SloVerdict.MET]


@pytest.mark.parametrize(
    ("bad", "total"), [(1, 0), (0, 0), (2, 1), (-1, 1), (True, 1), (1, True), (1.0, 2), ("1", 2), (None, 2)]
)
def test_what_is_no_share_of_events_is_not_measured(bad: object, total: object) -> None:
    with pytest.raises(NotMeasured):
        checked(bad, total)
    assert checked(0, 1) == (0, 1)
    assert checked(1, 1) == (1, 1)


def test_one_number_is_a_series_of_one() -> None:
    assert in_unit(TIMES, Measurement("x", 5.0, "ms")) == [5.0]
    assert in_unit(TIMES, Measurement("x", (5.0, 7.0), "s")) == [5_000.0, 7_000.0]


def test_clustering_is_1_where_times_do_not_fit() -> None:
    of = evidence(result(ERRORS, measurements=tuple(sampled(2, 4, sent_at=(1.0,), outcomes=(1.0, 0.0)))))
    assert clustering(SHARE, of) == 1.0
    of = evidence(result(ERRORS, measurements=tuple(sampled(2, 4, sent_at=(1.0,), outcomes="x"))))
    assert clustering(SHARE, of) == 1.0


# Users' requests


def test_a_rate_of_errors_in_bursts_counts_each_burst_once() -> None:
    """10 after and none before: all of 6.67 independent events; at an even rate a seventh would be after."""
    rates = ErrorRates(before=0, before_s=3_600, after=10, after_s=600, effect=1.5)
    assert rates.grew(2.0, 0.95)
    assert not replace(rates, effect=10.0).grew(2.0, 0.95)
    assert not replace(rates, after=0).grew(2.0, 0.95)
    assert (rates.before_per_minute, rates.after_per_minute) == (0.0, 1.0)
    assert replace(rates, before=60).before_per_minute == 1.0
    assert replace(rates, before_s=0.0).before_per_minute == 0.0
    with pytest.raises(Unverified, match="no complete minute before it"):
        replace(rates, before_s=0.0).grew(2.0, 0.95)
    with pytest.raises(Unverified, match="no complete minute since then"):
        _ = replace(rates, after_s=0.0).after_per_minute


def test_traffic_is_counted_by_status() -> None:
    some = Traffic({"200": 90, "404": 5, "500": 3, "503": 2}, (100.0, 300.0, 200.0))
    assert (some.requests, some.failed, some.typical_p95_ms) == (100, 5, 200.0)
    assert some.description == "5 of 100 requests of real users failed"
    assert some.fails_more_than(0.02, 0.9)
    assert not some.fails_more_than(0.05, 0.9)
    for nothing in ("requests", "typical_p95_ms", "description"):
        with pytest.raises(Unverified):
            getattr(Traffic({}, ()), nothing)


# Endpoints


def test_the_chance_of_a_watched_series_is_at_most_1() -> None:
    few = Series(
        "GET /", "https://api.example", [float(n) for n in range(100)], [n == 50 for n in range(100)]
    )
    assert few.chance(0.05) == pytest.approx(at_least(1, 100, 0.05))
    assert replace(few, watched=True).chance(0.05) == 1.0
    many = replace(few, failed=[n % 2 == 0 for n in range(100)], watched=True)
    assert many.chance(0.05) < 1e-9
    assert not Series("GET /", "x").watched


def exchange(path: str, status: int | None, second: int = 0) -> Exchange:
    moment = datetime(2026, 11, 23, 14, 10, second, tzinfo=UTC).isoformat()
    return Exchange("GET", f"https://api.example{path}", status, 1.0, at=moment)


@pytest.mark.parametrize(
    ("stats", "failed"),
    [
        ([300] * 3, []),
        ([302] * 3, []),
        ([299, 300, 302], [False, True, True]),
        ([400] * 3, [True] * 3),
        ([399] * 3, []),
        ([499, 429, 500], [True, True]),
        ([None, 200], [True, False]),
    ],
)
def test_which_answers_of_a_sample_are_failures(stats: list[int | None], failed: list[bool]) -> None:
    """The origin serves other samples; a redirect is a failure only where the endpoint also answers 2xx."""
    sent = (exchange("/exploits", 200), *(exchange("/stats", one, n + 1) for n, one in enumerate(stats)))
    of = evidence(result(ERRORS, exchanges=sent))
    found = {one.endpoint: one.failed for one in error_series(of)}
    assert found.get("GET /stats", []) == failed


def test_a_request_without_a_time_is_a_second_after_the_one_before() -> None:
    sent = [replace(exchange("/exploits", 200, n), at="") for n in range(3)]
    [found] = error_series(
        evidence(result(HEALTH, exchanges=tuple(replace(one, duration_ms=n) for n, one in enumerate(sent))))
    )
    assert found.times_s == [0.0, 1.0, 2.0]
    assert str(found) == "GET /exploits fails: 0 of 3 requests ()"
    assert LATENCY not in found.items


def test_an_item_whose_requests_do_not_count_hides_no_other() -> None:
    """Of no service, of a browser, on our own side, or answered by something else."""
    sent = (exchange("/stats", 200),)
    others = [
        result(HEALTH, FAILED, exchanges=sent, failure=FailureKind.ANSWERED_IN_PLACE),
        result(HEALTH, FAILED, exchanges=sent, attribution=Attribution.PROBER),
        result("postdeploy.data-present", exchanges=sent),
        result(HEALTH, exchanges=(replace(sent[0], method="RUN"),)),
    ]
    for one in others:
        of = evidence(one, result(ERRORS, exchanges=(exchange("/exploits", 200),)))
        assert [found.endpoint for found in error_series(of)] == ["GET /exploits"]


def test_where_nearly_all_failed_before_no_share_is_over_the_line() -> None:
    settling = Settling(TIMES, POLICY, failed_before=(99, 100))
    for _ in range(30):
        settling.update(100.0, bad=True)
    assert not settling.settled
    assert not Settling(TIMES, POLICY).settled


def test_series_of_one_status_are_added_up_minute_by_minute() -> None:
    moments = [datetime(2026, 11, 23, 14, minute, tzinfo=UTC) for minute in (0, 1)]

    def of(status: str, *counts: float) -> HostSeries:
        return HostSeries(
            labels={"statusCode": status}, unit="", points=tuple(zip(moments, counts, strict=False))
        )

    found = traffic_of(
        [of("200", 1.0, 2.0), of("200", 5.0), of("503", 2.0, 1.0), of("502", 1.0)], [of("", 90.0)]
    )
    assert found.by_status == {"200": 8, "503": 3, "502": 1}
    assert (found.requests_by_minute, found.failed_by_minute) == ((9.0, 3.0), (3.0, 1.0))
    assert (found.requests, found.failed, found.p95_ms) == (12, 4, (90.0,))


@pytest.mark.parametrize(("stopping", "watched"), [("sequential", True), ("fixed", False), (None, False)])
def test_a_series_is_watched_where_a_rule_could_end_its_sampling(
    stopping: str | None, *, watched: bool
) -> None:
    taken = () if stopping is None else (Measurement("stopping", stopping),)
    of = evidence(result(ERRORS, exchanges=(exchange("/exploits", 200),), measurements=taken))
    assert [one.watched for one in error_series(of)] == [watched]
