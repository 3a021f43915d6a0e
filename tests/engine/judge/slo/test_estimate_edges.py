"""The numbers of an objective's report: of one run, of several, of users, and of a history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo import objectives
from kamiyo_verify.judge.slo.earlier import earlier_runs, oldest
from kamiyo_verify.judge.slo.estimates import early_users
from kamiyo_verify.judge.slo.objectives import users_judged
from kamiyo_verify.judge.statistics.exact import EXACT, lower_bound, samples_needed, upper_bound
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.model.history.history import Deployed, PastRun
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Attribution, Phase, SloVerdict
from tests.engine.judge.slo.test_pooling import NOW, A, B, after, outage, ran, spread, this
from tests.engine.judge.slo.test_reports import (
    AVAILABILITY,
    MONTH_S,
    SHARE,
    TIMES,
    availability,
    history,
    report,
    times,
)
from tests.engine.judge.slo.test_users import WITH_USERS, users
from tests.support.evidence_for import (
    ERRORS,
    RUNBOOK,
    evidence,
    measured,
)
from tests.support.recorded_runs import moment

MET, BREACHED, OPEN = SloVerdict.MET, SloVerdict.BREACHED, SloVerdict.INSUFFICIENT_EVIDENCE


def book(**changes: Any) -> Runbook:
    return RUNBOOK.model_copy(update={"slos": (SHARE.model_copy(update=changes),)})


def of_share(of: Evidence) -> SloReport:
    [found] = objectives.judge(of)
    return found


# Several runs


@pytest.mark.parametrize("better", ["below", "above"])
def test_runs_are_added_up_and_their_bounds_hold_whenever_one_looks(better: str) -> None:
    runbook = book(objective=0.5, better=better)
    found = of_share(after(this(spread(4, 80), runbook=runbook), ran(spread(6, 120))))
    low, high = ANYTIME.lower_bound(10, 200, 0.95), ANYTIME.upper_bound(10, 200, 0.95)
    assert (found.runs, found.samples) == (2, 200)
    if better == "below":
        assert found.value == pytest.approx(0.05)
        assert found.interval == pytest.approx((low, high))
    else:
        assert found.value == pytest.approx(0.95)
        assert found.interval == pytest.approx((1 - high, 1 - low))
    assert found.verdict is MET


@pytest.mark.parametrize("objective", [0.0, 1.0])
@pytest.mark.parametrize("better", ["below", "above"])
def test_several_runs_of_an_objective_of_all_or_nothing_need_no_number(objective: float, better: str) -> None:
    runbook = book(objective=objective, better=better)
    found = of_share(after(this(spread(4, 80), runbook=runbook), ran(spread(6, 120))))
    assert found.samples_needed is None
    assert "until" not in found.message


def test_only_several_runs_say_until_when_the_breach_lasts() -> None:
    alone = of_share(after(this(spread(30, 300), runbook=book())))
    assert (alone.verdict, alone.runs) == (BREACHED, 1)
    assert "and breached until" not in alone.message
    both = of_share(after(this("." * 300, runbook=book()), ran(spread(60, 300))))
    assert (both.verdict, both.runs) == (BREACHED, 2)
    assert "and breached until" in both.message


def test_a_spell_in_one_run_widens_the_bound_of_all_and_weighs_itself_down() -> None:
    runbook = book(objective=0.5)
    even = of_share(after(this("." * 300, runbook=runbook), ran(spread(30, 300))))
    spell = of_share(after(this("." * 300, runbook=runbook), ran(outage(30, 300))))
    assert (even.value, spell.value) == (0.05, 0.05)
    assert (spell.interval or (0, 0))[1] > (even.interval or (0, 0))[1]  # type: ignore[operator]
    assert (spell.interval or (0, 0))[0] < (even.interval or (0, 0))[0]  # type: ignore[operator]


def past(name: str, minute: float, commit: str = A, **more: Any) -> PastRun:
    given: dict[str, Any] = {
        "id": name,
        "phases": (Phase.POSTDEPLOY,),
        "started_at": moment(minute),
        "recommendation": Action.PROCEED,
        "blamed": False,
        "deployed": Deployed(commit=commit),
        "deeds": (),
    }
    return PastRun(**(given | more))


BACK, KEPT, FIXED = DecisionKind.ROLLED_BACK, DecisionKind.KEPT, DecisionKind.FIXED


@pytest.mark.parametrize(
    ("runs", "counted"),
    [
        ((), 2),
        ((past("p1", NOW - 40, deeds=((BACK, moment(NOW - 40)),)),), 1),
        ((past("p1", NOW - 40, deeds=((BACK, moment(NOW - 90)),)),), 2),
        ((past("p1", NOW - 40, deeds=((BACK, moment(NOW - 20)),)),), 0),
        ((past("p1", NOW - 40, B, deeds=((BACK, moment(NOW - 20)),)),), 2),
        ((past("p1", NOW - 40, deeds=((BACK, moment(NOW - 40)), (KEPT, moment(NOW - 35)))),), 2),
        ((past("p1", NOW - 40, deeds=((KEPT, moment(NOW - 45)), (BACK, moment(NOW - 40)))),), 1),
        ((past("p1", NOW - 40, deeds=((FIXED, moment(NOW - 40)),)),), 2),
        ((past("p1", NOW - 40, phases=(Phase.ROLLBACK,)),), 1),
        ((past("p1", NOW - 40, phases=(Phase.ROLLBACK,), recommendation=Action.FIX_FORWARD),), 2),
        ((past("p1", NOW - 40, phases=(Phase.ROLLBACK, Phase.POSTDEPLOY)),), 2),
    ],
)
def test_runs_count_since_the_commit_was_rolled_back_for_the_last_time(
    runs: tuple[PastRun, ...], counted: int
) -> None:
    """One run began 60 minutes before, one 30 minutes before."""
    sampled = (ran("." * 60, minute=NOW - 60), ran("." * 60, minute=NOW - 30))
    assert len(earlier_runs(this("." * 60), sampled, runs).samples) == counted


def test_runs_count_up_to_the_age_of_a_baseline() -> None:
    of = replace(this("." * 60), baseline_max_age_h=1.0)
    assert oldest(of) == moment(NOW - 60)
    runs = [ran("." * 60, minute=NOW - ago) for ago in (61, 60, 59)]
    assert len(earlier_runs(of, runs).samples) == 2


# One run


@pytest.mark.parametrize(
    ("method", "stopping"), [(EXACT, ""), (EXACT, "fixed"), (ANYTIME, "sequential"), (ANYTIME, "?")]
)
def test_a_percentile_has_the_bounds_of_its_way_of_stopping(method: Any, stopping: str) -> None:
    values = [float(number) for number in range(1, 201)]
    found = report(TIMES, times(*values, stopping=stopping))
    assert (found.value, found.samples, found.verdict) == (190.0, 200, MET)
    assert found.samples_needed == samples_needed(0, 0.05, 0.95, method)
    assert ("whenever it ended" in found.message) is (method is ANYTIME)


def test_a_percentile_that_is_better_above_counts_what_is_at_or_under_it() -> None:
    above = TIMES.model_copy(update={"better": "above", "objective": 100.0, "quantile": 0.05})
    found = report(above, times(*(100.0, 101.0), *(200.0,) * 78))
    assert found.samples_needed == samples_needed(1, 0.05, 0.95)
    assert found.value == 200.0


def test_a_share_has_exact_bounds() -> None:
    found = report(SHARE, measured(ERRORS, errors=3, requests=80))
    assert found.value == 3 / 80
    assert found.interval == (lower_bound(3, 80, 0.95), upper_bound(3, 80, 0.95))
    assert found.samples_needed is None
    assert found.verdict is BREACHED


def test_one_bad_sample_at_least_is_needed_for_a_breach() -> None:
    nothing = report(SHARE.model_copy(update={"objective": 0.0}), measured(ERRORS, errors=0, requests=80))
    assert nothing.verdict is OPEN
    one = report(SHARE.model_copy(update={"objective": 0.0}), measured(ERRORS, errors=1, requests=80))
    assert one.verdict is BREACHED


# A history


@pytest.mark.parametrize(
    ("found", "value", "interval", "verdict"),
    [
        (availability(0, 0, 0.0, 0.01 * MONTH_S), 0.99, (None, 0.99), BREACHED),
        (availability(0, 0, 0.0, 0.0051 * MONTH_S), 0.9949, (None, 0.9949), BREACHED),
        (availability(9, 100, MONTH_S, 0.02 * MONTH_S), 0.98, (None, 0.98), BREACHED),
    ],
)
def test_downtime_of_deployments_alone_breaches_availability(
    found: Any, value: float, interval: tuple[float | None, float], verdict: SloVerdict
) -> None:
    of = report(AVAILABILITY, history=history(0, 0, found))
    assert (of.verdict, of.samples, of.samples_needed) == (verdict, found.tally.total, None)
    assert of.value == pytest.approx(value)
    assert of.interval == pytest.approx(interval) if interval[0] is not None else True
    assert (of.interval or (1, 1))[0] is None


def test_availability_weighs_ten_minutes_as_one_observation() -> None:
    """30 days are 4,320 times ten minutes; 100,000 requests of all of them count as so many."""
    of = report(AVAILABILITY, history=history(0, 0, availability(100, 100_000, MONTH_S)))
    effect = 100_000 / 4_320
    bounds = (upper_bound(100 / effect, 4_320, 0.95), lower_bound(100 / effect, 4_320, 0.95))
    assert of.interval == pytest.approx((1 - bounds[0], 1 - bounds[1]), abs=1e-9)
    assert of.value == pytest.approx(0.999)
    few = report(AVAILABILITY, history=history(0, 0, availability(1, 1_000, MONTH_S)))
    bounds = (upper_bound(1, 1_000, 0.95), lower_bound(1, 1_000, 0.95))
    assert few.interval == pytest.approx((1 - bounds[0], 1 - bounds[1]), abs=1e-9)


# Users


def seen(*results: Any) -> Evidence:
    return evidence(*results, runbook=WITH_USERS)


@pytest.mark.parametrize(
    ("own", "theirs", "theirs_used"),
    [((0, 120), (120, 0), True), ((0, 120), (119, 0), False), ((0, 120), (4_000, 0), True)],
)
def test_users_are_preferred_where_there_are_as_many_as_we_sent(
    own: tuple[int, int], theirs: tuple[int, int], *, theirs_used: bool
) -> None:
    of = seen(measured(ERRORS, errors=own[0], requests=own[1]), users(*theirs))
    assert (users_judged(SHARE, of) is not None) is theirs_used
    assert users_judged(SHARE, evidence()) is None


def test_the_source_that_shows_a_breach_decides_and_names_the_other() -> None:
    ours = seen(measured(ERRORS, errors=20, requests=120), users(5_000, 0))
    [found] = [one for one in objectives.judge(ours) if one.id == "error-rate"]
    assert (found.verdict, found.samples) == (BREACHED, 120)
    assert "real users: 5,000 requests since 14:02 UTC disagree: 0 errors in 5,000 requests" in found.message
    theirs = seen(measured(ERRORS, errors=0, requests=120), users(100, 50))
    [found] = [one for one in objectives.judge(theirs) if one.id == "error-rate"]
    assert (found.verdict, found.samples) == (BREACHED, 100)
    assert "our own sampling: 120 requests disagree: 0 errors in 120 requests" in found.message


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        ((600.0,), ""),
        ((600.0, 700.0), "600 ms or more in each of 2 minutes since 14:02 UTC"),
        ((500.0, 700.0, 900.0), "500 ms or more in each of 3 minutes since 14:02 UTC"),
        ((499.0, 700.0), ""),
        ((600.0,) * 30, ""),
        ((), ""),
    ],
)
def test_a_few_slow_minutes_of_users_are_named(minutes: tuple[float, ...], text: str) -> None:
    found = early_users(TIMES, seen(users(50, 0, *minutes)))
    assert bool(found) is bool(text)
    assert text in found
    assert early_users(SHARE, seen(users(50, 0, *minutes))) == ""


@pytest.mark.parametrize(
    ("requests", "failed", "known"),
    [
        (100, 0, True),
        (100, 100, True),
        (100, 101, False),
        (0, 0, False),
        (100, -1, False),
        (True, 0, False),
        (100, True, False),
        (100.0, 0, False),
        ("100", 0, False),
    ],
)
def test_users_are_counted_where_both_numbers_are_counts(requests: Any, failed: Any, *, known: bool) -> None:
    of = seen(measured(ERRORS, errors=0, requests=1), users(requests, failed))
    assert (users_judged(SHARE, of) is not None) is (known and requests >= 1)
    blamed = seen(measured(ERRORS, errors=0, requests=1), users(100, 0, attribution=Attribution.PROBER))
    assert users_judged(SHARE, blamed) is None


def test_an_objective_of_several_services_has_no_users() -> None:
    items = tuple(
        one.model_copy(update={"services": ("api", "frontend")}) if one.id == ERRORS else one
        for one in WITH_USERS.items
    )
    of = evidence(
        measured(ERRORS, errors=0, requests=1),
        users(100, 0),
        runbook=WITH_USERS.model_copy(update={"items": items}),
    )
    assert users_judged(SHARE, of) is None
