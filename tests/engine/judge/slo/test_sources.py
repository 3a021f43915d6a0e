"""An objective goes by its preferred source where that was measured, and by the other one elsewhere."""

from __future__ import annotations

import pytest

from kamiyo_verify.evidence.baselines import Known, with_before
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.slo.sources import sourced
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item, Runbook, Source
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Attribution, Impact, Phase, SloVerdict, Status
from tests.support.evidence_for import LATENCY, RUNBOOK, evidence, measured

LOADS = "performance.browser-load-time"
ITEM = Item(id=LOADS, title="Loads", section="Step 5", phase=Phase.PERFORMANCE, impact=Impact.PERFORMANCE)
TRUER = Source(item=LOADS, measurement="load_times")
WITH_LOADS: Runbook = RUNBOOK.model_copy(
    update={
        "items": (*RUNBOOK.items, ITEM),
        "slos": tuple(
            one.model_copy(update={"preferred_source": TRUER}) if one.kind == "quantile" else one
            for one in RUNBOOK.slos
        ),
    }
)
STAND_IN = measured(LATENCY, response_times=(100.0,) * 80)


def loads(*taken: float, status: Status = Status.PASSED, attribution: Attribution | None = None) -> Result:
    measurements = (Measurement("load_times", taken, "ms"),) if taken else ()
    return Result(LOADS, Phase.PERFORMANCE, status, measurements=measurements, attribution=attribution)


def p95(*results: Result) -> SloReport:
    return next(one for one in decide(evidence(*results, runbook=WITH_LOADS)).slos if one.id == "api-p95")


def test_loads_are_judged_where_a_browser_took_them() -> None:
    told = p95(STAND_IN, loads(*[300.0] * 60))
    assert (told.verdict, told.value, told.samples) == (SloVerdict.MET, 300.0, 60)
    assert told.message.endswith("(our own sampling: 60 load times)")


def test_too_few_loads_are_not_made_up_for_by_the_other_source() -> None:
    told = p95(STAND_IN, loads(*[300.0] * 12))
    assert (told.verdict, told.samples_needed) == (SloVerdict.INSUFFICIENT_EVIDENCE, 59)


@pytest.mark.parametrize(
    "without",
    [
        (),
        (loads(status=Status.UNVERIFIED),),
        (loads(*[300.0] * 60, status=Status.ERROR, attribution=Attribution.PROBER),),
    ],
)
def test_without_loads_of_the_platform_the_stand_in_is_judged(without: tuple[Result, ...]) -> None:
    told = p95(STAND_IN, *without)
    assert (told.verdict, told.value) == (SloVerdict.MET, 100.0)
    assert told.message.endswith("(our own sampling: 80 response times)")


def test_slow_loads_breach_it_though_the_first_bytes_come_in_time() -> None:
    verdict = decide(evidence(STAND_IN, loads(*[900.0] * 60), runbook=WITH_LOADS))
    assert verdict.recommendation is Action.FIX_FORWARD
    assert any("p95 900 ms" in reason.message for reason in verdict.reasons)


def test_what_it_was_before_is_kept_of_both_sources() -> None:
    before = Before(
        run="r", baseline=True, commit="", finished_at="2026-11-23T12:00:00+00:00", age_s=0, statuses={}
    )
    then = {item: (Measurement("x", 1),) for item in (LATENCY, LOADS, "postdeploy.looks")}
    seen = with_before(
        evidence(runbook=WITH_LOADS, finished_at="2026-11-23T13:00:00+00:00"), Known(before, then)
    )
    assert set(seen.baseline) == {LATENCY, LOADS}


def test_the_runbook_itself_is_left_as_it_is() -> None:
    given = evidence(STAND_IN, loads(300.0), runbook=WITH_LOADS)
    assert {one.item for one in sourced(given).runbook.slos} != {one.item for one in given.runbook.slos}
