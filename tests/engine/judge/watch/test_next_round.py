"""When the next round of a watch is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kamiyo_verify.judge.watch.call import judged
from kamiyo_verify.judge.watch.schedule import AT_ONCE, most_rounds, next_round_at
from kamiyo_verify.model.history.watch import RoundRecord
from kamiyo_verify.model.words import Action
from tests.engine.judge.watch.journals import BEGAN, EVERY_S, plan, record

START = BEGAN.timestamp()


def due(*rounds: RoundRecord) -> float | None:
    """Seconds from the beginning of the watch to the next round; None where the watch is over."""
    at = next_round_at(plan(), rounds, judged(plan(), 0.95, rounds))
    return None if at is None else at - START


def again(number: int, seconds: float) -> RoundRecord:
    """A round without a verdict that began then and took half a minute."""
    began = BEGAN + timedelta(seconds=seconds)
    return RoundRecord(
        number=number,
        started_at=began.isoformat(),
        finished_at=(began + timedelta(seconds=30)).isoformat(),
        call=None,
        headline="cut short",
    )


def test_rounds_keep_their_pace_until_the_time_is_over() -> None:
    assert due() == 0.0
    assert due(record(1)) == EVERY_S
    assert due(*(record(number) for number in range(1, 30))) == 29 * EVERY_S
    assert due(*(record(number) for number in range(1, 31))) is None


def test_no_round_begins_after_the_time_is_over() -> None:
    """A round that took longer than what was left is the last one, whatever the pace."""
    end = (BEGAN + timedelta(seconds=plan().for_s)).isoformat()
    assert due(replace(record(1), finished_at=end)) is None


def test_a_round_without_a_verdict_is_repeated_at_once_some_times() -> None:
    rounds: tuple[RoundRecord, ...] = ()
    seconds = 0.0
    for number in range(1, AT_ONCE + 2):
        rounds = (*rounds, again(number, seconds))
        if number <= AT_ONCE:
            assert due(*rounds) == seconds + 30
            seconds += 30
    in_time = again(1, 0.0)
    assert due(in_time) == 30.0
    late = (record(1), record(2), again(3, 2 * EVERY_S))
    assert due(*late) == 2 * EVERY_S + 30


def test_a_watch_has_its_rounds_one_at_each_end_and_those_at_once() -> None:
    assert most_rounds(1_800, 60) == 31 + AT_ONCE
    assert most_rounds(1_801, 60) == 32 + AT_ONCE
    assert due(*(record(number, call=Action.PROCEED) for number in range(1, 3))) == 2 * EVERY_S
