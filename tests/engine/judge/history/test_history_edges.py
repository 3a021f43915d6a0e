"""Edges of the history: windows, first and last runs, and the order of requests in a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.availability import availability, burns, counted_once
from kamiyo_verify.judge.history.chart_data import picture
from kamiyo_verify.judge.history.deployments import deployments, dora, success, together
from kamiyo_verify.judge.history.events import seconds_between
from kamiyo_verify.judge.history.history import history
from kamiyo_verify.judge.history.recent import ended, recent
from kamiyo_verify.model.history.chart_data import ChartData, Part
from kamiyo_verify.model.history.history import (
    Deployed,
    DeploymentRecord,
    Ended,
    PastRun,
    Source,
    TrafficSlice,
)
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Action, Phase
from tests.support.evidence_for import ERROR, FAILED, HEALTH, LATENCY, PASSED, RUNBOOK, evidence, result

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC).timestamp()
HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
GO, BACK, FIX = Action.PROCEED, Action.ROLL_BACK, Action.FIX_FORWARD
A, B, C = "aaaaaaa1" + "0" * 32, "bbbbbbb1" + "0" * 32, "ccccccc1" + "0" * 32


def users(ago_s: float, seconds: float = 60.0, bad: int = 0, service: str = "api") -> TrafficSlice:
    return TrafficSlice(Source.USERS, service, NOW - ago_s, seconds, 100, bad)


def at(ago_s: float) -> str:
    return datetime.fromtimestamp(NOW - ago_s, UTC).isoformat()


def run(name: str, ago_s: float, call: Action = GO, commit: str = A, **more: Any) -> PastRun:
    seen = {key: more.pop(key) for key in [*more] if key in Deployed.__dataclass_fields__}
    given: dict[str, Any] = {
        "id": name,
        "phases": (Phase.POSTDEPLOY,),
        "started_at": at(ago_s),
        "recommendation": call,
        "blamed": call in {BACK, FIX},
        "deployed": Deployed(commit=commit, **seen),
        "deeds": (),
    }
    return PastRun(**(given | more))


# Availability


def test_a_burn_rate_counts_requests_of_this_very_moment_and_none_that_ended_before_its_window() -> None:
    """An hour is covered; 60 spans of 100 requests, and one that begins now."""
    hour = [users(60.0 * (60 - number)) for number in range(60)]

    def long_rate(*more: TrafficSlice) -> float | None:
        slices = sorted([*more, *hour], key=lambda one: one.began_at)
        return burns(slices, objective=0.99, now=NOW)[0].long

    assert long_rate() == 0.0
    assert long_rate(users(0.0, bad=61)) == pytest.approx(61 / 6_100 / 0.01)
    assert long_rate(users(-0.1, bad=61)) == 0.0
    assert long_rate(users(HOUR + 60.0, bad=61)) == 0.0
    assert long_rate(users(HOUR + 59.0, bad=61)) == pytest.approx(61 / 6_100 / 0.01)


def test_a_span_counts_for_a_window_only_with_the_part_that_lies_in_it() -> None:
    """9 of 10 tenths of the hour have to be known: 54 minutes."""

    def is_known(slices: list[TrafficSlice]) -> bool:
        return burns(slices, objective=0.99, now=NOW)[0].long is not None

    assert is_known([users(5 * HOUR, 5 * HOUR - 360)])
    assert not is_known([users(5 * HOUR, 5 * HOUR - 361)])
    assert is_known([users(54 * 60.0, 9 * HOUR)])
    assert not is_known([users(54 * 60.0 - 1, 9 * HOUR)])
    assert is_known([users(3_300.0, 1_620.0), users(1_680.0, 1_620.0)])
    assert not is_known([users(3_300.0, 1_620.0), users(1_700.0, 1_620.0)])


def test_of_users_spans_the_first_counts_and_any_that_begins_within_it_does_not() -> None:
    kept = counted_once([users(100, 40), users(100, 60), users(60, 60), users(59, 10), users(0, 60)])
    assert [(NOW - one.began_at, one.seconds) for one in kept] == [(100, 40), (60, 60), (0, 60)]
    first = [TrafficSlice(Source.USERS, "api", second, 1.0, 9, 0) for second in (0.0, 0.5, 1.0)]
    assert [one.began_at for one in counted_once(first)] == [0.0, 1.0]


def test_no_request_and_no_downtime_leave_no_budget_to_name() -> None:
    def left(*slices: TrafficSlice, **more: float) -> float | None:
        return availability(slices, objective=0.9, window_s=DAY, now=NOW, **more).budget_left

    assert left() is None
    assert left(downtime_s=864.0) == pytest.approx(0.9)
    assert left(users(HOUR, bad=1)) == pytest.approx(0.9)
    assert left(users(HOUR, bad=20)) == pytest.approx(-1.0)


# Deployments


def test_the_runs_of_one_commit_are_one_deployment_however_long_the_ids_are() -> None:
    runs = [run("r1", 300, commit=A[:7]), run("r2", 200, commit=A), run("r3", 100, commit=A[:9].upper())]
    found = deployments([*runs[1:], runs[0]])
    assert [(one.commit, one.runs) for one in found] == [(A, ("r1", "r2", "r3"))]
    assert [one.runs for one in deployments([run("r2", 5, commit=B), run("r1", 5, commit=A)])] == [
        ("r1",),
        ("r2",),
    ]


@pytest.mark.parametrize(
    ("calls", "restored"),
    [
        ([(300, BACK), (200, GO)], 200),
        ([(400, GO), (300, BACK), (200, GO), (100, GO)], 200),
        ([(300, BACK), (200, BACK), (250, GO), (100, GO)], 100),
        ([(300, BACK), (200, Action.INCONCLUSIVE), (100, GO)], 100),
        ([(300, BACK)], None),
        ([(300, BACK), (300, GO)], None),
    ],
)
def test_service_is_restored_by_the_first_good_run_after_the_last_bad_one(
    calls: list[tuple[float, Action]], restored: float | None
) -> None:
    runs = [run(f"r{place}", ago, call) for place, (ago, call) in enumerate(calls)]
    [found] = deployments(runs)
    assert (found.succeeded, found.restored_at) == (False, "" if restored is None else at(restored))


def test_a_later_deployment_may_restore_service_and_a_decision_says_when() -> None:
    bad, good = run("r1", 300, BACK), run("r2", 100, commit=B)
    assert [one.restored_at for one in deployments([bad, good])] == [at(100), ""]
    decided = replace(bad, deeds=((DecisionKind.FIXED, at(250)), (DecisionKind.ROLLED_BACK, at(240))))
    found = deployments([decided, good])[0]
    assert (found.restored_at, found.rolled_back, found.succeeded) == (at(240), True, False)
    kept = replace(bad, deeds=((DecisionKind.ROLLED_BACK, at(250)), (DecisionKind.KEPT, at(240))))
    [found] = deployments([kept])
    assert (found.restored_at, found.rolled_back, found.succeeded) == ("", False, True)


def test_a_run_of_the_rollback_phase_alone_shows_that_its_commit_was_was_rolled_back() -> None:
    def was_rolled_back(call: Action, *phases: Phase, deed: DecisionKind | None = None) -> bool:
        deeds = ((deed, at(50)),) if deed else ()
        return deployments([run("r1", 100, call, phases=phases, deeds=deeds)])[0].rolled_back

    assert was_rolled_back(GO, Phase.ROLLBACK)
    assert not was_rolled_back(FIX, Phase.ROLLBACK)
    assert not was_rolled_back(GO, Phase.ROLLBACK, Phase.POSTDEPLOY)
    assert not was_rolled_back(GO, Phase.POSTDEPLOY)
    assert not was_rolled_back(GO, Phase.ROLLBACK, deed=DecisionKind.KEPT)
    assert was_rolled_back(GO, Phase.ROLLBACK, deed=DecisionKind.FIXED)


def test_a_slowdown_is_against_the_last_good_deployment() -> None:
    runs = [
        run("r1", 500, quantiles={"p95": 100.0, "zero": 0.0}),
        run("r2", 400, BACK, commit=B, quantiles={"p95": 300.0}),
        run("r3", 300, commit=C, quantiles={"p95": 400.0}),
        run("r4", 200, commit=C, quantiles={"p95": 150.0, "zero": 3.0, "new": 1.0}),
    ]
    assert [one.slowdown for one in deployments(runs)] == [{}, {"p95": 3.0}, {"p95": 1.5}]


def test_later_runs_know_a_deployment_better_and_empty_values_hide_nothing() -> None:
    first = Deployed(commit=A[:7], began_at="x", duration_s=5.0, failed=True, deployer="Ada")
    later = Deployed(commit=A, began_at="", duration_s=0.0, failed=False)
    assert together([first, later]) == Deployed(
        commit=A, began_at="x", duration_s=0.0, failed=False, deployer="Ada"
    )
    assert together([]) == Deployed(commit="")


def record(ago_s: float, *, good: bool | None = True, restored_s: float | None = None, **seen: Any) -> Any:
    return DeploymentRecord(
        commit=A,
        seen_at=at(ago_s),
        runs=(),
        succeeded=good,
        rolled_back=False,
        seen=Deployed(commit=A, **seen),
        restored_at="" if restored_s is None else at(restored_s),
        slowdown={},
    )


def test_the_four_metrics_are_those_of_the_window() -> None:
    records = [
        record(4 * WEEK + 1, good=False),
        record(4 * WEEK, good=False, restored_s=4 * WEEK - HOUR),
        record(WEEK, good=False, restored_s=WEEK - 3 * HOUR),
        record(HOUR, began_at=at(HOUR), committed_at=at(3 * HOUR), duration_s=600.0),
        record(60.0, began_at=at(60.0), committed_at=at(60.0 + HOUR)),
        record(30.0, good=None, began_at=at(30.0)),
        record(0.0, committed_at=at(50.0)),
        record(-1.0),
    ]
    found = dora(records, window_s=4 * WEEK, now=NOW)
    assert found.per_week == pytest.approx(6 / 4)
    assert found.lead_time_s == pytest.approx((2 * HOUR + 600 + HOUR) / 2)
    assert (found.failures.bad, found.failures.total) == (2, 5)
    assert found.recovery_s == pytest.approx(2 * HOUR)
    none = dora([], window_s=WEEK, now=NOW)
    assert (none.per_week, none.lead_time_s, none.recovery_s) == (0.0, None, None)
    assert success([]).total == 0


def test_a_deployment_ends_as_its_record_says() -> None:
    assert [ended(record(1, good=good)) for good in (True, False, None)] == [
        Ended.GOOD,
        Ended.FAILED,
        Ended.UNKNOWN,
    ]
    assert ended(replace(record(1, good=False), rolled_back=True)) is Ended.ROLLED_BACK


def test_the_last_eleven_deployments_are_shown_with_their_latest_values() -> None:
    runs = [run(f"r{n:02}", 1_000 - n, commit=f"{n:07x}", shares={"errors": n / 100}) for n in range(13)]
    shown = recent(deployments(runs), runs)
    assert [one.commit for one in shown] == [f"{n:07x}" for n in range(2, 13)]
    assert shown[-1].values == {"errors": 0.12}
    assert [one.commit for one in recent(deployments(runs), runs, most=2)] == [f"{n:07x}" for n in (11, 12)]


def kept(window: str = "1d") -> Slo:
    return Slo(id="availability", title="A", kind="history", objective=0.99, better="above", window=window)


def test_the_history_is_of_the_deployments_before_the_current_one() -> None:
    book = RUNBOOK.model_copy(update={"slos": (kept(),)})
    runs = [
        run("r1", 2 * DAY, commit=A, downtime_s=500.0, began_at=at(2 * DAY)),
        run("r2", DAY, BACK, commit=B, downtime_s=86.4, began_at=at(DAY)),
        run("r3", HOUR, commit=C, began_at=at(HOUR)),
    ]

    def known(commit: str) -> Any:
        return history(book, runs, (), commit=commit, now=NOW)

    assert known(B[:9]).current.commit == B
    assert known(B).previous.commit == A
    assert known(A).previous is None
    assert known(C).previous.commit == B
    assert [one.commit for one in known(C).recent] == [A, B]
    unknown = known("")
    assert (unknown.current, unknown.previous.commit) == (None, C)
    assert (unknown.deployments.bad, unknown.deployments.total) == (1, 3)
    assert unknown.availability.downtime_s == pytest.approx(86.4)
    assert unknown.availability.budget_left == pytest.approx(0.9)
    without = history(RUNBOOK.model_copy(update={"slos": ()}), runs, (), commit="", now=NOW)
    assert without.availability is None


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [(10, 4, 6.0), (4, 4, 0.0), (4, 10, None), (None, 4, None), (4, None, None)],
)
def test_there_are_seconds_between_two_known_moments_in_their_order(
    earlier: float | None, later: float | None, seconds: float | None
) -> None:
    moments = ["" if one is None else at(one) for one in (earlier, later)]
    assert seconds_between(*moments) == seconds


# What the report draws


def exchange(status: int | None, ms: float, problem: str = "", method: str = "GET") -> Exchange:
    return Exchange(method, f"https://api.example/{status}/{ms:g}", status, ms, problem=problem)


def drawn(one: Result, **more: Any) -> ChartData:
    given = evidence(one, **more)
    return picture(given, decide(given))


def test_requests_are_shown_by_their_weight_and_then_the_slowest() -> None:
    sent = (
        exchange(399, 90.0),
        exchange(499, 10.0),
        exchange(400, 20.0),
        exchange(500, 1.0),
        exchange(503, 2.0),
        exchange(None, 0.5, "refused"),
        exchange(200, 95.0),
    )
    shown = drawn(result(HEALTH, FAILED, exchanges=sent)).sent[HEALTH]
    assert [(one.status, one.duration_ms) for one in shown.shown] == [
        (None, 0.5),
        (503, 2.0),
        (500, 1.0),
        (400, 20.0),
        (499, 10.0),
    ]
    assert shown.total == 7
    [slowest] = drawn(result(HEALTH, PASSED, exchanges=(sent[0], sent[6]))).sent[HEALTH].shown
    assert slowest.duration_ms == 95.0


def test_commands_and_queries_are_named_as_what_they_are() -> None:
    def noun(*methods: str) -> str:
        return (
            drawn(result(HEALTH, exchanges=tuple(exchange(None, 1.0, "", one) for one in methods)))
            .sent[HEALTH]
            .noun
        )

    assert [noun("RUN"), noun("SQL"), noun("GET"), noun("RUN", "SQL")] == [
        "command",
        "SQL statement",
        "request",
        "call",
    ]
    answers = (exchange(None, 1.0, "", "SQL"), exchange(None, 1.0, "no", "SQL"), exchange(None, 1.0, "no"))
    assert drawn(result(HEALTH, FAILED, exchanges=answers)).sent[HEALTH].answers == (
        ("done", 1),
        ("failed", 1),
        ("no answer", 1),
    )


def timed(**moments: float) -> Result:
    return result(
        HEALTH, measurements=tuple(Measurement(name, value, "ms") for name, value in moments.items())
    )


def test_each_step_of_a_request_lasts_from_one_time_point_to_the_next() -> None:
    every = timed(
        time_namelookup=5.0,
        time_connect=15.0,
        time_appconnect=40.0,
        time_pretransfer=41.0,
        time_starttransfer=90.0,
        time_total=100.0,
    )
    [shown] = drawn(every).breakdowns
    assert [(one.name, one.began_ms, one.ended_ms) for one in shown.steps] == [
        ("name lookup", 0.0, 5.0),
        ("connect", 5.0, 15.0),
        ("TLS", 15.0, 40.0),
        ("wait for the first byte", 41.0, 90.0),
        ("transfer", 90.0, 100.0),
    ]
    assert shown.total_ms == 100.0
    kept_open = timed(time_namelookup=0.0, time_connect=0.0, time_starttransfer=9.0, time_total=9.0)
    [shown] = drawn(kept_open).breakdowns
    assert [(one.name, one.began_ms, one.ended_ms) for one in shown.steps] == [
        ("wait for the first byte", 0.0, 9.0),
        ("transfer", 9.0, 9.0),
    ]
    assert drawn(timed(time_starttransfer=9.0)).breakdowns == ()
    assert drawn(timed(time_starttransfer=float("inf"), time_total=9.0)).breakdowns == ()


def test_the_quantiles_are_the_median_p95_and_p99() -> None:
    taken = result(
        LATENCY, measurements=(Measurement("response_times", tuple(map(float, range(1, 101))), "ms"),)
    )
    [shown] = drawn(taken).latencies
    assert [(one.share, one.value) for one in shown.quantiles] == [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)]
    assert Part.LATENCY not in drawn(taken).unknown


@pytest.mark.parametrize(
    ("one", "rolled_back", "how"),
    [
        (result(HEALTH), False, Ended.GOOD),
        (result(HEALTH, FAILED), False, Ended.FAILED),
        (result(HEALTH, ERROR), False, Ended.UNKNOWN),
        (result(HEALTH), True, Ended.ROLLED_BACK),
    ],
)
def test_the_present_deployment_is_the_last_of_the_trend(
    one: Result, how: Ended, *, rolled_back: bool
) -> None:
    given = evidence(one, commit=A)
    verdict = decide(given)
    verdict = replace(verdict, deployment=replace(verdict.deployment, rolled_back=rolled_back))
    [present] = picture(given, verdict).recent
    assert (present.commit, present.ended, present.began_at) == (A, how, given.started_at)
