"""Every endpoint has its error series, and one that is dead for everybody is judged as what it serves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.endpoints import explained
from kamiyo_verify.judge.statistics.endpoints import Series, error_series, failing_for_many, holm
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, Status
from tests.support.evidence_for import (
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LEAK,
    PASSED,
    SIGN_IN,
    at,
    evidence,
    looks,
    result,
)

API, WEB = "https://api.example", "https://www.example"
BEGAN = datetime(2026, 11, 23, 14, 10, tzinfo=UTC)


def sent(path: str, statuses: Iterable[int | None], origin: str = API, **more: Any) -> tuple[Exchange, ...]:
    """One request a second."""
    return tuple(
        Exchange(
            "GET", origin + path, status, 100.0, at=(BEGAN + timedelta(seconds=number)).isoformat(), **more
        )
        for number, status in enumerate(statuses)
    )


def sampled(*exchanges: Exchange, **more: Any) -> Result:
    """The error rate's item, with what it counted."""
    bad = sum(one.status is None or one.status >= 300 for one in exchanges)
    counts = (Measurement("errors", bad), Measurement("requests", len(exchanges)))
    return result(ERRORS, measurements=counts, exchanges=exchanges, **more)


def item(name: str, exchanges: tuple[Exchange, ...], status: Status = PASSED, **more: Any) -> Result:
    return result(name, status, exchanges=exchanges, **more)


def series(of: Evidence, endpoint: str) -> Series:
    return next(one for one in error_series(of) if one.endpoint == endpoint)


def call(*results: Result) -> Action:
    return decide(evidence(*results)).recommendation


def test_no_answer_and_5xx_fail_for_every_request() -> None:
    found = series(evidence(item(HEALTH, sent("/health", [200, 500, None, 503, 200]))), "GET /health")
    assert (found.bad, found.total) == (3, 5)
    assert found.description == {"500", "503", "no answer"}


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 410])
def test_a_sample_that_is_refused_now_and_then_fails(status: int) -> None:
    found = series(evidence(sampled(*sent("/exploits?page=1", [200, status, 200]))), "GET /exploits")
    assert (found.bad, found.total) == (1, 3)


@pytest.mark.parametrize(("status", "bad"), [(400, 4), (401, 4), (404, 4), (410, 4), (302, 0), (429, 0)])
def test_an_endpoint_that_refuses_every_sample_fails_where_others_serve(status: int, bad: int) -> None:
    """The service is alive and takes our key; a redirect alone may be what that page has always done."""
    of = evidence(sampled(*sent("/exploits?page=1", [200] * 9), *sent("/stats", [status] * 4)))
    assert sum(one.bad for one in error_series(of)) == bad


def test_where_no_sample_is_served_the_key_may_be_what_is_refused() -> None:
    of = evidence(
        sampled(*sent("/exploits", [401] * 9), *sent("/stats", [401] * 4)), item(HEALTH, sent("/", [200]))
    )
    assert sum(one.bad for one in error_series(of)) == 0


def test_an_endpoint_that_is_gone_for_everybody_is_no_proceed() -> None:
    dead = sampled(*sent("/exploits", [200] * 114), *sent("/stats", [404] * 6))
    assert call(dead) is Action.FIX_FORWARD


def test_what_a_check_asks_to_be_refused_measures_nothing() -> None:
    of = evidence(item(LEAK, sent("/exploits", [200, 401, 403, 404, 302])))
    assert (series(of, "GET /exploits").bad, series(of, "GET /exploits").total) == (0, 1)


def test_429_is_our_own_doing() -> None:
    of = evidence(sampled(*sent("/exploits", [200, 429, 429, 429, 429, 200])))
    assert (series(of, "GET /exploits").bad, series(of, "GET /exploits").total) == (0, 2)


def test_silence_counts_where_the_origin_answers_something() -> None:
    """Our own network may be what is silent."""
    assert error_series(evidence(item(HEALTH, sent("/health", [None] * 5)))) == ()
    answering = evidence(item(HEALTH, sent("/health", [None] * 5)), item(LEAK, sent("/admin", [401])))
    assert series(answering, "GET /health").bad == 5


