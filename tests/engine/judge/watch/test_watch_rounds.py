"""The record of a round: its outcomes, its confirmed grounds, and what it must not be believed for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.watch.rounds import record_of
from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.history.watch import RoundRecord, RoundSeries, SeriesKind
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.services import measurement_of
from kamiyo_verify.model.words import Action, Attribution
from tests.support.evidence_for import (
    COMMIT,
    ERRORS,
    LATENCY,
    SIGN_IN,
    at,
    blamed,
    evidence,
    looked,
    measured,
    result,
)


def recorded(given: Evidence, cut_short: str = "") -> RoundRecord:
    given = replace(given, started_at=at(0), finished_at=at(60))
    return record_of(3, given, decide(given), cut_short)


def of(record: RoundRecord, kind: SeriesKind, item: str = "") -> RoundSeries | None:
    return next((one for one in record.series if one.kind is kind and item in {"", one.item}), None)


def test_a_healthy_round_has_good_outcomes_and_no_ground() -> None:
    record = recorded(evidence())
    assert (record.call, record.grounds) == (Action.PROCEED, ())
    assert not any(any(one.failed) for one in record.series)
    sign_in = of(record, SeriesKind.ITEM, SIGN_IN)
    assert sign_in is not None
    assert sign_in.failed == (False,)


def test_every_try_recheck_and_follow_up_request_of_an_item_is_an_outcome() -> None:
    record = recorded(looked(SIGN_IN, "FFF", "FF", "FFFF"))
    sign_in = of(record, SeriesKind.ITEM, SIGN_IN)
    assert sign_in is not None
    assert (len(sign_in.failed), all(sign_in.failed)) == (9, True)
    assert list(sign_in.times_s) == sorted(sign_in.times_s)


def test_a_confirmed_failure_is_a_ground_with_its_clauses_action() -> None:
    given = looked(SIGN_IN, "FFF", "FF", "FFFF")
    record = recorded(given)
    assert record.call is decide(given).recommendation
    asked = {ground.item: ground.action for ground in record.grounds}
    assert asked.get(SIGN_IN) is (Action.ROLL_BACK if record.call is Action.ROLL_BACK else None)


def test_an_outage_that_ended_is_no_ground() -> None:
    record = recorded(looked(SIGN_IN, "FFF", "P" * 8))
    assert not record.grounds


def test_what_our_own_side_disturbed_is_no_outcome() -> None:
    assert of(recorded(evidence(blamed(SIGN_IN, Attribution.PROBER))), SeriesKind.ITEM, SIGN_IN) is None


def test_what_failed_before_is_not_judged() -> None:
    found = of(recorded(evidence(blamed(SIGN_IN, Attribution.PRE_EXISTING))), SeriesKind.ITEM, SIGN_IN)
    assert found is not None
    assert not found.judged


def test_requests_of_a_share_objective_keep_their_times() -> None:
    taken = (
        Measurement("requests", 4, "count"),
        Measurement("errors", 1, "count"),
        Measurement("sent_at", (0.0, 1.0, 2.0, 3.0), "s"),
        Measurement("outcomes", (0.0, 1.0, 0.0, 0.0)),
    )
    found = of(recorded(evidence(result(ERRORS, measurements=taken))), SeriesKind.SHARE)
    assert found is not None
    assert found.failed == (False, True, False, False)
    assert [line.action for line in found.lines] == [Action.ROLL_BACK, Action.FIX_FORWARD]


def test_response_times_are_held_against_the_objective_and_against_before() -> None:
    before = {LATENCY: measured(LATENCY, response_times=(100.0,) * 100).measurements}
    given = evidence(measured(LATENCY, response_times=(100.0, 160.0, 100.0, 900.0)), baseline=before)
    record = recorded(given)
    slow, slower = of(record, SeriesKind.SLOW), of(record, SeriesKind.SLOWER)
    assert slow is not None
    assert slow.failed == (False, False, False, True)
    assert slower is not None
    assert slower.failed == (False, True, False, True)
    assert of(recorded(replace(given, baseline={})), SeriesKind.SLOWER) is None


def test_a_round_that_was_cut_short_keeps_its_outcomes_and_has_no_call() -> None:
    record = recorded(looked(SIGN_IN, "FFF", "FF", "FFFF"), cut_short="round 3 was cut short")
    assert (record.call, record.grounds, record.headline) == (None, (), "round 3 was cut short")
    assert of(record, SeriesKind.ITEM, SIGN_IN) is not None


def share_series(given: Evidence) -> RoundSeries:
    taken = (Measurement("sent_at", (0.0, 1.0), "s"), Measurement("outcomes", (1.0, 1.0)))
    results = [one for one in given.results if one.item != ERRORS]
    given = replace(given, results=(*results, result(ERRORS, measurements=taken)))
    found = of(recorded(given), SeriesKind.SHARE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("migrated", "action"),
    [
        (Migrated(safe=("1_add",)), Action.ROLL_BACK),
        (Migrated(grave=("1_drop",)), Action.FIX_FORWARD),
        (Migrated(unread=("1_unknown",)), Action.INCONCLUSIVE),
    ],
)
def test_a_rollback_that_the_schema_forbids_is_not_called(migrated: Migrated, action: Action) -> None:
    assert share_series(evidence(migrated=migrated)).lines[0].action is action


def test_failures_of_another_commit_are_not_judged() -> None:
    commit = "a" * 40
    other = result(COMMIT, measurements=(Measurement(measurement_of("api", "commit"), "b" * 40),))
    assert share_series(evidence(commit=commit)).judged
    given = evidence(other, commit=commit)
    assert "api" in given.serving
    assert not share_series(given).judged
