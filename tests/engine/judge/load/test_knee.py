"""Where a platform is saturated, and what a load run shows besides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamiyo_verify.judge.load.knee import FEWEST, knee
from kamiyo_verify.judge.load.limits import describe_limit, fails_more_than, full_load, is_held
from kamiyo_verify.model.load.steps import LoadRun, LoadStep

SECONDS = 10.0


def step(
    asked: float, served: float, ms: float, *, failed: int = 0, limited: int = 0, users: int = 1
) -> LoadStep:
    durations = (ms,) * round(served * SECONDS)
    return LoadStep(users, asked, SECONDS, durations, failed=failed, limited=limited)


def closed_loop(
    capacity: float, quick_ms: float, loads: list[float], users_per_load: float
) -> list[LoadStep]:
    """A platform that serves so many a second: beyond it, users wait for each other (Little's law)."""
    steps = []
    for asked in loads:
        served = min(asked, capacity)
        users = asked * users_per_load
        waiting_ms = users / served * 1000 - 1000 * users / asked  # the pause that is no longer there
        steps.append(step(asked, served, quick_ms + waiting_ms))
    return steps


def test_the_knee_is_the_last_load_before_more_users_only_wait() -> None:
    found = knee(
        [step(20, 20, 10), step(40, 40, 11), step(60, 60, 14), step(80, 62, 190), step(100, 61, 420)]
    )

    assert found is not None
    assert (found.offered_per_s, found.throughput_per_s) == (60, 60)
    assert (found.p95_ms, found.beyond_p95_ms) == (14, 190)


def test_a_platform_that_serves_all_that_is_asked_shows_no_knee() -> None:
    assert knee([step(load, load, 10 + load / 10) for load in (20, 40, 60, 80, 100)]) is None


def test_latency_that_rises_while_throughput_still_grows_is_no_knee() -> None:
    assert knee([step(20, 20, 10), step(40, 40, 30), step(60, 60, 90)]) is None


def test_throughput_that_stops_while_answers_stay_quick_is_no_knee() -> None:
    """Such as where the sender cannot send more."""
    assert knee([step(20, 20, 10), step(40, 40, 10), step(60, 41, 10), step(80, 41, 10)]) is None


def test_one_slow_step_in_the_middle_is_no_knee() -> None:
    assert knee([step(20, 20, 10), step(40, 22, 300), step(60, 60, 10), step(80, 80, 10)]) is None


def test_a_platform_that_is_saturated_from_the_first_step_has_its_knee_there() -> None:
    found = knee([step(20, 12, 80), step(40, 12, 160), step(60, 12, 240)])

    assert found is not None
    assert found.throughput_per_s == 12


@pytest.mark.parametrize("steps", [[], [step(20, 20, 10)]])
def test_fewer_than_two_steps_show_no_knee(steps: list[LoadStep]) -> None:
    assert knee(steps) is None


def test_a_step_with_few_answers_does_not_count() -> None:
    """A step in which nearly nothing came has no p95, but the steps around it still show the knee."""
    few = LoadStep(1, 80, SECONDS, (900.0,) * (FEWEST - 1))
    assert knee([step(40, 40, 10), few]) is None


def test_what_a_rate_limit_turns_away_is_no_knee() -> None:
    assert knee([step(20, 20, 10), step(40, 40, 10), step(60, 41, 40, limited=190)]) is None


@given(
    capacity=st.floats(15, 95),
    quick_ms=st.floats(1, 200),
    users_per_load=st.floats(0.5, 4),
)
def test_the_knee_lies_beside_the_capacity(capacity: float, quick_ms: float, users_per_load: float) -> None:
    """Beyond the capacity users wait at least for each other; the knee is off by one step at most."""
    loads = [20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0]
    steps = closed_loop(capacity, quick_ms, loads, users_per_load)
    found = knee(steps)

    if found is not None:
        assert capacity - 20 <= found.offered_per_s <= capacity + 20
    else:
        # The wait is small beside the answer itself, so that latency did not rise.
        beyond = [one for one in steps if one.offered_per_s > capacity + 20]
        assert any(one.durations_ms[0] < 1.5 * quick_ms for one in [*beyond, steps[-1]]) or not beyond


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.floats(0.1, 5000), st.integers(0, 50), st.integers(0, 3)),
        max_size=8,
    )
)
def test_no_steps_break_it(drawn: list[tuple[int, float, int, int]]) -> None:
    steps = [
        LoadStep(place + 1, 10.0 * (place + 1), SECONDS, (ms,) * good, failed=failed, limited=limited)
        for place, (good, ms, failed, limited) in enumerate(drawn)
    ]
    found = knee(steps)

    assert found is None or found.offered_per_s in {one.offered_per_s for one in steps[:-1]}


def test_throughput_is_held_within_five_percent() -> None:
    assert is_held(step(100, 95, 10))
    assert not is_held(step(100, 94, 10))


def test_failures_count_and_rate_limits_do_not() -> None:
    limited = [step(100, 50, 10, limited=500)]
    failing = [step(100, 50, 10, failed=20)]

    assert not fails_more_than(limited, 0.001, 0.95)
    assert fails_more_than(failing, 0.001, 0.95)
    assert not fails_more_than([step(100, 50, 10, failed=1)], 0.001, 0.95)
    assert fails_more_than([LoadStep(1, 10, SECONDS, (), failed=100)], 0.001, 0.95)
    assert not fails_more_than([LoadStep(1, 10, SECONDS, ())], 0.001, 0.95)


def test_full_load_is_the_highest_that_no_rate_limit_disturbed() -> None:
    low, high, limited = step(20, 20, 10), step(40, 40, 10), step(60, 41, 10, limited=9)

    assert full_load(LoadRun((low, high), 60, 1)) is high
    assert full_load(LoadRun((low, high, limited), 60, 1)) is high
    assert full_load(LoadRun((limited,), 60, 1)) is limited
    with pytest.raises(ValueError, match="at least one step"):
        full_load(LoadRun((), 60, 1))


def test_a_rate_limit_is_told_as_one() -> None:
    low, limited = step(20, 20, 10), step(60, 40, 10, limited=190)

    assert describe_limit(LoadRun((low,), 60, 1)) == ""
    assert describe_limit(LoadRun((low, limited), 60, 1)) == (
        "the platform limits the rate: 190 of 590 answers were 429 at 60 requests a second; 20 requests a"
        " second passed before"
    )
    assert "passed before" not in describe_limit(LoadRun((limited,), 60, 1))
