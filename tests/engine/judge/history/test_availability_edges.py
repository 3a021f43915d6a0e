"""Availability by time covered, burn rates that need their window, and which follow-ups are due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kamiyo_verify.judge.history.availability import (
    availability,
    burns,
    counted_once,
    coverage,
    window_seconds,
)
from kamiyo_verify.judge.history.due import due
from kamiyo_verify.model.history.history import Deployed, PastRun, Source, TrafficSlice
from kamiyo_verify.model.words import Action, Phase

HOUR, DAY = 3600.0, 86_400.0
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC).timestamp()
COMMIT = "9c41d07" + "0" * 33


def users(
    ago_s: float, seconds: float = 60.0, total: int = 100, bad: int = 0, service: str = "api"
) -> TrafficSlice:
    return TrafficSlice(Source.USERS, service, NOW - ago_s, seconds, total, bad)


def samples(ago_s: float, total: int = 10, bad: int = 0) -> TrafficSlice:
    return TrafficSlice(Source.SAMPLES, "", NOW - ago_s, 60.0, total, bad)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 30 * DAY), ("30d", 30 * DAY), ("12h", 12 * HOUR), ("4w", 28 * DAY), ("1h", HOUR)],
)
def test_a_window_is_hours_days_or_weeks(text: str, seconds: float) -> None:
    assert window_seconds(text) == seconds


@pytest.mark.parametrize("text", ["0d", "d", "30", "30m", "-1d", "1.5d"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no window"):
        window_seconds(text)


def found(*slices: TrafficSlice, window_s: float = DAY, **more: Any) -> Any:
    return availability(slices, objective=0.99, window_s=window_s, now=NOW, **more)


def test_users_requests_count_before_our_own_samples() -> None:
    both = found(users(HOUR, bad=2), samples(HOUR, bad=9))
    assert (both.tally.bad, both.tally.total, both.tally.what) == (2, 100, "requests of users")
    own = found(samples(HOUR, bad=1))
    assert (own.tally.bad, own.tally.total, own.tally.what) == (1, 10, "sampled requests")
    none = found()
    assert (none.source, none.tally.total, none.budget_left) == (None, 0, None)


def test_only_the_window_counts() -> None:
    of = found(users(DAY), users(DAY + 1, total=7), users(0.0, total=5), users(-1.0, total=3))
    assert of.tally.total == 105


def test_the_budget_goes_by_the_worse_of_requests_and_downtime() -> None:
    assert found(users(HOUR, total=1_000, bad=5)).budget_left == pytest.approx(0.5)
    assert found(users(HOUR, total=1_000, bad=5), downtime_s=0.0075 * DAY).budget_left == pytest.approx(0.25)
    assert found(downtime_s=0.02 * DAY).budget_left == pytest.approx(-1.0)
    assert found(users(HOUR), downtime_s=0.0).budget_left == 1.0


def test_time_that_is_known_twice_is_covered_once() -> None:
    of = found(samples(HOUR), samples(HOUR - 30), samples(HOUR - 200))
    assert of.observed_s == 150.0
    assert coverage(of) == pytest.approx(150 / DAY)
    assert found(users(HOUR, 600.0), users(HOUR - 60, 60.0, service="frontend")).observed_s == 600.0


def test_users_requests_that_two_runs_saw_count_once() -> None:
    kept = counted_once([users(600, 60), users(570, 60), users(540, 60), users(570, 60, service="frontend")])
    assert [(one.service, NOW - one.began_at) for one in kept] == [
        ("api", 600),
        ("frontend", 570),
        ("api", 540),
    ]
    assert len(counted_once([samples(600), samples(570)])) == 2


def minutes(count: int, bad: int = 0, until_s: float = 0.0) -> list[TrafficSlice]:
    """So many minutes up to now; the newest last."""
    return [users(until_s + 60.0 * (count - number), bad=bad) for number in range(count)]


def rates(slices: list[TrafficSlice]) -> list[tuple[float | None, float | None]]:
    return [(one.long, one.short) for one in burns(slices, objective=0.99, now=NOW)]


def test_a_burn_rate_needs_nine_tenths_of_its_window() -> None:
    """Both pairs: an hour and five minutes, six hours and half an hour; 2 of 100 burn twice the budget."""
    of = [[None if one is None else round(one, 6) for one in pair] for pair in rates(minutes(360, bad=2))]
    assert of == [[2.0, 2.0], [2.0, 2.0]]
    assert [pair[0] is None for pair in rates(minutes(54, bad=2))] == [False, True]
    assert [pair[0] is None for pair in rates(minutes(53, bad=2))] == [True, True]
    assert rates([]) == [(None, None), (None, None)]


def test_a_burn_rate_counts_what_lies_in_its_window() -> None:
    old = minutes(60, bad=100, until_s=HOUR)
    recent = minutes(60)
    assert rates([*old, *recent])[0] == (0.0, 0.0)


# Follow-ups


def run(name: str, ago_s: float, *phases: Phase, commit: str = COMMIT, **seen: Any) -> PastRun:
    return PastRun(
        id=name,
        phases=phases or (Phase.POSTDEPLOY,),
        started_at=datetime.fromtimestamp(NOW - ago_s, UTC).isoformat(),
        recommendation=Action.PROCEED,
        blamed=False,
        deployed=Deployed(commit=commit, **seen),
        deeds=(),
    )


@pytest.mark.parametrize(
    ("ago_s", "names", "why"),
    [
        (HOUR - 1, (), "nothing is due of 9c41d07: +1 h comes next"),
        (HOUR, ("+1 h",), "+1 h of 9c41d07: due"),
        (DAY - 1, ("+1 h",), "+1 h of 9c41d07: due"),
        (DAY, ("+1 h", "+24 h"), "+1 h, +24 h of 9c41d07: due"),
        (7 * DAY, ("+1 h", "+24 h", "+1 week"), "+1 h, +24 h, +1 week of 9c41d07: due"),
        (14 * DAY - 1, ("+1 h", "+24 h", "+1 week"), "+1 h, +24 h, +1 week of 9c41d07: due"),
        (14 * DAY, (), "nothing is due of 9c41d07: all are done, or it is too long ago"),
    ],
)
def test_a_follow_up_is_due_from_its_time_on(ago_s: float, names: tuple[str, ...], why: str) -> None:
    of = due([run("r1", ago_s)], now=NOW)
    assert (of.commit, of.names, of.why) == (COMMIT if names else "", names, why)


def test_a_follow_up_that_was_done_is_not_due_again() -> None:
    followed = [run("r1", 2 * DAY), run("r2", 2 * DAY - HOUR - 60, Phase.FOLLOWUP)]
    assert due(followed, now=NOW).names == ("+24 h",)
    done = [*followed, run("r3", DAY - 60, Phase.FOLLOWUP)]
    assert due(done, now=NOW).why == "nothing is due of 9c41d07: +1 week comes next"


def test_the_time_goes_from_when_the_deployment_was_live() -> None:
    began = datetime.fromtimestamp(NOW - HOUR - 60, UTC).isoformat()
    slow = run("r1", 60.0, began_at=began, duration_s=600.0)
    quick = run("r1", 60.0, began_at=began, duration_s=60.0)
    assert due([slow], now=NOW).names == ()
    assert due([quick], now=NOW).names == ("+1 h",)
    assert due([run("r1", 60.0, began_at=began)], now=NOW).names == ()


def test_without_a_deployment_nothing_is_due() -> None:
    assert due([], now=NOW).why == "the ledger knows of no deployment"
    failed = run("r1", 2 * HOUR, Phase.DEPLOY, failed=True)
    assert due([failed], now=NOW).why == "the ledger knows of no deployment"
