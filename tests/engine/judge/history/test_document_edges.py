"""Edges of the documents about a deployment: what is counted, what is usual, and the timeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.history.environment_history import environment_history
from kamiyo_verify.judge.history.retention import Limits, deployments_needed
from kamiyo_verify.judge.history.timeline import bands, why_less
from kamiyo_verify.judge.observations import DOWNTIME_ITEM, DURATION_ITEM
from kamiyo_verify.model.history.chart_data import BandKind
from kamiyo_verify.model.history.deployment_record import Happened
from kamiyo_verify.model.history.environment_history import Remembered
from kamiyo_verify.model.history.history import Deployed, Tally
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Action, Attribution, Impact, Phase
from tests.engine.judge.history.test_chart_data import WITH_DEPLOY
from tests.engine.judge.history.test_documents_facts import BAD, WELL, facts, file, run
from tests.engine.judge.history.test_retention import GOOD, planned, removed, with_success
from tests.engine.judge.history.test_retention import run as outline
from tests.support.evidence_for import (
    BEGAN,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
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

MANY = tuple(
    one.model_copy(update={"id": f"postdeploy.n{number:02}", "impact": Impact.UI, "title": f"n{number:02}"})
    for number, one in enumerate([RUNBOOK.items[2]] * 20)
)


def failing(count: int) -> Any:
    """A run in which so many items fail."""
    of = run("r1")
    report = next(one for one in of.verdict.items if one.id == LOOKS)
    items = tuple(
        replace(report, id=one.id, title=one.title, status=FAILED, message="no") for one in MANY[:count]
    )
    return replace(of, verdict=replace(of.verdict, items=items))


@pytest.mark.parametrize(
    ("count", "named", "more"),
    [(11, 11, ""), (12, 12, ""), (13, 12, "1 more item"), (15, 12, "3 more items")],
)
def test_twelve_repairs_are_named_and_the_others_counted(count: int, named: int, more: str) -> None:
    todos = [one.what for one in file(failing(count)).todos]
    assert sum(one.startswith("Repair for good: ") for one in todos) == named
    assert [one for one in todos if " more item" in one] == ([f"Repair {more}"] if more else [])


def test_six_titles_are_named_and_the_others_counted() -> None:
    def flaky(count: int) -> str:
        tries = (Attempt(FAILED, "", at(1), 0.1), Attempt(PASSED, "", at(2), 0.1))
        names = [one.id for one in RUNBOOK.items if one.phase is Phase.POSTDEPLOY][:count]
        found = facts(run("r1", *(result(name, attempts=tries) for name in names)))["surprising"]
        return next(one for one in found if one.startswith("flaky, passed on another try: "))

    assert "more" not in flaky(6)
    assert flaky(6).count("; ") == 5
    assert flaky(7).endswith("; and 1 more")
    assert flaky(8).endswith("; and 2 more")


@pytest.mark.parametrize(
    ("took", "usual", "well", "better"),
    [
        (60.0, 60.0, ["it took 1 min, where 1 min is usual"], []),
        (59.0, 60.0, ["it took 59 s, where 1 min is usual"], []),
        (61.0, 60.0, [], ["it took 1 min 1 s, where 1 min is usual"]),
        (61.0, None, ["it took 1 min 1 s"], []),
        (None, 60.0, [], []),
    ],
)
def test_a_deployment_took_longer_than_usual_or_not(
    took: float | None, usual: float | None, well: list[str], better: list[str]
) -> None:
    found = facts(WELL, duration_s=took, took_before=() if usual is None else (usual,))
    assert [one for one in found["well"] if "took" in one] == well
    assert [one for one in found["better"] if "took" in one] == better


def test_objectives_are_named_by_their_verdict() -> None:
    few = facts(run("r1", measured(ERRORS, errors=0, requests=120)))["better"]
    assert [one for one in few if one.startswith("Error rate: 0 errors in 120 requests")] != []
    assert not any(one.startswith("API p95: ") for one in few), "without a value there is nothing to name"
    breached = facts(run("r1", measured(ERRORS, errors=60, requests=120)))
    assert any(one.startswith("Error rate: 60 errors") for one in breached["surprising"])
    assert not any(one.startswith("Error rate: ") for one in breached["better"])
    met = facts(run("r1", measured(LATENCY, response_times=(100.0,) * 59)))["well"]
    assert "met: API p95" in met


def test_downtime_and_the_first_hour_are_named_where_they_are_known() -> None:
    assert "nobody saw downtime" in facts(WELL, downtime_s=0.0)["well"]
    assert "nobody saw downtime" not in facts(WELL)["well"]
    assert facts(WELL, first_hour=Tally(1, 4, "requests"))["surprising"] == (
        "1 of 4 requests failed in the first hour (25 %)",
    )
    assert facts(WELL, slowdown={"a": 2.0, "b": 1.0, "c": 1.3})["surprising"] == (
        "a is 2 times that of the good deployment before",
        "c is 1.3 times that of the good deployment before",
    )


def test_a_restoration_counts_from_the_first_failure_on() -> None:
    found = facts(BAD, restored_at=at(71))["well"]
    assert "service was restored 1 s after that" in found
    assert not any("restored" in one for one in facts(BAD, restored_at=at(69))["well"])
    assert not any("restored" in one for one in facts(WELL, restored_at=at(69))["well"])


def test_the_first_call_for_a_rollback_or_a_fix_is_the_one_that_people_decide_about() -> None:
    lesser = run("r1", result(LIVE, FAILED), began_s=0)
    found = facts(WELL, lesser, BAD)["better"]
    assert "nobody has recorded what was done about the call" in found
    assert lesser.verdict.recommendation is Action.FIX_FORWARD
    assert not any("call" in one for one in facts(run("r1", result(HEALTH, ERROR)))["better"])


# What is kept


@pytest.mark.parametrize(("ago", "stays"), [(13.9, True), (14.0, True), (14.1, False), (15.0, False)])
def test_a_run_stays_while_a_follow_up_may_be_due(ago: float, *, stays: bool) -> None:
    assert (removed(planned([*GOOD, outline(ago)])) == []) is stays


@pytest.mark.parametrize(
    ("objective", "needed"), [(0.95, 59), (0.9, 29), (0.5, 5), (0.05, 2), (0.0, 2), (1.0, 2), (None, 2)]
)
def test_so_many_deployments_show_that_their_objective_is_met(objective: float | None, needed: int) -> None:
    """Ln 0.05 over ln of the objective, rounded up; two at least."""
    assert deployments_needed(with_success(objective)) == needed


def test_limits_are_set_by_either_number() -> None:
    assert [bool(one) for one in (Limits(), Limits(days=1), Limits(runs=1))] == [False, True, True]
    assert removed(planned([*GOOD, outline(40), outline(41)], Limits(runs=4))) == ["r41"]


# The timeline


def deploy(**texts: Any) -> Result:
    taken = tuple(Measurement(name, value) for name, value in texts.items())
    return Result(DURATION_ITEM, Phase.DEPLOY, PASSED, measurements=taken)


def away(*spans: tuple[float, ...], lasted: tuple[float, ...], service: str = "") -> Result:
    suffix = f"[{service}]" if service else ""
    taken = (Measurement(f"outages_began{suffix}", spans[0]), Measurement(f"outages_lasted{suffix}", lasted))
    return Result(
        DOWNTIME_ITEM, Phase.DEPLOY, PASSED, measurements=taken, nodeids=("checks/x.py::test_it[api]",)
    )


def drawn(*results: Result, seen: Deployed | None = None, runbook: Runbook = WITH_DEPLOY) -> list[Any]:
    of = evidence(*results, runbook=runbook, phases=(Phase.DEPLOY,))
    return [*bands(of, seen or Deployed(commit=""))]


def lanes(*results: Result, look: BandKind, **more: Any) -> list[tuple[str, float, float]]:
    start = BEGAN.timestamp()
    return [
        (one.lane, one.began - start, one.ended - start)
        for one in drawn(*results, **more)
        if one.look is look
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {"api_began_at": at(0), "api_built_at": at(40), "api_finished_at": at(60)},
            [("api: build", 0, 40), ("api: deploy", 40, 60)],
        ),
        (
            {"api_began_at": at(0), "api_built_at": at(0), "api_finished_at": at(60)},
            [("api: build", 0, 0), ("api: deploy", 0, 60)],
        ),
        (
            {"api_began_at": at(0), "api_built_at": at(61), "api_finished_at": at(60)},
            [("api: build and deploy", 0, 60)],
        ),
        ({"api_began_at": at(0), "api_finished_at": at(60)}, [("api: build and deploy", 0, 60)]),
        ({"api_began_at": at(60), "api_finished_at": at(60)}, [("api: build and deploy", 60, 60)]),
        ({"api_began_at": at(61), "api_finished_at": at(60)}, []),
        ({"api_finished_at": at(60)}, []),
        ({"api_began_at": "x", "api_finished_at": at(60)}, []),
        (
            {"my_worker_began_at": at(0), "my_worker_finished_at": at(5)},
            [("my-worker: build and deploy", 0, 5)],
        ),
    ],
)
def test_a_deploy_is_drawn_by_its_build_and_its_switch(texts: dict[str, str], expected: list[Any]) -> None:
    assert lanes(deploy(**texts), look=BandKind.WORK) == expected


def test_a_deployment_that_no_service_measured_is_one_band() -> None:
    seen = Deployed(commit="", began_at=at(5), duration_s=30.0)
    assert lanes(seen=seen, look=BandKind.WORK) == [("deployment", 5, 35)]
    assert lanes(seen=replace(seen, duration_s=None), look=BandKind.WORK) == [("deployment", 5, 5)]
    assert lanes(look=BandKind.WORK) == []


def test_watched_outages_are_drawn_up_to_the_shorter_of_two_series() -> None:
    start = BEGAN.timestamp()
    began = tuple(start + 10 * place for place in range(25))
    assert lanes(away(began[:2], lasted=(1.0, 2.0)), look=BandKind.DOWN) == [
        ("api not reachable", 0, 1),
        ("api not reachable", 10, 12),
    ]
    assert lanes(away(began[:2], lasted=(1.0,), service="frontend"), look=BandKind.DOWN) == [
        ("frontend not reachable", 0, 1)
    ]
    assert len(lanes(away(began, lasted=(1.0,) * 25), look=BandKind.DOWN)) == 20
    assert lanes(away(began[:1], lasted=()), look=BandKind.DOWN) == []


def test_the_checks_of_a_phase_are_one_band_from_the_first_to_the_last() -> None:
    of = [
        result(HEALTH, started_at=at(5), duration_s=2.0),
        result(SIGN_IN, started_at=at(3), duration_s=9.0),
        result(LIVE, started_at=at(4), duration_s=1.0),
    ]
    assert lanes(*of, look=BandKind.CHECK) == [("checks: postdeploy", 3, 12)]
    [band] = [one for one in drawn(*of) if one.look is BandKind.CHECK]
    assert band.description == "3 items"


def test_the_first_failed_try_is_marked_and_our_own_trouble_is_not() -> None:
    tries = (Attempt(FAILED, "x", at(7), 0.1), Attempt(FAILED, "x", at(1), 0.1))
    mine = result(HEALTH, FAILED, "it broke", attempts=tries)
    later = result(SIGN_IN, FAILED, "later", attempts=(Attempt(FAILED, "x", at(8), 0.1),))
    ours = result(LIVE, FAILED, "ours", attempts=tries[1:], attribution=Attribution.PROBER)
    assert lanes(later, mine, ours, look=BandKind.BAD) == [("first failed check", 7, 7)]
    columns = {"traffic_began": (1.0, 2.0), "traffic_seconds": (60.0, 60.0), "traffic_requests": (10.0, 2e4)}
    taken = tuple(
        Measurement(name, value) for name, value in (columns | {"traffic_failed": (0.0, 5e3)}).items()
    )
    [users] = [one for one in drawn(result(HEALTH, measurements=taken)) if one.look is BandKind.BAD]
    assert (users.lane, users.began, users.ended) == ("users' first errors", 2.0, 62.0)
    assert users.description == "5,000 of 20,000 requests failed"


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Deployed(commit="", began_at=at(0), downtime_s=0.0), ""),
        (Deployed(commit="", downtime_s=0.0), "not known: when the deployment began"),
        (Deployed(commit="", began_at=at(0)), "not known: whether it was reachable meanwhile"),
        (
            Deployed(commit=""),
            "not known: when the deployment began, and whether it was reachable meanwhile",
        ),
        (
            Deployed(commit="", began_at=at(0), downtime_s=5.0),
            "not known: when it was away for 5 s, which an earlier run saw",
        ),
    ],
)
def test_what_a_timeline_lacks_is_named(seen: Deployed, why: str) -> None:
    assert why_less(evidence(), seen) == why
    start = BEGAN.timestamp()
    watched = evidence(away((start,), lasted=(5.0,)), runbook=WITH_DEPLOY, phases=(Phase.DEPLOY,))
    assert why_less(watched, replace(seen, began_at=at(0), downtime_s=5.0)) == ""


# The page of an environment


def test_the_newest_thirty_runs_of_no_deployment_are_shown_and_the_others_counted() -> None:
    outlines = tuple(outline(100 - place, drill=True) for place in range(32))
    known = Remembered(environment="prod", ledger="", outlines=outlines, past=(), traffic=(), decisions=())
    found = environment_history(RUNBOOK, known, now=BEGAN.timestamp(), most=5)
    assert [one.run.id for one in found.asides] == [f"r{ago}" for ago in range(69, 99)]
    assert found.earlier_asides == 2
    few = environment_history(RUNBOOK, replace(known, outlines=outlines[:3]), now=BEGAN.timestamp(), most=5)
    assert (len(few.asides), few.earlier_asides, few.earlier, few.deployments) == (3, 0, 0, ())


@pytest.mark.parametrize(
    ("tries", "second"),
    [
        ((Attempt(PASSED, "", at(61), 0.1), Attempt(FAILED, "x", at(70), 0.1)), 70),
        ((Attempt(FAILED, "x", at(72), 0.1), Attempt(FAILED, "x", at(70), 0.1)), 70),
        ((Attempt(FAILED, "x", "", 0.1), Attempt(FAILED, "x", at(71), 0.1)), 71),
        ((Attempt(FAILED, "x", "", 0.1),), 65),
        ((), 65),
    ],
)
def test_the_first_failing_try_is_the_earliest_whose_time_is_known(
    tries: tuple[Attempt, ...], second: float
) -> None:
    bad = run("r2", result(SIGN_IN, FAILED, "500", attempts=tries, started_at=at(65)), began_s=60)
    [event] = [one for one in file(bad).events if one.what is Happened.FAILED]
    assert event.at == at(second)


def test_the_first_of_several_variants_is_named_by_its_first_test() -> None:
    one = replace(
        away((BEGAN.timestamp(),), lasted=(1.0,)),
        nodeids=("checks/x.py::test_it[api]", "checks/x.py::test_it[frontend]"),
    )
    assert lanes(one, look=BandKind.DOWN) == [("api not reachable", 0, 1)]
