"""Edges of what rechecks show, of outages and of what a run observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.confirmation.confirmed import FailureState, confirmed, reading
from kamiyo_verify.judge.confirmation.outages import behind, outages, with_downtime
from kamiyo_verify.judge.confirmation.shares import in_one_spell, verdict_after_spell
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.chart_data import picture
from kamiyo_verify.judge.observations import commit_answering, deployed, traffic
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM
from kamiyo_verify.judge.whole import verdict_of_watch
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.history.chart_data import BandKind
from kamiyo_verify.model.history.history import Deployed, Source
from kamiyo_verify.model.history.watch import WatchState
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.words import Action, FailureKind, Phase
from tests.engine.judge.test_outage_edges import line, taken, tries
from tests.engine.judge.watch.journals import plan
from tests.support.evidence_for import (
    ERRORS,
    FAILED,
    HEALTH,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    at,
    evidence,
    looks,
    measured,
    result,
    share,
    tried,
)

BROKEN, ENDED, FEW = FailureState.BROKEN, FailureState.ENDED, FailureState.FEW
UNDECIDED, INCOMPLETE = FailureState.UNDECIDED, FailureState.INCOMPLETE


def state(attempts: str, pattern: str, sample: str = "", item: str = HEALTH, **more: Any) -> Any:
    found = Confirmation(at(0), looks(pattern), share(sample) if sample else None)
    of = evidence(tried(item, attempts, found), **more)
    return reading(of, next(one for one in of.results if one.item == item))


@pytest.mark.parametrize(
    ("attempts", "pattern", "sample", "standing", "text"),
    [
        ("FFF", "F", "", BROKEN, "still so in 1 further look"),
        ("FFF", "FFF", "", BROKEN, "still so in 3 further looks"),
        ("FFF", "FFF", "FFS", BROKEN, "still so in 3 further looks; GET /api/auth/csrf failed in 2 of 3"),
        ("FFF", "P" * 8, "", ENDED, ""),
        ("FFF", "P" * 9, "", ENDED, ""),
        ("FFF", "FF" + "P" * 8, "", ENDED, ""),
        (
            "FFF",
            "FF" + "P" * 7,
            "",
            UNDECIDED,
            "failed in 2 of 9 further looks; well in the last 7 looks, and 8 show that it has ended",
        ),
        (
            "FFF",
            "P",
            "",
            UNDECIDED,
            "failed in 0 of 1 further look; well in the last 1 look, and 8 show that it has ended",
        ),
        ("FFF", "FPF" + "P" * 9, "", UNDECIDED, "failed in 2 of 12 further looks: too few to tell how many"),
        ("FFF", "FPFP", "", BROKEN, "failed in 2 of 4 further looks"),
        ("FP", "F", "", UNDECIDED, "still so in 1 further look: too few to tell how many users it reaches"),
        ("FP", "FF", "", BROKEN, "still so in 2 further looks"),
        ("FPP", "PPP", "S" * 5 + "F" + "S" * 67, ENDED, ""),
        ("FFF", "PPF", "F" * 31, BROKEN, "GET /api/auth/csrf failed in every request of the last 30 s"),
        ("FFF", "PPF", "F" * 30, BROKEN, "every one of 30 requests failed"),
        ("FFF", "PPP", "F" * 30, UNDECIDED, "every one of 30 requests failed, and the last look passed"),
        ("FFF", "PPF", "F", BROKEN, "every one of 1 request failed"),
    ],
)
def test_what_rechecks_and_samples_show(
    attempts: str, pattern: str, sample: str, standing: FailureState, text: str
) -> None:
    found = state(attempts, pattern, sample)
    assert found.standing is standing
    assert found.message.startswith(text) if text else not found.message


@pytest.mark.parametrize(("passed", "standing"), [(1, UNDECIDED), (2, ENDED), (3, ENDED), (5, ENDED)])
def test_after_an_outage_that_ended_two_good_rechecks_are_enough(passed: int, standing: FailureState) -> None:
    over = (line("xxxx" + "." * 20),)
    assert state("FFF", "F" + "P" * passed, timelines=over).standing is standing
    assert state("FFF", "F" + "P" * passed).standing is UNDECIDED


def test_a_share_on_both_sides_is_named_with_the_line() -> None:
    found = state("FP", "PPP", ("F" + "S" * 19) * 6)
    assert found.standing is UNDECIDED
    assert found.message.startswith("GET /api/auth/csrf failed in 5 of 119 further requests, which is ")
    assert found.message.endswith(": on both sides of the policy's 5 %")
    few = state("FP", "PPP", ("F" + "S" * 49) * 12)
    assert few.standing is FEW


def test_other_requests_beside_the_sample_are_named() -> None:
    found = Confirmation(at(0), looks("PPP"), replace(share("S" * 39 + "F"), beside=(2, 1_000)))
    of = evidence(tried(SIGN_IN, "FP", found))
    shown = reading(of, next(one for one in of.results if one.item == SIGN_IN))
    assert shown is not None
    assert shown.standing is FEW
    assert "; and 2 of 1,000 other requests to it since the first failure" in shown.message
    assert shown.message.endswith(": less than 10 % together")


@pytest.mark.parametrize(
    ("pattern", "one"),
    [
        ("", True),
        ("SSS", True),
        ("F", True),
        ("SFFS", True),
        ("FFF", True),
        ("FSF", False),
        ("SFSSFFS", False),
    ],
)
def test_failures_are_one_spell_where_none_was_answered_between(pattern: str, *, one: bool) -> None:
    assert in_one_spell([letter == "F" for letter in pattern]) is one


def test_the_failures_at_the_beginning_are_left_out_of_the_share() -> None:
    found = verdict_after_spell(share("FFF" + "S" * 5 + "F" + "S"), 0.05, 0.95)
    assert (found.failed, found.total) == (1, 7)
    assert verdict_after_spell(share("FFF"), 0.05, 0.95).total == 0


def test_a_flaky_item_that_is_broken_repeats_the_message_of_its_last_bad_try() -> None:
    found = Confirmation(at(0), looks("FF"))
    bad = (Attempt(FAILED, "first", at(0), 0.1), Attempt(FAILED, "second", at(1), 0.1))
    flaky = result(HEALTH, attempts=(*bad, Attempt(PASSED, "", at(2), 0.1)), confirmation=found)
    [one] = [each for each in confirmed(evidence(flaky)).results if each.item == HEALTH]
    assert (one.status, one.message, one.failure) == (FAILED, "second", None)
    silent = replace(flaky, confirmation=replace(found, silent=True))
    [one] = [each for each in confirmed(evidence(silent)).results if each.item == HEALTH]
    assert one.failure is FailureKind.SERVER_ERROR
    wordless = replace(flaky, attempts=(Attempt(FAILED, "", at(0), 0.1), flaky.attempts[-1]))
    [one] = [each for each in confirmed(evidence(wordless)).results if each.item == HEALTH]
    assert one.message == "still so in 2 further looks"


# Outages


def timeline(*sent: tuple[float, float, str]) -> ServiceTimeline:
    """Requests as (second, duration in seconds, failure)."""
    seconds, took, failures = zip(*sent, strict=True)
    return ServiceTimeline("api", at(0), seconds, took, failures)


def test_an_outage_ends_when_the_request_was_sent_that_was_answered_next() -> None:
    of = timeline((0, 0.1, ""), (1, 0.5, "refused"), (2, 1.5, "timeout"), (4, 2.0, ""), (10, 0.1, ""))
    [found] = outages((of,))
    assert (found.began_at, found.ended_at, found.seconds) == (at(1), at(4), 3.0)
    assert (found.requests, found.failures) == (2, ("refused", "timeout"))


def test_an_outage_at_the_end_lasts_until_its_last_request_failed() -> None:
    [found] = outages((timeline((0, 0.1, ""), (1, 5.0, "no"), (2, 0.5, "no")),))
    assert (found.ended_at, found.seconds, found.ended, found.failures) == ("", 5.0, False, ("no",))


def test_downtime_is_added_to_the_millisecond() -> None:
    twice = line("..x.....x...", every_s=2.3456, took_s=2.1)
    assert with_downtime(Deployed(commit=""), (twice,)).downtime_s == pytest.approx(2 * 2.346, abs=1e-9)


def test_two_quick_failures_are_an_outage_where_chance_does_not_explain_them() -> None:
    """Expected by chance up to 0.05 times. Of 41 requests with no other bad one: 41 (0.5 / 40)^2 is 0.006."""
    assert len(outages((line("xx" + "." * 39, every_s=0.1),))) == 1
    assert outages((line("xx" + "." * 3, every_s=0.1),)) == ()
    assert outages((line("xx" + ".x.." * 10, every_s=0.1),)) == ()
    assert outages((line("x", every_s=0.1),)) == ()
    assert len(outages((line("xx", every_s=0.1),))) == 1


def test_an_outage_explains_a_try_up_to_its_very_ends() -> None:
    over = (line("..xxx" + "." * 20),)
    for second, took, explained in (
        (1.5, 0.5, True),
        (1.4, 0.5, False),
        (5.0, 9.0, True),
        (5.01, 9.0, False),
    ):
        one = result(HEALTH, FAILED, attempts=tries(second, took_s=took))
        assert (behind(evidence(one, timelines=over), one) is not None) is explained


def drawn(of: Any) -> Any:
    return picture(of, decide(of)).timeline


def test_each_outage_is_a_band_and_no_more_than_twenty_are_drawn() -> None:
    [band] = [one for one in drawn(evidence(timelines=(line("..xxx....."),))) if one.look is BandKind.DOWN]
    assert (band.lane, band.ended - band.began, band.description) == (
        "api not reachable",
        3.0,
        "3 s, no answer",
    )
    many = evidence(timelines=(line("..xxx" * 25 + "..."),))
    assert len(outages(many.timelines)) == 25
    assert sum(one.look is BandKind.DOWN for one in drawn(many)) == 20


# What a run observed


def test_only_measurements_of_a_commit_name_the_commit() -> None:
    one = taken(COMMIT_ITEM, api_commit="a", api_expected="b", frontend_commit="")
    assert commit_answering([one]) == "a"
    assert deployed("", [one, taken(HEALTH, api_commit="c")]).commit == "a"
    assert deployed("given", [one]).commit == "given"


def test_of_several_services_the_longest_deploy_and_downtime_count() -> None:
    def variants(item: str, name: str, *values: Any) -> Result:
        named = tuple(Measurement(f"{name}[{place}]", value) for place, value in enumerate(values))
        return Result(item, Phase.DEPLOY, PASSED, measurements=named)

    found = deployed(
        "",
        [
            variants("deploy.duration", "duration", 5, 9.5, True, "x"),
            variants("deploy.downtime", "downtime", 2, 1),
        ],
    )
    assert (found.duration_s, found.downtime_s) == (9.5, 2.0)
    assert (deployed("", []).duration_s, deployed("", []).downtime_s) == (None, None)


def test_traffic_of_a_service_is_named_after_it() -> None:
    columns = {"traffic_began": 0.0, "traffic_seconds": 60.0, "traffic_requests": 10.0, "traffic_failed": 1.0}
    named = tuple(Measurement(f"{name}[frontend]", (value,)) for name, value in columns.items())
    [found] = traffic(RUNBOOK, [result(HEALTH, measurements=named)])
    assert (found.source, found.service, found.began_at, found.seconds, found.total, found.bad) == (
        Source.USERS,
        "frontend",
        0.0,
        60.0,
        10,
        1,
    )
    assert traffic(RUNBOOK, [result(HEALTH, measurements=named[:3])]) == ()
    own = replace(measured(ERRORS, errors=0, requests=80), started_at=at(0), duration_s=7.0)
    [sample] = traffic(RUNBOOK, [own])
    assert (sample.source, sample.service, sample.seconds, sample.bad) == (Source.SAMPLES, "", 7.0, 0)


def test_a_watch_names_its_own_commit_and_else_that_of_its_rounds() -> None:
    final = WatchState(
        call=Action.PROCEED,
        final=Action.PROCEED,
        why="well",
        grounds=(),
        events=(),
        open="",
        rounds=1,
        requests=0,
        failed=0,
        covered_s=0.0,
    )
    run = replace(decide(evidence()), commit="of the round")
    assert verdict_of_watch(plan(), final, [run], "P", at(9)).commit == "9c41d07"
    assert verdict_of_watch(replace(plan(), commit=""), final, [run], "P", at(9)).commit == "of the round"
    assert verdict_of_watch(replace(plan(), commit=""), final, [], "P", at(9)).commit == ""


def test_looks_of_an_item_without_requests_count_as_one_request_each() -> None:
    """Different requests are named, and none is on record: 1 of 2 looks is weighed as it is."""
    seen = tuple(
        replace(look, message=f"GET /{number} answered 502" if look.message else "")
        for number, look in enumerate(looks("FPFP"))
    )
    of = evidence(tried(SIGN_IN, "FFF", Confirmation(at(0), seen, None)))
    found = reading(of, next(one for one in of.results if one.item == SIGN_IN))
    assert found is not None
    assert (found.standing, found.message) == (BROKEN, "failed in 2 of 4 further looks")
