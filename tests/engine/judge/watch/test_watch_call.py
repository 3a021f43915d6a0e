"""Stories of watches, as pure functions over journals."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.watch.call import Watch, judged
from kamiyo_verify.model.history.watch import EventKind, RoundGround, RoundRecord, WatchState
from kamiyo_verify.model.words import Action
from tests.engine.judge.watch.journals import (
    EVERY_S,
    OTHER,
    SIGN_IN,
    journal,
    never,
    plan,
    record,
    requests,
    share,
    tries,
)

CONFIDENCE = 0.95


def after(*rounds: RoundRecord, planned: int = 30) -> WatchState:
    return judged(plan(planned), CONFIDENCE, rounds)


def kinds(state: WatchState) -> list[EventKind]:
    return [event.kind for event in state.events]


def first_call(rounds: tuple[RoundRecord, ...], action: Action) -> int | None:
    watch = Watch(plan(), CONFIDENCE)
    return next((one.number for one in rounds if watch.take(one).call is action), None)


@pytest.mark.parametrize("seed", range(20))
def test_a_healthy_watch_calls_nothing(seed: int) -> None:
    state = after(*journal(share(0.0005, 1, seed=seed), 20), planned=20)
    assert (state.call, state.final) == (Action.PROCEED, Action.PROCEED)
    assert not state.grounds


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("of", "within"), [(1.0, 1), (0.5, 1), (0.3, 2), (0.2, 3)])
def test_a_regression_in_the_middle_is_called(of: float, within: int, seed: int) -> None:
    called = first_call(journal(share(of, 12, seed=seed), 30), Action.ROLL_BACK)
    assert called is not None
    assert 12 <= called < 12 + within, called


def test_a_small_share_is_repaired_and_not_rolled_back() -> None:
    state = after(*journal(share(0.02, 5, seed=3), 20), planned=20)
    assert state.call is Action.FIX_FORWARD
    assert state.final is Action.FIX_FORWARD


def test_an_outage_within_one_round_is_no_call() -> None:
    state = after(*journal(lambda number, place: number == 7 and 10 <= place < 30, 20), planned=20)
    assert (state.call, state.final) == (Action.PROCEED, Action.PROCEED), state.events


def test_an_outage_that_a_round_saw_end_is_told() -> None:
    rounds = [*journal(never, 10)]
    rounds[4] = record(5, requests(5, never), outages=("api did not answer properly for 8 s",))
    state = after(*rounds, planned=10)
    assert state.final is Action.PROCEED
    assert [event.text for event in state.events] == ["api did not answer properly for 8 s"]


def failing(
    number: int, *failed: bool, action: Action = Action.ROLL_BACK, judged: bool = True, item: str = SIGN_IN
) -> RoundRecord:
    return record(
        number,
        requests(number, never),
        tries(number, item, *failed, judged=judged),
        call=action,
        grounds=(RoundGround(item, action, f"{item} answers 500"),) if judged else (),
    )


BROKEN = (True,) * 7


def test_an_item_that_a_round_confirmed_and_that_fails_in_every_try_is_called_in_that_round() -> None:
    state = after(*journal(never, 5), failing(6, *BROKEN))
    assert (state.call, state.final) == (Action.ROLL_BACK, Action.ROLL_BACK)
    assert "since round 6" in state.why


def test_an_unconfirmed_failure_of_one_round_is_never_a_rollback() -> None:
    open_one = record(6, requests(6, never), tries(6, SIGN_IN, *BROKEN), call=Action.INCONCLUSIVE)
    state = after(*journal(never, 5), open_one)
    assert state.call is Action.PROCEED
    assert state.final is Action.INCONCLUSIVE


def test_a_finding_with_too_few_tries_stays_open_and_passes() -> None:
    state = after(*journal(never, 5), failing(6, True, True))
    assert (state.call, state.final) == (Action.PROCEED, Action.INCONCLUSIVE)
    assert "not proven" in state.why
    state = after(*journal(never, 5), failing(6, True, True), *journal(never, 30)[6:])
    assert state.final is Action.PROCEED
    assert kinds(state) == [EventKind.OPENED, EventKind.PASSED]


def test_one_bad_outcome_a_round_is_proven_over_several_rounds() -> None:
    rounds = [*journal(never, 5), *(failing(number, True) for number in range(6, 12))]
    called = first_call(tuple(rounds), Action.ROLL_BACK)
    assert called is not None
    assert called > 7


def test_what_is_attributed_elsewhere_is_not_called() -> None:
    rounds = [failing(number, *BROKEN, judged=False, action=Action.INCONCLUSIVE) for number in range(6, 12)]
    state = after(*journal(never, 5), *rounds)
    assert (state.call, state.final) == (Action.PROCEED, Action.INCONCLUSIVE)


def test_a_call_is_upgraded_with_its_reason() -> None:
    state = after(
        *journal(never, 3),
        failing(4, *BROKEN, action=Action.FIX_FORWARD),
        failing(5, *BROKEN, action=Action.ROLL_BACK),
    )
    assert state.call is Action.ROLL_BACK
    assert kinds(state)[0] is EventKind.CALLED
    assert EventKind.UPGRADED in kinds(state)
    assert "no longer fix_forward" in state.events[-1].text


def test_a_call_is_withdrawn_when_the_item_is_well_again() -> None:
    state = after(
        *journal(never, 3),
        failing(4, *BROKEN, action=Action.FIX_FORWARD, item=OTHER),
        *journal(never, 30)[4:],
    )
    assert (state.call, state.final) == (Action.PROCEED, Action.PROCEED)
    assert kinds(state) == [EventKind.CALLED, EventKind.WITHDRAWN]
    assert "it has ended" in state.events[-1].text


def test_failures_shorter_than_the_confirmation_are_not_rolled_back_yet() -> None:
    rounds = (*journal(never, 5), record(6, requests(6, lambda *_: True, 8)))
    state = judged(plan(confirm_s=60.0), CONFIDENCE, rounds)
    assert state.call is not Action.ROLL_BACK
    rounds = (*rounds, record(7, requests(7, lambda *_: True, 8)))
    assert judged(plan(confirm_s=60.0), CONFIDENCE, rounds).call is Action.ROLL_BACK


def test_a_round_without_verdict_is_a_gap_and_the_last_one_may_not_be() -> None:
    gap = record(6, call=None)
    state = after(*journal(never, 5), gap)
    assert state.final is Action.INCONCLUSIVE
    assert kinds(state) == [EventKind.GAP]
    assert after(*journal(never, 5), gap, *journal(never, 10)[6:], planned=10).final is Action.PROCEED


def test_a_watch_that_tells_of_less_than_half_of_its_time_does_not_proceed() -> None:
    state = after(*journal(never, 4), planned=30)
    assert state.covered_s == pytest.approx(4 * EVERY_S)
    assert state.final is Action.INCONCLUSIVE


def test_no_round_at_all_is_inconclusive() -> None:
    assert after().final is Action.INCONCLUSIVE


@pytest.mark.parametrize("middle", [1, 11, 12, 13, 17])
def test_a_restart_in_the_middle_changes_nothing(middle: int) -> None:
    rounds = journal(share(0.1, 12, seed=2), 20)
    whole = Watch(plan(), CONFIDENCE)
    states = [whole.take(one) for one in rounds]
    again = Watch(plan(), CONFIDENCE)
    for one in rounds[:middle]:
        again.take(one)
    assert again.state == states[middle - 1]
    assert [again.take(one) for one in rounds[middle:]] == states[middle:]
