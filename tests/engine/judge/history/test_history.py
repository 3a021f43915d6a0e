"""Many runs: availability and its budget, burn rates, deployments, and DORA's key metrics."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.availability import availability, burns, counted_once, window_seconds
from kamiyo_verify.judge.history.deployments import deployments, dora, success
from kamiyo_verify.judge.history.history import history
from kamiyo_verify.judge.observations import commit_answering, deployed, traffic
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.model.history.history import Deployed, History, PastRun, Source, Tally, TrafficSlice
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Phase, SloVerdict, Status
from kamiyo_verify.reporting import history as told
from kamiyo_verify.reporting.markdown import deployment_md
from tests.support.evidence_for import COMMIT, ERRORS, RUNBOOK, evidence, measured, result
from tests.support.recorded_runs import EPOCH, moment

NOW = EPOCH.timestamp()
HOUR = 3600.0
MONTH = 30 * 24 * HOUR

KEPT = Slo(
    id="availability", title="Availability", kind="history", objective=0.995, better="above", window="30d"
)
SUCCESS = Slo(id="deployment-success", title="Success", kind="history", objective=0.95, better="above")
LASTING = RUNBOOK.model_copy(update={"slos": (KEPT, SUCCESS)})
NO_SLOS = RUNBOOK.model_copy(update={"slos": ()})


def users(
    hours_ago: float, total: int, bad: int, *, hours: float = 0.25, service: str = "api"
) -> TrafficSlice:
    return TrafficSlice(Source.USERS, service, NOW - hours_ago * HOUR, hours * HOUR, total, bad)


def samples(hours_ago: float, total: int, bad: int) -> TrafficSlice:
    return TrafficSlice(Source.SAMPLES, "", NOW - hours_ago * HOUR, 60, total, bad)


def run(
    minute: float,
    commit: str,
    action: Action = Action.PROCEED,
    *deeds: tuple[DecisionKind, float],
    **more: Any,
) -> PastRun:
    return PastRun(
        id=f"run-{minute:g}",
        phases=more.pop("phases", (Phase.POSTDEPLOY,)),
        started_at=moment(minute),
        recommendation=action,
        blamed=more.pop("blamed", action in {Action.ROLL_BACK, Action.FIX_FORWARD}),
        quantiles=more.pop("quantiles", {}),
        deeds=tuple((deed, moment(at)) for deed, at in deeds),
        deployed=Deployed(commit=commit, **more),
    )


def test_the_budget_of_a_month_is_what_requests_have_left_of_it() -> None:
    found = availability([users(2, 100_000, 100)], objective=0.995, window_s=MONTH, now=NOW)

    assert found.tally == Tally(100, 100_000, "requests of users")
    assert found.budget_left == pytest.approx(0.8)
    assert found.observed_s == 0.25 * HOUR


def test_users_speak_before_samples_and_the_old_is_silent() -> None:
    slices = [samples(1, 100, 50), users(2, 1000, 1), users(24 * 31, 1000, 1000)]
    assert availability(slices, objective=0.995, window_s=MONTH, now=NOW).tally.bad == 1
    sampled = availability(slices[:1], objective=0.995, window_s=MONTH, now=NOW)
    assert (sampled.source, sampled.tally.what) == (Source.SAMPLES, "sampled requests")
    nothing = availability(slices[2:], objective=0.995, window_s=MONTH, now=NOW)
    assert (nothing.source, nothing.tally.total, nothing.budget_left) == (None, 0, None)


def test_downtime_spends_the_budget_too() -> None:
    """99.5 % of 30 days leaves 3 h 36 min."""
    found = availability([], objective=0.995, window_s=MONTH, now=NOW, downtime_s=1.8 * HOUR)
    assert found.budget_left == pytest.approx(0.5)
    both = availability([users(1, 1000, 10)], objective=0.995, window_s=MONTH, now=NOW, downtime_s=1.8 * HOUR)
    assert both.budget_left == pytest.approx(-1.0), "the larger of the two decides"


@pytest.mark.parametrize(
    ("slices", "alarms"),
    [
        ([users(6, 10_000, 800, hours=5.75), users(0.25, 1000, 80)], [True, True]),
        ([users(1, 1000, 80, hours=1)], [True, False]),
        ([users(6, 10_000, 800, hours=5.5), users(0.5, 1000, 0, hours=0.5)], [False, False]),
        ([users(6, 1000, 35, hours=5.5), users(0.5, 1000, 35, hours=0.5)], [False, True]),
        ([users(6, 10_000, 30, hours=6)], [False, False]),
        ([users(0.9, 1000, 900), users(0.05, 1000, 900, hours=0.05)], [False, False]),
        ([users(6, 1000, 900, hours=5.5)], [False, False]),
        ([], [False, False]),
    ],
    ids=[
        "burning",
        "six-hours-not-known",
        "over-now",
        "slow-burn",
        "fine",
        "minutes-of-each-window",
        "short-window-unknown",
        "unknown",
    ],
)
def test_burn_rates_alarm_by_two_windows(slices: list[TrafficSlice], alarms: list[bool]) -> None:
    found = burns(slices, objective=0.995, now=NOW)
    assert [(one.long_s, one.short_s, one.threshold) for one in found] == [
        (3600, 300, 14.4),
        (21600, 1800, 6),
    ]
    assert [one.alarming for one in found] == alarms


def test_a_burn_rate_of_one_spends_the_budget_in_its_window() -> None:
    [hour, _] = burns([users(1, 1000, 5, hours=1)], objective=0.995, now=NOW)
    assert [hour.long, hour.short] == pytest.approx([1.0, 1.0])


def judged_over_a_month(*slices: TrafficSlice, downtime_s: float = 0.0) -> SloReport:
    found = availability(slices, objective=0.995, window_s=MONTH, now=NOW, downtime_s=downtime_s)
    of = evidence(runbook=LASTING, history=History(found, Tally(0, 0, "deployments")))
    return next(one for one in slo.judge(of) if one.id == "availability")


@pytest.mark.parametrize("bad", [0, 1, 20_000, 1_000_000])
def test_a_few_minutes_a_day_say_nothing_of_a_month_whatever_the_counts(bad: int) -> None:
    daily = [users(24 * day + 1, 1_000_000, bad, hours=0.1) for day in range(30)]
    told = judged_over_a_month(*daily)
    assert told.verdict is SloVerdict.INSUFFICIENT_EVIDENCE
    assert "requests are known from 3 h, 0.4 % of the window" in told.message


@pytest.mark.parametrize(
    ("hours", "bad", "verdict"),
    [
        (715, 0, SloVerdict.MET),
        (715, 100, SloVerdict.MET),
        (715, 5_000, SloVerdict.INSUFFICIENT_EVIDENCE),
        (715, 20_000, SloVerdict.BREACHED),
        (80, 0, SloVerdict.INSUFFICIENT_EVIDENCE),
    ],
)
def test_a_month_is_judged_by_the_time_that_is_known(hours: float, bad: int, verdict: SloVerdict) -> None:
    """A million requests in a week are no more than the week: ten minutes are one observation."""
    told = judged_over_a_month(users(hours + 1, 1_000_000, bad, hours=hours))
    assert told.verdict is verdict
    assert "% of the window" in told.message


def test_downtime_that_spends_the_whole_budget_is_a_breach_however_little_else_is_known() -> None:
    told = judged_over_a_month(users(1, 1000, 0), downtime_s=5 * HOUR)
    assert told.verdict is SloVerdict.BREACHED
    assert "deployments were down for 5 h" in told.message


def test_what_two_runs_saw_of_users_counts_once() -> None:
    seen = [users(2, 100, 1), users(2, 100, 1), users(1.9, 100, 1), users(1.75, 100, 1)]
    assert counted_once(seen) == [seen[0], seen[3]]
    assert (
        len(counted_once([*seen, users(2, 100, 1, service="frontend"), samples(2, 5, 0), samples(2, 5, 0)]))
        == 5
    )


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 99), st.floats(0.01, 2)), max_size=12))
def test_no_second_of_a_service_counts_twice(drawn: list[tuple[float, int, float]]) -> None:
    slices = [users(ago, total, 0, hours=hours) for ago, total, hours in drawn]
    kept = counted_once(slices)
    assert all(one.began_at + one.seconds <= other.began_at for one, other in pairwise(kept))
    found = availability(slices, objective=0.995, window_s=MONTH, now=NOW)
    assert found.observed_s == pytest.approx(sum(one.seconds for one in kept))


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", MONTH), ("", MONTH), ("12h", 12 * HOUR), ("1w", 168 * HOUR)]
)
def test_windows_are_read(text: str, seconds: float) -> None:
    assert window_seconds(text) == seconds


def test_a_window_that_is_none_is_refused_with_the_runbook() -> None:
    with pytest.raises(ValueError, match="is no window"):
        window_seconds("a month")
    with pytest.raises(ValidationError, match="window"):
        Slo.model_validate(KEPT.model_dump() | {"window": "a month"})


def test_runs_of_one_commit_are_one_deployment() -> None:
    records = deployments([run(0, "aaaaaaa"), run(60, "bbbbbbb"), run(5, "aaaaaaa" + "0" * 33), run(9, "")])
    assert [(one.commit[:7], one.runs) for one in records] == [
        ("aaaaaaa", ("run-0", "run-5")),
        ("bbbbbbb", ("run-60",)),
    ]
    assert records[0].commit == "aaaaaaa" + "0" * 33


@pytest.mark.parametrize(
    ("runs", "end"),
    [
        ([run(0, "aaaaaaa")], (True, False)),
        ([run(0, "aaaaaaa", Action.INCONCLUSIVE)], (None, False)),
        ([run(0, "aaaaaaa", Action.INCONCLUSIVE), run(1, "aaaaaaa")], (True, False)),
        ([run(0, "aaaaaaa", Action.ROLL_BACK), run(1, "aaaaaaa")], (False, False)),
        ([run(0, "aaaaaaa", Action.FIX_FORWARD, blamed=False)], (None, False)),
        ([run(0, "aaaaaaa", failed=True)], (False, False)),
        ([run(0, "aaaaaaa", Action.ROLL_BACK, (DecisionKind.KEPT, 5))], (True, False)),
        ([run(0, "aaaaaaa", Action.PROCEED, (DecisionKind.ROLLED_BACK, 5))], (False, True)),
        (
            [run(0, "aaaaaaa", Action.PROCEED, (DecisionKind.ROLLED_BACK, 5), (DecisionKind.KEPT, 9))],
            (True, False),
        ),
        ([run(0, "aaaaaaa", Action.PROCEED, (DecisionKind.FIXED, 5))], (False, False)),
        ([run(0, "aaaaaaa", Action.ROLL_BACK), run(9, "aaaaaaa", phases=(Phase.ROLLBACK,))], (False, True)),
        ([run(0, "aaaaaaa"), run(9, "aaaaaaa", phases=tuple(Phase))], (True, False)),
        ([run(0, "aaaaaaa", phases=(Phase.POSTDEPLOY, Phase.ROLLBACK))], (True, False)),
        ([run(0, "aaaaaaa"), run(9, "aaaaaaa", Action.HOLD, phases=(Phase.ROLLBACK,))], (True, False)),
        (
            [run(0, "aaaaaaa"), run(9, "aaaaaaa", Action.INCONCLUSIVE, phases=(Phase.ROLLBACK,))],
            (True, False),
        ),
    ],
)
def test_how_a_deployment_ended(runs: list[PastRun], end: tuple[bool | None, bool]) -> None:
    """Whether it succeeded, and whether it was rolled back."""
    [record] = deployments(runs)
    assert (record.succeeded, record.rolled_back) == end


def test_a_run_before_the_deployment_is_none_of_it() -> None:
    assert not deployments([run(0, "aaaaaaa", phases=(Phase.PREFLIGHT,))])


def test_what_is_tracked_after_each_deployment() -> None:
    hour = Tally(3, 4000, "requests of users")
    before = run(0, "aaaaaaa", quantiles={"api-p95": 200.0})
    record = deployments(
        [
            before,
            run(60, "bbbbbbb", began_at=moment(50), duration_s=300.0, downtime_s=12.0, deployer="Ada"),
            run(70, "bbbbbbb", quantiles={"api-p95": 260.0}, downtime_s=None),
            run(130, "bbbbbbb", phases=(Phase.FOLLOWUP,), first_hour=hour),
        ]
    )[1]

    assert (record.seen.duration_s, record.seen.downtime_s, record.seen.deployer) == (300.0, 12.0, "Ada")
    assert record.seen.first_hour == hour
    assert record.slowdown == {"api-p95": pytest.approx(1.3)}
    text = "\n".join(told.deployment_lines([record]))
    assert "took 5 min, downtime 12 s, errors in the first hour 0.075 % (3 of 4,000)" in text
    assert "api-p95: 1.3 times that of the good deployment before" in text


def test_a_bad_deployment_is_no_measure_for_the_next() -> None:
    bad = run(60, "bbbbbbb", Action.ROLL_BACK, quantiles={"api-p95": 2000.0})
    records = deployments(
        [
            run(0, "aaaaaaa", quantiles={"api-p95": 200.0}),
            bad,
            run(90, "ccccccc", quantiles={"api-p95": 220.0}),
        ]
    )
    assert records[2].slowdown == {"api-p95": pytest.approx(1.1)}


def test_the_four_key_metrics() -> None:
    records = deployments(
        [
            run(-600, "aaaaaaa", began_at=moment(-610), committed_at=moment(-670), duration_s=600.0),
            run(-300, "bbbbbbb", Action.ROLL_BACK, (DecisionKind.ROLLED_BACK, -280), began_at=moment(-310)),
            run(-200, "ccccccc", Action.ROLL_BACK, began_at=moment(-200)),
            run(-170, "ddddddd"),
            run(-100, "eeeeeee", Action.INCONCLUSIVE),
            run(-60 * 24 * 99, "fffffff"),
        ]
    )
    found = dora(records, window_s=14 * 24 * HOUR, now=NOW)

    assert found.per_week == 2.5
    assert found.lead_time_s == 70 * 60
    assert found.failures == Tally(2, 4, "deployments")
    assert found.recovery_s == 30 * 60, "one took 30 min to the rollback, one to the next good deployment"
    assert "change failure rate: 50 % (2 of 4)" in "\n".join(told.dora_lines(found, 14))


def test_of_nothing_nothing_is_known() -> None:
    found = dora((), window_s=MONTH, now=NOW)
    assert (found.per_week, found.lead_time_s, found.failures.total, found.recovery_s) == (0, None, 0, None)
    assert "lead time for changes: not known" in "\n".join(told.dora_lines(found, 30))


@pytest.mark.parametrize(
    ("bad", "total", "verdict"),
    [
        (0, 58, SloVerdict.INSUFFICIENT_EVIDENCE),
        (0, 59, SloVerdict.MET),
        (1, 59, SloVerdict.INSUFFICIENT_EVIDENCE),
        (9, 59, SloVerdict.BREACHED),
        (1, 1, SloVerdict.INSUFFICIENT_EVIDENCE),
        (9, 9, SloVerdict.INSUFFICIENT_EVIDENCE),
        (10, 10, SloVerdict.BREACHED),
        (0, 0, SloVerdict.INSUFFICIENT_EVIDENCE),
    ],
)
def test_it_takes_59_deployments_to_say_95_percent(bad: int, total: int, verdict: SloVerdict) -> None:
    past = History(availability=None, deployments=Tally(bad, total, "deployments"))
    [_, report] = slo.judge(evidence(runbook=LASTING, history=past))
    assert report.verdict is verdict
    if not bad and total == 58:
        assert report.samples_needed == 59
        assert "95 % needs 59 clean ones" in report.message


def test_a_breach_over_months_does_not_decide_about_today() -> None:
    past = History(availability=None, deployments=Tally(59, 59, "deployments"))
    verdict = decide(evidence(runbook=LASTING, history=past))
    assert verdict.recommendation is Action.PROCEED
    assert verdict.slos[1].verdict is SloVerdict.BREACHED


def test_without_a_ledger_the_long_objectives_say_so() -> None:
    reports = slo.judge(evidence(runbook=LASTING))
    assert {one.verdict for one in reports} == {SloVerdict.INSUFFICIENT_EVIDENCE}
    assert all("many runs" in one.message for one in reports)


def test_the_history_of_a_run_knows_what_came_before() -> None:
    runs = [run(0, "aaaaaaa"), run(10, "bbbbbbb", duration_s=240.0), run(20, "ccccccc")]
    found = history(LASTING, runs, [users(719, 100_000, 3, hours=718)], commit="bbbbbbb", now=NOW)

    assert found.current is not None
    assert found.previous is not None
    assert (found.current.commit, found.previous.commit) == ("bbbbbbb", "aaaaaaa")
    assert found.deployments == success(deployments(runs)) == Tally(0, 3, "deployments")
    assert found.availability is not None
    reports = slo.judge(evidence(runbook=LASTING, history=found))
    assert reports[0].verdict is SloVerdict.MET
    assert history(NO_SLOS, runs, (), commit="", now=NOW).availability is None


def test_the_deployment_log_entry_is_filled_from_the_ledger() -> None:
    runs = [
        run(-20, "aaaaaaa"),
        run(-5, "bbbbbbb", duration_s=610.0, downtime_s=3.0, deployer="Ada", branch="main"),
    ]
    past = history(LASTING, runs, (), commit="bbbbbbb", now=NOW)
    entry = deployment_md(decide(evidence(commit="bbbbbbb", history=past)))

    for line in (
        "- **Deployer:** Ada",
        "- **Branch:** main",
        "- **Commit:** bbbbbbb (before it: aaaaaaa)",
        "- **Services:** kamiyo-api, kamiyo-frontend",
        "- **Duration:** 10 min 10 s",
        "- **Downtime:** 3 s",
        "- **Rollback:** No",
    ):
        assert line in entry
    rollback_state = replace(past, current=replace(past.current, rolled_back=True)) if past.current else past
    assert "- **Rollback:** Yes" in deployment_md(decide(evidence(commit="bbbbbbb", history=rollback_state)))


def taken(item: str, **values: Any) -> Result:
    phase = Phase(item.partition(".")[0])
    return Result(
        item,
        phase,
        Status.PASSED,
        measurements=tuple(Measurement(name.replace("__", "["), value) for name, value in values.items()),
        started_at=moment(0),
        duration_s=30,
    )


def test_what_a_run_saw_of_its_deployment_is_read_from_its_measurements() -> None:
    seen = deployed(
        "",
        [
            measured(COMMIT, api_commit="9c41d07", frontend_commit="9c41d07"),
            taken("deploy.duration", duration=300.5, began_at=moment(-9), committed_at=moment(-60)),
            taken("deploy.downtime", **{"downtime": 0.0, "downtime[frontend]": 2.5}),
            taken("deploy.team-told", who="Ada"),
            taken(
                "followup.error-rate-first-hour",
                **{
                    "requests": 100,
                    "failed": 1,
                    "requests[frontend]": 50,
                    "failed[frontend]": 0,
                },
            ),
            result("deploy.services-live", Status.FAILED),
        ],
    )
    assert seen == Deployed(
        commit="9c41d07",
        began_at=moment(-9),
        committed_at=moment(-60),
        duration_s=300.5,
        downtime_s=2.5,
        deployer="Ada",
        failed=True,
        first_hour=Tally(1, 150, "requests of users"),
    )


def test_services_that_name_two_commits_name_none() -> None:
    assert not commit_answering([measured(COMMIT, api_commit="9c41d07", frontend_commit="aaaaaaa")])


def test_traffic_is_read_from_series_and_from_ratio_objectives() -> None:
    series = taken(
        "performance.error-rate",
        **{
            "errors": 2,
            "requests": 120,
            "traffic_began[api]": (NOW, NOW + 60),
            "traffic_seconds[api]": (60.0, 60.0),
            "traffic_requests[api]": (500.0, 400.0),
            "traffic_failed[api]": (1.0, 0.0),
            "traffic_began[frontend]": (NOW,),
        },
    )
    assert traffic(RUNBOOK, [series]) == (
        TrafficSlice(Source.USERS, "api", NOW, 60, 500, 1),
        TrafficSlice(Source.USERS, "api", NOW + 60, 60, 400, 0),
        TrafficSlice(Source.SAMPLES, "", NOW, 30, 120, 2),
    )
    assert not traffic(RUNBOOK, [replace(result(ERRORS), started_at=moment(0))])
