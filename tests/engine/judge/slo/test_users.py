"""Real users' numbers come before our own samples, where there are enough of them and they hide nothing."""

from __future__ import annotations

from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.judge.slo.users import ITEM
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Attribution, Impact, Phase, SloVerdict, Status
from tests.support.evidence_for import ERROR, ERRORS, LATENCY, RUNBOOK, evidence, measured, result

MET, BREACHED = SloVerdict.MET, SloVerdict.BREACHED
INSUFFICIENT = SloVerdict.INSUFFICIENT_EVIDENCE

TRAFFIC = Item(
    id=ITEM, title="Users are served", section="Step 6", phase=Phase.POSTDEPLOY, impact=Impact.FEATURE
)
WITH_USERS = RUNBOOK.model_copy(update={"items": (*RUNBOOK.items, TRAFFIC)})


def users(
    requests: Any, failed: Any, *p95_ms: float, service: str = "api", attribution: Attribution | None = None
) -> Result:
    taken = {"requests": requests, "failed": failed, "p95_by_minute": p95_ms, "since": "14:02 UTC"}
    return Result(
        ITEM,
        Phase.POSTDEPLOY,
        Status.FAILED if attribution else Status.PASSED,
        attribution=attribution,
        measurements=tuple(Measurement(f"{service}_{name}", value) for name, value in taken.items()),
    )


def seen(*results: Result) -> Evidence:
    return evidence(*results, runbook=WITH_USERS)


def report(slo_id: str, *results: Result) -> SloReport:
    return next(one for one in slo.judge(seen(*results)) if one.id == slo_id)


def ours(bad: int = 0, total: int = 120) -> Result:
    return measured(ERRORS, errors=bad, requests=total)


def test_enough_real_users_settle_what_our_samples_cannot() -> None:
    told = report("error-rate", ours(), users(4_120, 0))
    assert (told.verdict, told.samples) == (MET, 4_120)
    assert told.message.endswith("(real users: 4,120 requests since 14:02 UTC)")


def test_without_them_it_is_our_own_sampling() -> None:
    assert report("error-rate", ours()).message.endswith("(our own sampling: 120 requests)")


@pytest.mark.parametrize(
    "few",
    [
        users(119, 0),
        users(4_120, 0, service="frontend"),
        users(4_120, 0, attribution=Attribution.PROBER),
        users(4_120, 5_000),
        users("many", 0),
        users(True, 0),
        users(0, 0),
    ],
)
def test_too_few_or_none_of_that_service_leave_it_to_our_own(few: Result) -> None:
    assert "our own sampling" in report("error-rate", ours(), few).message


def test_they_speak_where_our_own_sampling_could_not() -> None:
    told = report("error-rate", result(ERRORS, ERROR, "429 for a minute"), users(4_120, 0))
    assert told.verdict is MET


def test_a_breach_of_either_source_is_a_breach() -> None:
    assert report("error-rate", ours(20), users(4_120, 0)).verdict is BREACHED
    assert "our own sampling" in report("error-rate", ours(20), users(4_120, 0)).message
    assert report("error-rate", ours(), users(4_120, 100)).verdict is BREACHED
    assert "real users" in report("error-rate", ours(20), users(4_120, 900)).message


@pytest.mark.parametrize(
    ("minutes", "verdict"),
    [
        ([200.0] * 5, MET),
        ([200.0] * 12 + [900.0], MET),
        ([900.0] * 5, BREACHED),
        ([200.0, 900.0] * 4, INSUFFICIENT),
    ],
)
def test_a_percentile_of_users_is_that_of_a_usual_minute(minutes: list[float], verdict: SloVerdict) -> None:
    told = report("api-p95", measured(LATENCY, response_times=(100.0,) * 20), users(4_120, 0, *minutes))
    assert told.verdict is verdict
    assert "p95 of a usual minute" in told.message
    assert "real users: 4,120 requests since 14:02 UTC" in told.message


@pytest.mark.parametrize("minutes", [[], [900.0], [200.0] * 4, [900.0, 900.0, 200.0]])
def test_a_few_minutes_say_nothing_of_a_usual_one(minutes: list[float]) -> None:
    told = report("api-p95", measured(LATENCY, response_times=(100.0,) * 80), users(4_120, 0, *minutes))
    assert "our own sampling: 80 response times" in told.message
    assert "real users" not in told.message


@pytest.mark.parametrize("minutes", [[900.0] * 2, [900.0, 1_200.0, 800.0, 900.0]])
def test_a_few_slow_minutes_are_said_beside_our_own(minutes: list[float]) -> None:
    found = report("api-p95", measured(LATENCY, response_times=(100.0,) * 80), users(4_120, 0, *minutes))
    assert found.verdict is MET
    assert found.message.endswith(
        f"; but real users' p95 was {min(minutes):.0f} ms or more in each of {len(minutes)} minutes since"
        " 14:02 UTC, which are too few to judge by)"
    )


@pytest.mark.parametrize(
    ("failed", "action"), [(820, Action.ROLL_BACK), (205, Action.FIX_FORWARD), (60, Action.FIX_FORWARD)]
)
def test_how_many_of_them_fail_decides_as_it_does_for_our_own(failed: int, action: Action) -> None:
    found = decide(seen(ours(), users(4_120, failed)))
    assert found.recommendation is action
    assert failed != 820 or "820 of 4,120 requests failed" in found.reasons[0].message


def test_what_failed_for_them_before_is_no_ground_to_roll_back() -> None:
    older = users(4_120, 820, attribution=Attribution.PRE_EXISTING)
    assert decide(seen(ours(), older)).recommendation is not Action.ROLL_BACK
