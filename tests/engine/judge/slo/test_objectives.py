"""Objectives: met, breached, or not enough seen; and never anything but the last without evidence."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.judge.slo.readings import method_after
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Attribution, SloVerdict, Stopping
from tests.support.evidence_for import (
    ERROR,
    ERRORS,
    LATENCY,
    PASSED,
    RUNBOOK,
    evidence,
    measured,
    result,
)

MET, BREACHED = SloVerdict.MET, SloVerdict.BREACHED
INSUFFICIENT = SloVerdict.INSUFFICIENT_EVIDENCE


def report(slo_id: str, of: Evidence) -> SloReport:
    return next(one for one in slo.judge(of) if one.id == slo_id)


def latency(*samples: float) -> SloReport:
    return report("api-p95", evidence(measured(LATENCY, response_times=samples)))


def errors(bad: Any, total: Any) -> SloReport:
    return report("error-rate", evidence(measured(ERRORS, errors=bad, requests=total)))


def changed(slo_id: str, **fields: Any) -> Runbook:
    slos = tuple(one.model_copy(update=fields) if one.id == slo_id else one for one in RUNBOOK.slos)
    return RUNBOOK.model_copy(update={"slos": slos})


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        ([100.0] * 59, MET),
        ([100.0] * 58, INSUFFICIENT),
        ([100.0] * 92 + [900.0], MET),
        ([100.0] * 91 + [900.0], INSUFFICIENT),
        ([900.0] * 59, BREACHED),
        ([900.0], INSUFFICIENT),
        ([100.0] * 54 + [900.0] * 6, INSUFFICIENT),
        ([math.inf] * 59, BREACHED),
    ],
)
def test_a_percentile_is_judged_by_its_interval(samples: list[float], verdict: SloVerdict) -> None:
    assert latency(*samples).verdict is verdict


def test_exactly_the_objective_does_not_meet_it() -> None:
    assert latency(*[500.0] * 59).verdict is BREACHED
    assert latency(*[499.9] * 59).verdict is MET


def test_a_percentile_tells_its_numbers() -> None:
    told = latency(*[float(n) for n in range(1, 121)])
    assert (told.value, told.interval, told.samples) == (114.0, (110.0, 119.0), 120)
    assert told.message == (
        "p95 114 ms in 120 samples: below 119 ms with 95 % confidence; the objective is below 500 ms"
        " (our own sampling: 120 response times)"
    )


def test_too_few_samples_say_how_many_it_takes() -> None:
    told = latency(*[100.0] * 20)
    assert told.samples_needed == 59
    assert told.interval == (100.0, None)
    assert told.message == (
        "p95 100 ms in 20 samples: no upper bound with 95 % confidence;"
        " 500 ms needs 59 samples with none over it (our own sampling: 20 response times)"
    )


def test_a_slow_sample_among_them_takes_more() -> None:
    told = latency(*[100.0] * 20, 700.0)
    assert told.samples_needed == 93
    assert "needs 93 samples with no further one over it (" in told.message


def test_clean_requests_are_told_as_the_runbook_words_them() -> None:
    told = errors(0, 120)
    assert told.verdict is INSUFFICIENT
    assert told.samples_needed == 2_995
    assert told.message == (
        "0 errors in 120 requests: below 2.5 % with 95 % confidence; 0.1 % needs 2,995 clean requests"
        " (our own sampling: 120 requests)"
    )


@pytest.mark.parametrize(
    ("bad", "total", "verdict"),
    [(0, 2_995, MET), (0, 2_994, INSUFFICIENT), (3, 120, BREACHED), (1, 120, INSUFFICIENT)],
)
def test_a_share_is_judged_by_its_interval(bad: int, total: int, verdict: SloVerdict) -> None:
    assert errors(bad, total).verdict is verdict


def test_one_failure_proves_no_breach_however_early_the_sampling_ended() -> None:
    """The check of the error rate asks the same bound: it shows the one 502, and passes."""
    bound = method_after(Stopping.SEQUENTIAL).lower_bound
    assert bound(1, 20, 0.95) < 0.001 < bound(2, 67, 0.95)


def test_a_breach_says_at_least_how_bad() -> None:
    told = errors(30, 100)
    assert told.message.startswith("30 errors in 100 requests: at least 22 % with 95 % confidence")
    assert told.samples_needed is None


@pytest.mark.parametrize(
    ("bad", "total"), [(-1, 10), (11, 10), (0, 0), ("0", 10), (True, 10), (None, 10), (0.5, 10), ((1.0,), 10)]
)
def test_what_is_no_count_is_no_evidence(bad: object, total: object) -> None:
    told = errors(bad, total)
    assert (told.verdict, told.value, told.interval) == (INSUFFICIENT, None, None)
    assert told.message.startswith("not measured: ")


@pytest.mark.parametrize("samples", [(), (math.nan,), (1.0, math.nan)])
def test_what_is_no_number_is_no_evidence(samples: tuple[float, ...]) -> None:
    told = latency(*samples)
    assert (told.verdict, told.samples) == (INSUFFICIENT, 0)
    assert "number" in told.message


def test_an_item_that_was_not_measured_says_why() -> None:
    failed = evidence(result(LATENCY, ERROR, "429 for a minute"))
    assert report("api-p95", failed).message == f"not measured: {LATENCY}: 429 for a minute"
    assert report("api-p95", evidence()).message == f"not measured: {LATENCY}: it took no response_times"
    assert "not selected" in report("api-p95", evidence(without=(LATENCY,))).message
    assert "no selected phase" in report("api-p95", evidence(phases=())).message


def test_our_own_disturbance_is_no_evidence() -> None:
    taken = (Measurement("response_times", (900.0,) * 100, "ms"),)
    disturbed = evidence(result(LATENCY, PASSED, measurements=taken, attribution=Attribution.PROBER))
    assert report("api-p95", disturbed).verdict is INSUFFICIENT


def test_history_is_for_many_runs() -> None:
    told = report("availability", evidence())
    assert (told.verdict, told.samples_needed) == (INSUFFICIENT, None)
    assert "over many runs" in told.message


def test_seconds_are_compared_with_milliseconds() -> None:
    taken = (Measurement("response_times", (0.1,) * 59, "s"),)
    told = report("api-p95", evidence(result(LATENCY, measurements=taken)))
    assert told.verdict is MET
    assert told.value == pytest.approx(100)


def test_units_that_cannot_be_compared_are_no_evidence() -> None:
    taken = (Measurement("response_times", (1.0,) * 99, "bytes"),)
    told = report("api-p95", evidence(result(LATENCY, measurements=taken)))
    assert told.verdict is INSUFFICIENT
    assert "bytes" in told.message


@pytest.mark.parametrize(("speed", "verdict"), [(900.0, MET), (500.0, BREACHED), (100.0, BREACHED)])
def test_above_is_the_mirror_image_for_a_percentile(speed: float, verdict: SloVerdict) -> None:
    runbook = changed("api-p95", better="above", quantile=0.05)
    of = evidence(measured(LATENCY, response_times=(speed,) * 59), runbook=runbook)
    assert report("api-p95", of).verdict is verdict


@pytest.mark.parametrize(("bad", "verdict"), [(0, MET), (20, INSUFFICIENT), (200, BREACHED)])
def test_above_is_the_mirror_image_for_a_share(bad: int, verdict: SloVerdict) -> None:
    runbook = changed("error-rate", better="above", objective=0.98)
    told = report("error-rate", evidence(measured(ERRORS, errors=bad, requests=1_000), runbook=runbook))
    assert told.verdict is verdict
    assert told.value == pytest.approx(1 - bad / 1_000)


def test_an_objective_of_nothing_at_all_cannot_be_shown() -> None:
    runbook = changed("error-rate", objective=0.0)
    told = report("error-rate", evidence(measured(ERRORS, errors=0, requests=10_000), runbook=runbook))
    assert (told.verdict, told.samples_needed) == (INSUFFICIENT, None)


def test_a_quantile_objective_needs_its_quantile() -> None:
    of = evidence(measured(LATENCY, response_times=(1.0,)), runbook=changed("api-p95", quantile=None))
    assert "names no quantile" in report("api-p95", of).message