def test_what_two_items_tell_of_one_request_counts_once() -> None:
    exchanges = sent("/exploits", [200, 500])
    found = series(evidence(sampled(*exchanges), item(HEALTH, exchanges)), "GET /exploits")
    assert found.total == 2
    assert found.items == {ERRORS, HEALTH}


def test_ids_are_one_endpoint_and_services_are_two() -> None:
    of = evidence(
        item(HEALTH, sent("/exploits/17", [200]) + sent("/exploits/18?full=1", [500])),
        item(SIGN_IN, sent("/exploits/17", [200], WEB)),
    )
    assert [(one.origin, one.total) for one in error_series(of)] == [(API, 2), (WEB, 1)]


def test_an_endpoint_that_is_dead_for_everybody_is_not_diluted() -> None:
    """4 of 90 requests are no rollback by their share; all of /stats is gone."""
    of = (sampled(*sent("/exploits", [200] * 86), *sent("/stats", [500] * 4)),)
    verdict = decide(evidence(*of))
    assert verdict.recommendation is Action.FIX_FORWARD
    assert any("GET /stats fails for everybody: 4 of 4 requests (500)" in r.message for r in verdict.reasons)


@pytest.mark.parametrize(
    ("name", "action"),
    [(HEALTH, Action.ROLL_BACK), (SIGN_IN, Action.ROLL_BACK), (LEAK, Action.ROLL_BACK)],
)
def test_it_is_judged_as_what_it_serves(name: str, action: Action) -> None:
    verdict = decide(evidence(item(name, sent("/chains", [500] * 4) + sent("/", [200]))))
    assert verdict.recommendation is action
    clause = "nobody signs in" if name == SIGN_IN else "core is broken"
    assert verdict.reasons[0].clause == clause, "a status code is no open hole"


def test_an_item_that_failed_for_it_speaks_for_itself() -> None:
    verdict = decide(evidence(item(SIGN_IN, sent("/api/auth/csrf", [500] * 4), FAILED)))
    assert [reason.clause for reason in verdict.reasons] == ["nobody signs in"]


@pytest.mark.parametrize("elsewhere", [Attribution.PROBER, Attribution.THIRD_PARTY, Attribution.PRE_EXISTING])
def test_what_others_did_takes_nothing_back(elsewhere: Attribution) -> None:
    failed = item(HEALTH, sent("/chains", [500] * 9), ERROR, attribution=elsewhere)
    assert call(failed) is not Action.ROLL_BACK


@pytest.mark.parametrize("statuses", [[500, 200, 200], [500, 500, 200, 200], [200] * 98 + [404]])
def test_a_stray_wrong_answer_is_a_sample_and_no_proof(statuses: list[int]) -> None:
    assert call(item(HEALTH, sent("/chains", statuses))) is Action.PROCEED
    assert call(sampled(*sent("/chains", [200] * 98 + [404]))) is Action.PROCEED


def test_an_outage_that_ended_is_no_dead_endpoint() -> None:
    assert call(item(HEALTH, sent("/chains", [500] * 9 + [200] * 5))) is Action.PROCEED


@pytest.mark.parametrize(
    ("seen", "action"),
    [("P" * 8, Action.PROCEED), ("PP", Action.INCONCLUSIVE), ("FF", Action.ROLL_BACK)],
)
def test_what_further_looks_showed_of_an_item_is_what_its_endpoints_show(seen: str, action: Action) -> None:
    """The requests of the looks are in no series, which ends with the failing tries."""
    found = Confirmation(at(0), looks(seen))
    exchanges = sent("/chains", [500] * 9) + sent("/", [200])
    assert call(item(HEALTH, exchanges, FAILED, confirmation=found)) is action


