"""Each objective's report: its verdict at the line itself, and its numbers in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.serving import Serves
from kamiyo_verify.judge.slo import objectives, readings
from kamiyo_verify.judge.slo.earlier import on_the_release
from kamiyo_verify.judge.slo.lines import Side, limit_of, side, strict
from kamiyo_verify.judge.slo.sources import sourced
from kamiyo_verify.judge.slo.users import ITEM, users_of
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.model.history.history import Availability, History, Tally
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item, Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Attribution, Impact, Phase, SloVerdict
from tests.support.evidence_for import ERROR, ERRORS, FAILED, LATENCY, RUNBOOK, evidence, measured, result

MET, BREACHED, OPEN = SloVerdict.MET, SloVerdict.BREACHED, SloVerdict.INSUFFICIENT_EVIDENCE
TIMES, SHARE, AVAILABILITY = RUNBOOK.slos


def report(slo: Slo, *results: Result, **more: Any) -> SloReport:
    of = evidence(*results, runbook=RUNBOOK.model_copy(update={"slos": (slo,)}), **more)
    return objectives.judge(of)[0]


def times(*values: float, stopping: str = "") -> Result:
    taken = (Measurement("response_times", values, "ms"),)
    return result(LATENCY, measurements=(*taken, *((Measurement("stopping", stopping),) if stopping else ())))


@pytest.mark.parametrize(
    ("slo", "values", "verdict"),
    [
        (TIMES, (499.9,) * 59, MET),
        (TIMES, (500.0,) * 59, BREACHED),
        (TIMES, (499.9,) * 58, OPEN),
        (TIMES.model_copy(update={"better": "above"}), (500.1,) * 59, MET),
        (TIMES.model_copy(update={"better": "above"}), (500.0,) * 59, BREACHED),
        (TIMES.model_copy(update={"better": "above"}), (499.0,) * 59, BREACHED),
    ],
)
def test_an_objective_is_breached_from_its_line_on(
    slo: Slo, values: tuple[float, ...], verdict: SloVerdict
) -> None:
    assert report(slo, times(*values)).verdict is verdict


def test_a_quantile_is_told_with_its_samples_and_what_is_missing() -> None:
    met = report(TIMES, times(*(100.0,) * 59))
    assert met.message == (
        "p95 100 ms in 59 samples: below 100 ms with 95 % confidence; the objective is below 500 ms"
        " (our own sampling: 59 response times)"
    )
    few = report(TIMES, times(*(100.0,) * 20))
    assert few.samples_needed == 59
    assert "no upper bound with 95 % confidence; 500 ms needs 59 samples with none over it" in few.message
    one_bad = report(TIMES, times(*(100.0,) * 20, 900.0))
    assert "samples with no further one over it" in one_bad.message
    ended = report(TIMES, times(*(100.0,) * 200, stopping="sequential"))
    assert "with 95 % confidence, whenever it ended" in ended.message
    breached = report(TIMES, times(*(900.0,) * 59))
    assert "at least 900 ms with 95 % confidence" in breached.message
    assert breached.samples_needed is None


def test_a_share_is_told_with_its_requests() -> None:
    few = report(SHARE, measured(ERRORS, errors=0, requests=120))
    assert (
        "0 errors in 120 requests: below 2.5 % with 95 % confidence; 0.1 % needs 2,995 clean requests"
        in few.message
    )
    bad = report(SHARE, measured(ERRORS, errors=1, requests=120))
    assert "requests with no further bad one" in bad.message
    assert report(SHARE, measured(ERRORS, errors=120, requests=120)).verdict is BREACHED


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"errors": 5, "requests": 4}, "5 of 4 is no share of anything"),
        ({"errors": 0, "requests": 0}, "0 of 0 is no share of anything"),
        ({"errors": -1, "requests": 4}, "-1 of 4 is no share"),
        ({"errors": True, "requests": 4}, "True is no count"),
        ({"errors": 0, "requests": 4.5}, "4.5 is no count"),
        ({"errors": 0}, "it took no requests"),
    ],
)
def test_counts_that_are_no_share_are_not_measured(values: dict[str, Any], why: str) -> None:
    told = report(SHARE, measured(ERRORS, **values))
    assert told.verdict is OPEN
    assert why in told.message
    assert (told.value, told.interval, told.samples, told.samples_needed) == (None, None, 0, None)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (result(LATENCY), "it took no response_times"),
        (result(LATENCY, FAILED, "timed out"), "timed out"),
        (result(LATENCY, ERROR, attribution=Attribution.PROBER), "was disturbed on our own side"),
        (result(LATENCY, measurements=(Measurement("response_times", "fast"),)), "holds no number"),
        (result(LATENCY, measurements=(Measurement("response_times", (1.0, "x"), "ms"),)), "is no number"),  # type: ignore[arg-type]
        (times(float("nan")), "holds no number"),
        (
            result(LATENCY, measurements=(Measurement("response_times", 1.0, "rows"),)),
            "is in 'rows', the objective",
        ),
    ],
)
def test_what_is_no_time_is_not_measured(one: Result, why: str) -> None:
    assert why in report(TIMES, one).message


def test_units_of_time_are_converted() -> None:
    for value, unit in ((0.25, "s"), (250.0, "ms"), (250_000.0, "us")):
        assert readings.in_unit(TIMES, Measurement("x", value, unit)) == pytest.approx([250.0])


def test_an_unknown_way_of_stopping_gets_the_wider_interval() -> None:
    assert readings.method_of(()) is EXACT
    assert readings.method_of((Measurement("stopping", "fixed"),)) is EXACT
    assert readings.method_of((Measurement("stopping", "sequential"),)) is ANYTIME
    assert readings.method_of((Measurement("stopping", "by hand"),)) is ANYTIME


def before(*taken: Measurement) -> dict[str, tuple[Measurement, ...]]:
    return {ERRORS: taken, LATENCY: taken}


def test_a_baseline_without_usable_numbers_is_no_comparison() -> None:
    bad, total = Measurement("errors", 1), Measurement("requests", 100)
    assert readings.counts_before(SHARE, before(bad, total)) == (1, 100, EXACT)
    assert readings.counts_before(SHARE, before(bad)) is None
    assert readings.counts_before(SHARE, before(total)) is None
    assert readings.counts_before(SHARE, before(Measurement("errors", 101), total)) is None
    assert readings.series_before(TIMES, before(Measurement("response_times", "x", "ms"))) is None
    assert readings.series_before(TIMES, {}) is None


def test_clustering_counts_only_where_every_time_is_known() -> None:
    def effect(**taken: Any) -> float:
        return readings.clustering(SHARE, evidence(measured(ERRORS, **taken)))

    spell = tuple(float(number) for number in range(200))
    bad = tuple(1.0 if 50 <= number < 70 else 0.0 for number in range(200))
    known = {readings.SENT_AT: spell, readings.OUTCOMES: bad}
    assert effect(**known) > 2
    assert effect() == 1.0
    assert effect(**{readings.SENT_AT: spell}) == 1.0
    assert effect(**{readings.OUTCOMES: bad}) == 1.0
    assert effect(**{**known, readings.OUTCOMES: bad[1:]}) == 1.0
    assert effect(**{**known, readings.OUTCOMES: 3}) == 1.0


# Lines


@pytest.mark.parametrize(
    ("interval", "where"),
    [
        ((0.05, 0.1), Side.OVER),
        ((0.0499, 0.1), Side.STRADDLING),
        ((0.0, 0.05), Side.STRADDLING),
        ((0.0, 0.0499), Side.UNDER),
        ((None, 0.01), Side.UNDER),
        ((0.06, None), Side.OVER),
        ((None, None), Side.STRADDLING),
    ],
)
def test_an_interval_lies_over_a_line_from_the_line_on(
    interval: tuple[float | None, float | None], where: Side
) -> None:
    assert side(interval, 0.05) is where


def test_to_exclude_twice_a_line_a_tenth_of_the_error_is_allowed() -> None:
    assert strict(0.95) == pytest.approx(0.995)
    assert strict(0.9) == pytest.approx(0.99)


def test_a_limit_is_that_of_its_impact() -> None:
    few, slow = limit_of(RUNBOOK.policy, None), limit_of(RUNBOOK.policy, Impact.PERFORMANCE)
    assert few is not None
    assert slow is not None
    assert (few.limit, slow.limit) == (0.05, 0.5)
    assert limit_of(RUNBOOK.policy, Impact.UI) is None


# Over many runs


def history(bad: int, total: int, availability: Availability | None = None) -> History:
    return History(availability=availability, deployments=Tally(bad, total, "deployments"))


DEPLOYMENTS = AVAILABILITY.model_copy(
    update={"id": "deployment-success", "title": "Deployments", "objective": 0.95}
)


@pytest.mark.parametrize(
    ("bad", "total", "verdict"), [(9, 9, OPEN), (10, 10, BREACHED), (0, 59, MET), (0, 58, OPEN), (5, 9, OPEN)]
)
def test_few_deployments_breach_nothing(bad: int, total: int, verdict: SloVerdict) -> None:
    found = report(DEPLOYMENTS, history=history(bad, total))
    assert found.verdict is verdict
    assert ("fewer than 10 show no breach" in found.message) is (total == 9)


def test_an_unknown_history_says_so() -> None:
    assert report(DEPLOYMENTS, history=history(0, 0)).message == (
        "not measured: the ledger knows no deployments yet"
    )
    assert (
        report(DEPLOYMENTS).message == "Deployments shows over many runs; this one alone says nothing of it"
    )


MONTH_S = 30 * 86_400.0


def availability(bad: int, total: int, observed_s: float, down_s: float = 0.0) -> Availability:
    return Availability(
        tally=Tally(bad, total, "requests"),
        source=None,
        objective=0.995,
        window_s=MONTH_S,
        observed_s=observed_s,
        downtime_s=down_s,
        budget_left=None,
        burns=(),
    )


@pytest.mark.parametrize(
    ("found", "verdict", "told"),
    [
        (
            availability(0, 100_000, MONTH_S),
            MET,
            "0 failed of 100,000 requests; requests are known from 720 h, 100 %",
        ),
        (availability(0, 100_000, 0.1 * MONTH_S), OPEN, "10 % of the window"),
        (availability(0, 100_000, 0.09 * MONTH_S), OPEN, "where 10 % are the least: 0 of 100,000 failed"),
        (availability(0, 10, 30.0), OPEN, "requests are known from less than a minute, less than"),
        (availability(0, 10, 60.0), OPEN, "requests are known from 1 min"),
        (availability(0, 0, 0.0), OPEN, "the ledger knows no availability yet"),
        (
            availability(0, 0, 0.0, 0.0051 * MONTH_S),
            BREACHED,
            "deployments were down for 3 h 40 min of 720 h",
        ),
        (availability(0, 0, 0.0, 0.0049 * MONTH_S), OPEN, "the ledger knows no availability yet"),
        (availability(90_000, 100_000, MONTH_S), BREACHED, "90,000 failed of 100,000 requests"),
    ],
)
def test_availability_goes_by_the_time_that_is_covered(
    found: Availability, verdict: SloVerdict, told: str
) -> None:
    of = report(AVAILABILITY, history=history(0, 0, found))
    assert of.verdict is verdict
    assert told in of.message


def test_many_requests_of_a_short_time_count_for_that_time() -> None:
    short = report(AVAILABILITY, history=history(0, 0, availability(0, 10_000_000, 0.1 * MONTH_S)))
    long = report(AVAILABILITY, history=history(0, 0, availability(0, 432, 0.1 * MONTH_S)))
    assert short.interval == pytest.approx(long.interval, abs=1e-6)


# Users


TRAFFIC = Item(id=ITEM, title="Users", section="6", phase=Phase.POSTDEPLOY, impact=Impact.FEATURE)


def users(**taken: Any) -> Evidence:
    measurements = tuple(Measurement(f"api_{name}", value) for name, value in taken.items())
    seen = Result(ITEM, Phase.POSTDEPLOY, result(LATENCY).status, measurements=measurements)
    return evidence(seen, runbook=RUNBOOK.model_copy(update={"items": (*RUNBOOK.items, TRAFFIC)}))


def test_users_are_counted_where_their_numbers_make_sense() -> None:
    found = users_of(SHARE, users(requests=100, failed=100, p95_by_minute=(1.0, 2.0), since="14:02 UTC"))
    assert found is not None
    assert (found.requests, found.failed, found.p95_ms, found.effect) == (100, 100, (1.0, 2.0), 1.0)
    assert str(found) == "real users: 100 requests since 14:02 UTC"
    untold = users_of(SHARE, users(requests=1, failed=0))
    assert untold is not None
    assert (untold.since, untold.p95_ms) == ("the release", ())
    wrong: dict[str, Any]
    for wrong in ({"requests": 0, "failed": 0}, {"requests": 5}, {"requests": 5, "failed": 6}):
        assert users_of(SHARE, users(**wrong)) is None
    for wrong in (
        {"requests": 5, "failed": -1},
        {"requests": 5, "failed": False},
        {"requests": "5", "failed": 0},
    ):
        assert users_of(SHARE, users(**wrong)) is None


def test_users_failures_that_cluster_in_minutes_count_less() -> None:
    by_minute = {"requests_by_minute": (100.0,) * 30, "failed_by_minute": (*(0.0,) * 29, 60.0)}
    clustered = users_of(SHARE, users(requests=3_000, failed=60, **by_minute))
    assert clustered is not None
    assert clustered.effect > 2
    half = users_of(SHARE, users(requests=3_000, failed=60, requests_by_minute=(100.0,) * 30))
    assert half is not None
    assert half.effect == 1.0
    text = users_of(SHARE, users(requests=3_000, failed=60, **{**by_minute, "failed_by_minute": "60"}))
    assert text is not None
    assert text.effect == 1.0


# Sources


def test_an_objective_names_what_it_is_measured_by() -> None:
    slo = TIMES.model_copy(
        update={"preferred_source": TIMES.model_copy(update={"item": ERRORS, "measurement": "page_load"})}
    )
    book = RUNBOOK.model_copy(update={"slos": (slo,)})

    def fed(*results: Result) -> Slo:
        return sourced(evidence(*results, runbook=book)).runbook.slos[0]

    better = result(ERRORS, measurements=(Measurement("page_load", (1.0,), "ms"),))
    assert (fed(better).title, fed(better).item, fed(better).measurement) == ("API p95", ERRORS, "page_load")
    instead = "API p95 (measured by response times instead of page load)"
    assert (fed().title, fed().item) == (instead, LATENCY)
    assert fed(replace(better, attribution=Attribution.PROBER)).title == instead


@pytest.mark.parametrize(
    ("services", "serves", "on_release"),
    [
        (("api",), {"api": Serves.RELEASE, "frontend": Serves.ANOTHER}, True),
        (("api",), {"api": Serves.STAYS}, True),
        (("api",), {"api": Serves.ANOTHER, "frontend": Serves.RELEASE}, False),
        (("api", "frontend"), {"api": Serves.RELEASE, "frontend": Serves.ANOTHER}, False),
        (("api",), {}, True),
        ((), {"api": Serves.RELEASE, "frontend": Serves.ANOTHER}, False),
        ((), {"api": Serves.RELEASE, "frontend": Serves.STAYS}, True),
        ((), {}, True),
    ],
)
def test_an_objective_is_of_the_release_where_its_services_are_or_all_if_it_names_none(
    services: tuple[str, ...],
    serves: dict[str, Serves],
    on_release: bool,  # noqa: FBT001 - parametrized
) -> None:
    item = Item(
        id=SHARE.item,
        title="x",
        section="x",
        phase=Phase.PERFORMANCE,
        impact=Impact.PERFORMANCE,
        services=services,
    )
    runbook = RUNBOOK.model_copy(update={"items": (item,)})
    assert on_the_release(runbook, SHARE, serves) is on_release
    assert on_the_release(RUNBOOK.model_copy(update={"items": ()}), SHARE, serves) is all(
        one is not Serves.ANOTHER for one in serves.values()
    )
