"""What the report draws: from the evidence alone, and nothing where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.evidence.recording import evidence_data, evidence_from
from kamiyo_verify.judge.causes import cause_title
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.chart_data import MOST_SHOWN, picture
from kamiyo_verify.judge.history.recent import MOST, recent
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.history.chart_data import Band, BandKind, ChartData, Part, Step
from kamiyo_verify.model.history.history import (
    Deployed,
    DeploymentRecord,
    Ended,
    History,
    PastDeployment,
    PastRun,
    Tally,
)
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Item, Source
from kamiyo_verify.model.words import Action, Attribution, Impact, Phase, Status
from tests.support.evidence_for import (
    FAILED,
    HEALTH,
    LATENCY,
    RUNBOOK,
    SIGN_IN,
    evidence,
    measured,
    result,
)

COMMIT = "9c41d07b2f0e4a5d8c3b6a1e7f90d2c4b5a69788"
DEPLOY_ITEMS = tuple(
    Item(id=name, title=name, section="Step 3", phase=Phase.DEPLOY, impact=Impact.PROCESS)
    for name in ("deploy.duration", "deploy.downtime")
)
WITH_DEPLOY = RUNBOOK.model_copy(update={"items": (*DEPLOY_ITEMS, *RUNBOOK.items)})


def drawn(given: Evidence) -> ChartData:
    return picture(given, decide(given))


def series(*values: float, of: str = "") -> Measurement:
    return Measurement(f"response_times[{of}]" if of else "response_times", values, "ms")


def deploy(item: str, *taken: Measurement, **more: object) -> Result:
    nodeids = ("checks/deploy/test_measured.py::test_it[api]",)
    return Result(item, Phase.DEPLOY, Status.PASSED, measurements=taken, nodeids=nodeids, **more)  # type: ignore[arg-type]


def with_deploy(*results: Result) -> Evidence:
    return evidence(*results, runbook=WITH_DEPLOY, phases=(Phase.DEPLOY, Phase.POSTDEPLOY), commit=COMMIT)


def bands(shown: ChartData) -> list[tuple[str, BandKind, float]]:
    return [(band.lane, band.look, band.ended - band.began) for band in shown.timeline]


def test_endpoints_are_drawn_by_themselves_and_with_their_own_past() -> None:
    taken = (series(1.0, 2.0, 9.0), series(1.0, 2.0, of="/a"), series(9.0, of="/b"))
    before = {LATENCY: (series(5.0), series(4.0, of="/a"))}
    shown = drawn(evidence(result(LATENCY, measurements=taken), baseline=before)).latencies
    assert [(one.service, one.endpoint, one.values, one.before) for one in shown] == [
        ("api", "/a", (1.0, 2.0), (4.0,)),
        ("api", "/b", (9.0,), ()),
    ]
    assert shown[0].quantiles[0].before == 4.0
    assert shown[1].quantiles[0].before is None


def test_without_endpoints_all_are_drawn_together_and_in_the_objectives_unit() -> None:
    taken = Measurement("response_times", (0.1, 0.2), "s")
    (shown,) = drawn(evidence(result(LATENCY, measurements=(taken,)))).latencies
    assert (shown.endpoint, shown.values, shown.objective) == ("", (100.0, 200.0), 500)


def test_the_truer_source_is_drawn_beside_the_one_that_stands_in_for_it() -> None:
    loads = Item(
        id="performance.loads",
        title="Loads",
        section="Step 5",
        phase=Phase.PERFORMANCE,
        impact=Impact.PERFORMANCE,
    )
    preferred_source = Source(item=loads.id, measurement="load_times")
    slos = tuple(
        slo.model_copy(update={"preferred_source": preferred_source}) if slo.item == LATENCY else slo
        for slo in RUNBOOK.slos
    )
    runbook = RUNBOOK.model_copy(update={"items": (*RUNBOOK.items, loads), "slos": slos})
    taken = Result(
        loads.id, Phase.PERFORMANCE, Status.PASSED, measurements=(Measurement("load_times", (9.0,), "ms"),)
    )
    given = evidence(result(LATENCY, measurements=(series(1.0, of="/a"),)), taken, runbook=runbook)
    assert [(one.endpoint, one.values) for one in drawn(given).latencies] == [
        ("/a", (1.0,)),
        ("load times", (9.0,)),
    ]


def test_what_our_own_side_disturbed_is_not_drawn() -> None:
    disturbed = result(LATENCY, FAILED, measurements=(series(1.0),), attribution=Attribution.PROBER)
    assert not drawn(evidence(disturbed)).latencies


def test_curls_moments_become_steps() -> None:
    moments = {
        "namelookup": 4.0,
        "connect": 20.0,
        "appconnect": 0.0,
        "pretransfer": 21.0,
        "starttransfer": 140.0,
        "total": 150.0,
    }
    taken = tuple(Measurement(f"time_{name}", moment, "ms") for name, moment in moments.items())
    (shown,) = drawn(evidence(result(HEALTH, measurements=taken))).breakdowns
    assert shown.total_ms == 150.0
    assert shown.steps == (
        Step("name lookup", 0.0, 4.0),
        Step("connect", 4.0, 20.0),
        Step("wait for the first byte", 21.0, 140.0),
        Step("transfer", 140.0, 150.0),
    ), "a plain connection has no TLS"


def test_a_watched_deployment_has_its_builds_deploys_and_outages() -> None:
    began = "2026-11-23T14:00:00+00:00"
    duration = deploy(
        "deploy.duration",
        Measurement("duration", 300.0, "s"),
        Measurement("began_at", began),
        Measurement("api_began_at", began),
        Measurement("api_built_at", "2026-11-23T14:02:00+00:00"),
        Measurement("api_finished_at", "2026-11-23T14:05:00+00:00"),
        Measurement("frontend_began_at", began),
        Measurement("frontend_finished_at", "2026-11-23T14:04:00+00:00"),
        started_at=began,
        duration_s=300.0,
    )
    epoch = 1_795_442_400.0
    downtime = deploy(
        "deploy.downtime",
        Measurement("downtime", 40.0, "s"),
        Measurement("outages_began", (epoch + 200,), "s since 1970"),
        Measurement("outages_lasted", (40.0,), "s"),
        Measurement("outages_began[frontend]", (epoch + 220,), "s since 1970"),
        Measurement("outages_lasted[frontend]", (10.0,), "s"),
    )
    shown = drawn(with_deploy(duration, downtime))
    assert bands(shown) == [
        ("api: build", BandKind.WORK, 120.0),
        ("frontend: build and deploy", BandKind.WORK, 240.0),
        ("api: deploy", BandKind.WORK, 180.0),
        ("api not reachable", BandKind.DOWN, 40.0),
        ("frontend not reachable", BandKind.DOWN, 10.0),
        ("checks: deploy", BandKind.CHECK, 300.0),
    ]
    assert Part.TIMELINE not in shown.unknown


def test_what_an_earlier_run_saw_of_it_is_drawn_and_what_it_lacks_is_told() -> None:
    seen = Deployed(commit=COMMIT, began_at="2026-11-23T14:00:00+00:00", duration_s=300.0, downtime_s=40.0)
    ours = DeploymentRecord(
        commit=COMMIT, seen_at=seen.began_at, runs=("a",), succeeded=None, rolled_back=False, seen=seen
    )
    past = History(None, Tally(0, 0, "deployments"), current=ours)
    shown = drawn(evidence(commit=COMMIT, history=past))
    assert bands(shown) == [("deployment", BandKind.WORK, 300.0)]
    assert shown.unknown[Part.TIMELINE] == "not known: when it was away for 40 s, which an earlier run saw"


def test_nothing_known_is_said_and_not_drawn() -> None:
    shown = drawn(evidence(without=(LATENCY,)))
    assert shown == replace(ChartData(unknown=shown.unknown), tracked=shown.tracked)
    assert set(shown.unknown) == set(Part)


def test_the_first_failure_is_a_moment() -> None:
    tries = (Attempt(FAILED, "401", "2026-11-23T14:10:00+00:00", 0.1),)
    failed = result(SIGN_IN, FAILED, attempts=tries, started_at="2026-11-23T14:10:00+00:00", duration_s=0.5)
    assert ("first failed check", BandKind.BAD, 0.0) in bands(drawn(evidence(failed)))
    [band] = [one for one in drawn(evidence(failed)).timeline if one.lane == "first failed check"]
    assert band.description == cause_title(evidence(failed), failed) != evidence().item(failed.item).title


def test_users_first_errors_are_a_stretch() -> None:
    columns = {
        "began": (1_795_442_400.0, 1_795_442_460.0),
        "seconds": (60.0, 60.0),
        "requests": (90.0, 90.0),
        "failed": (0.0, 3.0),
    }
    taken = tuple(Measurement(f"traffic_{name}[api]", values) for name, values in columns.items())
    (shown,) = [
        band
        for band in drawn(evidence(result(HEALTH, measurements=taken))).timeline
        if band.look is BandKind.BAD
    ]
    assert shown == Band(
        "users' first errors", BandKind.BAD, 1_795_442_460.0, 1_795_442_520.0, "3 of 90 requests failed"
    )


def test_requests_are_told_in_short_and_what_failed_comes_first() -> None:
    sent = [Exchange("GET", f"https://x/{n}", 200, float(n)) for n in range(20)]
    sent += [
        Exchange("GET", "https://x/down", None, 5.0, problem="refused"),
        Exchange("GET", "https://x/500", 502, 1.0),
    ]
    shown = drawn(evidence(result(HEALTH, FAILED, exchanges=tuple(sent)))).sent[HEALTH]
    assert (shown.total, shown.answers) == (22, (("200", 20), ("no answer", 1), ("502", 1)))
    assert [one.url for one in shown.shown][:3] == ["https://x/down", "https://x/500", "https://x/19"]
    assert len(shown.shown) == MOST_SHOWN


def test_a_query_that_went_well_is_no_silence() -> None:
    shown = drawn(evidence(result(HEALTH, exchanges=(Exchange("SQL", "SELECT 1", None, 1.0),))))
    assert shown.sent[HEALTH].answers == (("done", 1),)


def past(commit: str, number: int = 0, **more: object) -> PastRun:
    return PastRun(
        id=f"run-{number}-{commit}",
        phases=(Phase.POSTDEPLOY,),
        started_at=f"2026-11-{10 + number:02}T14:00:00+00:00",
        recommendation=Action.PROCEED,
        blamed=False,
        deployed=Deployed(commit=commit, duration_s=200.0),
        **more,  # type: ignore[arg-type]
    )


def record(*runs: PastRun, succeeded: bool | None = True, rolled_back: bool = False) -> DeploymentRecord:
    first = runs[0]
    return DeploymentRecord(
        commit=first.deployed.commit,
        seen_at=first.started_at,
        runs=tuple(run.id for run in runs),
        succeeded=succeeded,
        rolled_back=rolled_back,
        seen=first.deployed,
    )


def test_a_trend_has_the_last_values_of_each_deployment() -> None:
    runs = (
        past("aaaaaaa", 1, quantiles={"api-p95": 1.0}),
        past("aaaaaaa", 2, quantiles={"api-p95": 2.0}, shares={"error-rate": 0.1}),
    )
    (shown,) = recent([record(*runs)], runs)
    assert (shown.values, shown.duration_s, shown.ended) == (
        {"api-p95": 2.0, "error-rate": 0.1},
        200.0,
        Ended.GOOD,
    )


@pytest.mark.parametrize(
    ("succeeded", "rolled_back", "told"),
    [
        (True, False, Ended.GOOD),
        (False, False, Ended.FAILED),
        (False, True, Ended.ROLLED_BACK),
        (None, False, Ended.UNKNOWN),
    ],
)
def test_how_a_deployment_ended(succeeded: bool | None, rolled_back: bool, told: Ended) -> None:  # noqa: FBT001
    run = past("aaaaaaa")
    (shown,) = recent([record(run, succeeded=succeeded, rolled_back=rolled_back)], [run])
    assert shown.ended is told


def test_only_the_last_deployments_are_kept() -> None:
    runs = [past(f"{n:07x}", n) for n in range(15)]
    shown = recent([record(run) for run in runs], runs)
    assert [one.commit for one in shown] == [f"{n:07x}" for n in range(15 - MOST, 15)]


def test_this_deployment_is_the_last_of_the_trend() -> None:
    before = PastDeployment(commit="a" * 40, began_at="2026-11-20T14:00:00+00:00", ended=Ended.GOOD)
    past = History(None, Tally(0, 1, "deployments"), recent=(before,))
    given = evidence(measured(LATENCY, response_times=(100.0,) * 20), commit=COMMIT, history=past)
    shown = drawn(given).recent
    assert [one.commit for one in shown] == ["a" * 40, COMMIT]
    assert shown[-1].values["api-p95"] == 100.0
    assert drawn(replace(given, commit="")).recent == (before,), "nobody knows which this one is"


def test_without_a_ledger_there_is_no_trend_and_it_says_so() -> None:
    shown = drawn(evidence(commit=COMMIT))
    assert "the ledger was away" in shown.unknown[Part.TREND]


def test_a_run_to_compare_with_that_has_no_numbers_is_named() -> None:
    before = Before(run="r1", baseline=True, commit="", finished_at="2026-11-20T14:00:00+00:00", age_s=1.0)
    shown = drawn(evidence(measured(LATENCY, response_times=(100.0,) * 20), before=before))
    assert "run r1, which shows how it was before" in shown.unknown[Part.BEFORE]


def test_a_replay_draws_the_same() -> None:
    given = evidence(
        result(LATENCY, measurements=(series(1.0, 2.0), series(1.0, of="/a"), series(2.0, of="/b"))),
        baseline={LATENCY: (series(4.0, of="/a"),)},
        commit=COMMIT,
        history=History(
            None,
            Tally(0, 1, "deployments"),
            recent=(
                PastDeployment(commit="a" * 40, began_at="", ended=Ended.FAILED, values={"api-p95": 9.0}),
            ),
        ),
    )
    again = evidence_from(evidence_data(given), given.runbook)
    assert drawn(again) == drawn(given)


def test_of_failed_requests_silence_comes_first_then_server_errors_then_refusals() -> None:
    statuses = (200, 404, None, 503, 200)
    sent = tuple(
        Exchange(
            "GET", f"https://a.example/{number}", status, float(number), problem="" if status else "refused"
        )
        for number, status in enumerate(statuses)
    )
    given = evidence(result(HEALTH, FAILED, exchanges=sent))
    told = drawn(given).sent[HEALTH]
    assert [one.status for one in told.shown] == [None, 503, 404, 200, 200]
    assert told.shown[-2].duration_ms == 4.0


def test_a_deployment_of_unknown_beginning_is_dated_by_its_run() -> None:
    past = History(availability=None, deployments=Tally(0, 0, "deployments"))
    [present] = drawn(evidence(commit=COMMIT, history=past)).recent
    assert present.began_at == "2026-11-23T14:09:58+00:00"


def test_outages_whose_lengths_are_not_a_series_are_not_drawn() -> None:
    began = Measurement("outages_began[api]", (1_795_442_460.0,))
    for lasted in ((), (Measurement("outages_lasted[api]", 40.0),)):
        given = with_deploy(deploy("deploy.downtime", began, *lasted))
        assert not [band for band in drawn(given).timeline if band.look is BandKind.DOWN]
    both = with_deploy(deploy("deploy.downtime", began, Measurement("outages_lasted[api]", (40.0,))))
    [band] = [band for band in drawn(both).timeline if band.look is BandKind.DOWN]
    assert (band.lane, band.ended - band.began) == ("api not reachable", 40.0)


def test_only_the_samples_of_the_objectives_own_measurement_are_drawn() -> None:
    taken = (
        series(1.0, 2.0),
        Measurement("connect_times[/a]", (3.0, 4.0), "ms"),
        Measurement("response_times[/b]", 5.0, "ms"),
    )
    shown = drawn(evidence(result(LATENCY, measurements=taken))).latencies
    assert [one.values for one in shown] == [(1.0, 2.0)]
