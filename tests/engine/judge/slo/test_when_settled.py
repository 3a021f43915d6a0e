"""After how many requests a sampling ends, and what users' traffic shows: worked examples."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.slo.settling import Settling, services_of, settling_for
from kamiyo_verify.judge.slo.traffic import ErrorRates, Traffic
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.result import Measurement
from tests.support.evidence_for import ERRORS, LATENCY, RUNBOOK

TIMES = next(one for one in RUNBOOK.slos if one.id == "api-p95")


def taken(
    settling: Settling, every: int = 0, duration: float = 100.0, spell: range = range(0)
) -> tuple[int, bool]:
    """How many requests it took, of which each `every`-th or those of a spell failed; and if for too many."""
    for number in range(1, 2_000):
        bad = (every > 0 and number % every == 0) or number in spell
        settling.update(duration, bad=bad)
        if settling.settled:
            return number, settling._failing is not None and settling._failing.over
    return 0, False


@pytest.mark.parametrize(
    ("every", "took"),
    [
        (2, (8, True)),
        (5, (35, True)),
        (10, (200, True)),
        (30, (178, False)),
        (50, (120, False)),
        (100, (67, False)),
    ],
)
def test_the_more_fail_the_sooner_it_is_known(every: int, took: tuple[int, bool]) -> None:
    assert taken(Settling(TIMES, RUNBOOK.policy), every) == took


def test_few_failures_are_sampled_longer_where_they_may_breach_the_objective() -> None:
    """One of fifty: two minutes decide the rollback, and half a minute more the objective of 0.1 %."""
    assert taken(Settling(TIMES, RUNBOOK.policy, few=0.001), 50) == (150, False)
    assert taken(settling_for(TIMES, RUNBOOK, {}), 50) == (150, False)
    assert taken(Settling(TIMES, RUNBOOK.policy, few=0.019), 50)[0] <= 180


@pytest.mark.parametrize(("duration", "took"), [(499.9, 67), (500.0, 67), (900.0, 67)])
def test_a_percentile_is_decided_on_either_side_of_its_line(duration: float, took: int) -> None:
    assert taken(Settling(TIMES, RUNBOOK.policy), duration=duration) == (took, False)


def test_a_spell_alone_is_not_taken_for_many() -> None:
    assert not taken(Settling(TIMES, RUNBOOK.policy), spell=range(30, 40))[1]


def test_failures_of_before_are_no_reason_to_end() -> None:
    old = {
        ERRORS: (Measurement("errors", 10), Measurement("requests", 100)),
        LATENCY: (Measurement("response_times", (100.0,) * 100, "ms"),),
    }
    assert taken(settling_for(TIMES, RUNBOOK, {}), 10) == (200, True)
    assert taken(settling_for(TIMES, RUNBOOK, old), 10)[0] != 200
    assert services_of(TIMES, RUNBOOK) == ("api",)
    assert services_of(TIMES.model_copy(update={"item": "postdeploy.none"}), RUNBOOK) == ()


# Users' traffic


def test_five_hundreds_fail_and_nothing_else() -> None:
    of = Traffic({"200": 90, "404": 5, "500": 3, "503": 2}, (10.0, 400.0, 20.0))
    assert (of.requests, of.failed, of.typical_p95_ms) == (100, 5, 20.0)
    assert of.description == "5 of 100 requests of real users failed"
    with pytest.raises(Unverified, match="no real request"):
        _ = Traffic({}, ()).requests
    with pytest.raises(Unverified, match="no latency"):
        _ = Traffic({"200": 1}, ()).typical_p95_ms


def test_traffic_fails_more_than_a_share_where_chance_and_bad_minutes_do_not_explain_it() -> None:
    even = Traffic({"200": 2_880, "500": 120}, (), (100.0,) * 30, (4.0,) * 30)
    assert even.fails_more_than(0.03, 0.95)
    assert not even.fails_more_than(0.04, 0.95)
    spell = Traffic({"200": 2_880, "500": 120}, (), (100.0,) * 30, (*(0.0,) * 28, 60.0, 60.0))
    assert not spell.fails_more_than(0.03, 0.95)


@pytest.mark.parametrize(
    ("minutes", "slower"),
    [((500.0,) * 10, True), ((499.9,) * 10, False), ((500.0,) * 4, False), ((900.0,) * 5, True)],
)
def test_users_are_slower_where_enough_minutes_say_so(minutes: tuple[float, ...], *, slower: bool) -> None:
    assert Traffic({"200": 1}, minutes).slower_than(500.0, 0.95) is slower


def test_error_rates_are_told_by_the_minute() -> None:
    rates = ErrorRates(before=30, before_s=3600.0, after=60, after_s=600.0)
    assert (rates.before_per_minute, rates.after_per_minute) == (0.5, 6.0)
    assert rates.description == "6.0 errors a minute where 0.5 came in the hour before"
    assert ErrorRates(before=0, before_s=0.0, after=1, after_s=60.0).before_per_minute == 0.0
    with pytest.raises(Unverified, match="no complete minute since"):
        _ = ErrorRates(before=1, before_s=60.0, after=0, after_s=0.0).after_per_minute
    with pytest.raises(Unverified, match="before it to compare"):
        ErrorRates(before=0, before_s=0.0, after=1, after_s=60.0).grew(2.0, 0.95)


@pytest.mark.parametrize(
    ("rates", "grew"),
    [
        (ErrorRates(before=30, before_s=3600.0, after=60, after_s=600.0), True),
        (ErrorRates(before=30, before_s=3600.0, after=10, after_s=600.0), False),
        (ErrorRates(before=0, before_s=3600.0, after=0, after_s=600.0), False),
        (ErrorRates(before=0, before_s=3600.0, after=3, after_s=600.0), True),
        (ErrorRates(before=0, before_s=3600.0, after=2, after_s=600.0), False),
        (ErrorRates(before=30, before_s=3600.0, after=60, after_s=600.0, effect=20.0), False),
    ],
)
def test_a_rate_grew_where_chance_and_bursts_do_not_explain_it(rates: ErrorRates, *, grew: bool) -> None:
    assert rates.grew(2.0, 0.95) is grew