def test_half_of_an_endpoint_failing_is_found() -> None:
    of = evidence(item(HEALTH, sent("/chains", [500, 200] * 10)))
    assert [one.endpoint for one in failing_for_many(of, 0.05)] == ["GET /chains"]


def test_more_endpoints_mean_no_more_false_alarms() -> None:
    """Thirty endpoints, each failing for exactly 5 %: any alarm at all in one run of twenty at most."""
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(300):
        found = [Series(f"GET /{number}", API) for number in range(30)]
        for one in found:
            one.failed = (random.random(25) < 0.05).tolist()
            one.times_s = [float(number) for number in range(25)]
        alarms += bool(holm(found, [one.chance(0.05) for one in found], 0.05))
    assert alarms <= 300 * 0.05


def test_holm_rejects_one_after_the_other() -> None:
    found = [Series(f"GET /{number}", API) for number in range(4)]
    assert holm(found, [0.012, 0.9, 0.011, 0.5], 0.05) == (found[0], found[2])
    assert holm(found, [0.02, 0.001, 0.9, 0.5], 0.05) == (found[1],)
    assert holm([], [], 0.05) == ()


def known(path: str, counts: str, status: Status = PASSED) -> dict[str, Any]:
    """A baseline of another commit that counted the requests to one path, and its item's status."""
    before = Before(
        run="r0", baseline=True, commit="3b0cca2", finished_at="", age_s=60.0, statuses={ERRORS: status}
    )
    return {"before": before, "baseline": {ERRORS: (Measurement(f"failed[{path}]", counts),)}}


@pytest.mark.parametrize(
    ("before", "attribution"),
    [
        ({}, Attribution.UNKNOWN),
        (known("/stats", "0 of 15"), Attribution.INTRODUCED),
        (known("/stats", "0 of 1"), Attribution.INTRODUCED),
        (known("/stats", "15 of 15"), Attribution.PRE_EXISTING),
        (known("/stats", "15 of 15", FAILED), Attribution.PRE_EXISTING),
        (known("/stats", "1 of 100", FAILED), Attribution.INTRODUCED),
        (known("/chains", "15 of 15"), Attribution.INTRODUCED),
    ],
    ids=[
        "no baseline",
        "was well",
        "was well once",
        "was dead",
        "was dead, item failed",
        "failed seldom",
        "another was dead",
    ],
)
def test_each_endpoint_is_compared_with_its_own_past(
    before: dict[str, Any], attribution: Attribution
) -> None:
    of = sampled(*sent("/exploits", [200] * 86), *sent("/stats", [500] * 4))
    verdict = decide(evidence(of, commit="9c41d07", **before))
    assert verdict.recommendation is Action.FIX_FORWARD
    [reason] = [one for one in verdict.reasons if "GET /stats fails for everybody" in one.message]
    assert reason.attribution is attribution


def test_what_was_dead_before_is_not_rolled_back() -> None:
    """An item of sign-in asks it too."""
    exchanges = sent("/stats", [500] * 4)
    of = (sampled(*sent("/exploits", [200] * 86), *exchanges), item(SIGN_IN, exchanges))
    assert call(*of) is Action.ROLL_BACK
    dead = known("/stats", "15 of 15")
    assert decide(evidence(*of, commit="9c41d07", **dead)).recommendation is Action.FIX_FORWARD


def test_requests_of_unknown_time_are_a_second_apart() -> None:
    exchanges = tuple(Exchange("GET", f"{API}/undated", 200, float(took)) for took in range(3))
    assert series(evidence(sampled(*exchanges)), "GET /undated").times_s == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(("bad", "is_explained"), [(0, False), (1, True), (4, True), (5, False)])
def test_an_item_is_explained_by_up_to_as_many_failures_as_its_endpoints_had(
    bad: int, *, is_explained: bool
) -> None:
    of = evidence(sampled(*sent("/exploits", [200] * 86), *sent("/stats", [500] * 4)))
    assert explained(of, ERRORS, bad) is is_explained
    assert not explained(of, HEALTH, bad), "the endpoint is none of that item's"
