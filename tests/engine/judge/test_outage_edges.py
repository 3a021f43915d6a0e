"""What counts as an outage, what it explains, and what a run observed of its deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.confirmation.confirmed import FailureState, reading
from kamiyo_verify.judge.confirmation.outages import behind, outages, with_downtime
from kamiyo_verify.judge.confirmation.shares import (
    counts_after_spell,
    few_with_samples,
    spell_is_over,
    trailing_answers,
)
from kamiyo_verify.judge.observations import commit_answering, deployed, traffic
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM
from kamiyo_verify.model.confirmation import Confirmation, FailingShare
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.history.history import Deployed
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.words import Phase
from tests.support.evidence_for import (
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LOOKS,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    UNVERIFIED,
    at,
    evidence,
    looks,
    measured,
    result,
    share,
    tried,
)


def line(pattern: str, every_s: float = 1.0, took_s: float = 0.1, service: str = "api") -> ServiceTimeline:
    """One request a letter: x failed, . was answered."""
    places = range(len(pattern))
    return ServiceTimeline(
        service,
        at(0),
        tuple(place * every_s for place in places),
        (took_s,) * len(pattern),
        tuple("no answer" if letter == "x" else "" for letter in pattern),
    )


@pytest.mark.parametrize(
    ("of", "lengths"),
    [
        (line("." * 20), []),
        (line("..." + "x" * 3 + "..."), [3.0]),
        (line("..x" + "." * 20), []),
        (line("..xx" + "." * 200), [2.0]),
        (line("..x" + "." * 20, every_s=3.0, took_s=2.0), [3.0]),
        (line("..x" + "." * 20, every_s=3.0, took_s=1.9), []),
        (line("..xxxx"), [3.1]),
        (line("xxxx"), [3.1]),
        (line("x.x.x.x.x.x."), []),
        (line("..xx..", every_s=0.1), []),
        (line("..xxx" + "." * 60, every_s=0.1), [0.3]),
        (line("..xxx..xxx" + "." * 5), [3.0, 3.0]),
    ],
)
def test_an_outage_is_long_or_too_many_failures_in_a_row_for_chance(
    of: ServiceTimeline, lengths: list[float]
) -> None:
    assert [round(one.seconds, 3) for one in outages((of,))] == lengths


def test_an_outage_begins_with_its_first_failure_and_ends_with_the_next_answer() -> None:
    [ended] = outages((line("..xxx.."),))
    assert (ended.began_at, ended.ended_at, ended.requests) == (at(2), at(5), 3)
    assert ended.ended
    [still] = outages((line("..xxx"),))
    assert (still.ended_at, still.ended) == ("", False)


def test_outages_come_by_their_beginning() -> None:
    found = outages(
        (line(".....xxx.", service="b"), line("..xxx....", service="c"), line("..xxx....", service="a"))
    )
    assert [one.service for one in found] == ["a", "c", "b"]


def tries(*seconds: float, took_s: float = 0.5, status: Any = FAILED) -> tuple[Attempt, ...]:
    return tuple(Attempt(status, "no", at(second), took_s) for second in seconds)


@pytest.mark.parametrize(
    ("one", "explained"),
    [
        (result(HEALTH, FAILED, attempts=tries(2, 4)), True),
        (result(HEALTH, FAILED, attempts=tries(1.5)), True),
        (result(HEALTH, FAILED, attempts=tries(1.4)), False),
        (result(HEALTH, FAILED, attempts=tries(5)), True),
        (result(HEALTH, FAILED, attempts=tries(5.1)), False),
        (result(HEALTH, FAILED, attempts=tries(3, 9)), False),
        (result(HEALTH, FAILED, attempts=(*tries(3), *tries(9, status=PASSED))), True),
        (result(HEALTH, FAILED, attempts=(*tries(3), Attempt(FAILED, "no", "", 0.5))), False),
        (result(SIGN_IN, FAILED, attempts=tries(3)), False),
        (result(LOOKS, FAILED, attempts=tries(3)), True),
    ],
)
def test_an_outage_explains_an_item_whose_every_bad_try_lies_in_it(one: Result, *, explained: bool) -> None:
    of = evidence(one, timelines=(line("..xxx" + "." * 20),))
    assert (behind(of, one) is not None) is explained


def test_an_outage_that_lasts_explains_until_its_last_failure() -> None:
    of = evidence(timelines=(line("..xxx"),))
    assert behind(of, result(HEALTH, FAILED, attempts=tries(4.1))) is not None
    assert behind(of, result(HEALTH, FAILED, attempts=tries(4.2))) is None


def test_the_downtime_is_that_of_the_service_that_was_away_longest() -> None:
    both = (line("..xxx..xxx."), line("..xxxx.....", service="frontend"))
    assert with_downtime(Deployed(commit=""), both).downtime_s == 6.0
    assert with_downtime(Deployed(commit="", downtime_s=6.0), both).downtime_s == 6.0
    assert with_downtime(Deployed(commit="", downtime_s=5.9), both).downtime_s == 6.0
    assert with_downtime(Deployed(commit="", downtime_s=7.0), both).downtime_s == 7.0
    assert with_downtime(Deployed(commit=""), (line("...."),)).downtime_s is None


@pytest.mark.parametrize(
    ("sample", "ended"), [("FFSSSS", True), ("", True), ("FFSSFS", False), ("SSSSSF", False)]
)
def test_an_outage_has_ended_for_an_item_where_no_later_request_of_it_failed(
    sample: str, *, ended: bool
) -> None:
    found = Confirmation(at(0), looks("PP"), share(sample) if sample else None)
    of = evidence(tried(HEALTH, "FFF", found), timelines=(line("xxxx" + "." * 20),))
    [one] = [one for one in of.results if one.item == HEALTH]
    told = reading(of, one)
    assert told is not None
    assert (told.standing is FailureState.ENDED) is ended


# Follow-up samples


@pytest.mark.parametrize(
    ("pattern", "over"),
    [
        ("F" * 3 + "S" * 67, True),
        ("F" * 3 + "S" * 66, False),
        ("S" * 3 + "F" * 3 + "S" * 67, True),
        ("F" * 3 + "S" + "F" + "S" * 67, False),
        ("S" * 67, True),
        ("F" * 67, False),
        ("", False),
    ],
)
def test_a_spell_is_over_after_enough_answers_in_a_row(pattern: str, *, over: bool) -> None:
    assert spell_is_over(share(pattern), 0.05, 0.95) is over


def test_failures_at_the_beginning_are_not_counted() -> None:
    assert counts_after_spell(share("FFSFS")) == (1, 3)
    assert counts_after_spell(share("FFF")) == (0, 0)
    assert counts_after_spell(share("SF")) == (1, 2)
    assert trailing_answers((True, False, False)) == 2
    assert trailing_answers((False,)) == 1
    assert trailing_answers((True,)) == 0


def few(pattern: str, beside: tuple[int, int], limit: float = 0.05) -> bool:
    found: FailingShare = replace(share(pattern), beside=beside)
    return few_with_samples(found, limit, 0.95)


def test_few_requests_fail_where_the_sample_and_the_others_say_so_together() -> None:
    assert few("S" * 40 + "F", (0, 100))
    assert not few("S" * 40 + "F", (0, 10))
    assert few("S" * 40, (1, 100))
    assert not few("S" * 40, (0, 100))
    assert not few("FFF", (1, 1_000))
    assert not few("SSF", (1, 1_000))
    assert not few("S" * 40 + "F", (0, 1_000), limit=0.5)


# What a run observed of its deployment


def taken(item: str, status: Any = PASSED, **values: Any) -> Result:
    named = tuple(Measurement(name, value) for name, value in values.items())
    return Result(item, Phase(item.partition(".")[0]), status, measurements=named)


@pytest.mark.parametrize(
    ("status", "failed"), [(PASSED, False), (FAILED, True), (ERROR, None), (UNVERIFIED, None)]
)
def test_a_deploy_failed_where_its_services_are_seen_not_to_be_live(status: Any, failed: object) -> None:
    assert deployed("abc", [taken("deploy.services-live", status)]).failed is failed
    assert deployed("abc", []).failed is None


def test_the_commit_is_the_hosts_release_or_the_one_that_all_services_tell() -> None:
    assert commit_answering([taken(COMMIT_ITEM, api_commit="a", frontend_commit="a")]) == "a"
    assert commit_answering([taken(COMMIT_ITEM, api_commit="a", frontend_commit="b")]) == ""
    assert commit_answering([taken(COMMIT_ITEM, api_commit="a", frontend_commit="b", release="c")]) == "c"
    assert commit_answering([taken(COMMIT_ITEM, api_commit="", other="x")]) == ""
    assert commit_answering([taken(HEALTH, api_commit="a")]) == ""
    assert deployed("", [taken(COMMIT_ITEM, api_commit="a")]).commit == "a"


def test_the_first_hour_counts_users_requests() -> None:
    def first(**values: Any) -> Any:
        return deployed("", [taken("followup.error-rate-first-hour", **values)]).first_hour

    assert (first(requests=100, failed=2).bad, first(requests=100, failed=2).total) == (2, 100)
    assert first(requests=100) is None
    assert first(requests=True, failed=2) is None


def test_traffic_is_that_of_users_by_span_and_our_own_samples() -> None:
    spans = {"traffic_began": (0.0, 60.0), "traffic_seconds": (60.0, 60.0), "traffic_requests": (10.0, 20.0)}
    [first, second] = traffic(RUNBOOK, [taken(HEALTH, **spans, traffic_failed=(1.0, 2.0))])
    assert [(one.total, one.bad) for one in (first, second)] == [(10, 1), (20, 2)]
    assert traffic(RUNBOOK, [taken(HEALTH, **spans, traffic_failed=(1.0,))]) == ()

    own = replace(measured(ERRORS, errors=2, requests=80), started_at=at(0))
    assert [(one.total, one.bad) for one in traffic(RUNBOOK, [own])] == [(80, 2)]
    assert traffic(RUNBOOK, [replace(own, started_at="")]) == ()
    assert [
        one.bad
        for one in traffic(RUNBOOK, [replace(measured(ERRORS, errors=80, requests=80), started_at=at(0))])
    ] == [80]
    assert traffic(RUNBOOK, [replace(measured(ERRORS, errors=81, requests=80), started_at=at(0))]) == ()
    assert traffic(RUNBOOK, [replace(measured(ERRORS, errors=1), started_at=at(0))]) == ()
