"""Journals of watches for tests: rounds with requests that fail by a known rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from kamiyo_verify.model.history.watch import (
    Line,
    RoundGround,
    RoundRecord,
    RoundSeries,
    SeriesKind,
    WatchPlan,
)
from kamiyo_verify.model.words import Action

BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
EVERY_S, REQUESTS = 60.0, 60
ERRORS, SIGN_IN, OTHER = "performance.error-rate", "postdeploy.sign-in", "postdeploy.looks"

Fails = Callable[[int, int], bool]
"""(round, request) -> whether it fails."""


def plan(rounds: int = 30, confirm_s: float = 10.0) -> WatchPlan:
    return WatchPlan(
        environment="prod",
        commit="9c41d07",
        started_at=BEGAN.isoformat(),
        for_s=rounds * EVERY_S,
        every_s=EVERY_S,
        most_rounds=rounds + 10,
        confirm_s=confirm_s,
    )


def never(_round: int, _request: int) -> bool:
    return False


def share(of: float, since: int, until: int = 10_000, seed: int = 1) -> Fails:
    random = Random(seed)  # noqa: S311 - no secret is drawn
    return lambda number, _: random.random() < of if since <= number < until else False


def requests(number: int, fails: Fails, requests: int = REQUESTS, *, judged: bool = True) -> RoundSeries:
    began = (BEGAN + timedelta(seconds=(number - 1) * EVERY_S)).timestamp()
    return RoundSeries(
        kind=SeriesKind.SHARE,
        key="objective error-rate",
        item=ERRORS,
        lines=(Line(0.05, Action.ROLL_BACK), Line(0.001, Action.FIX_FORWARD)),
        judged=judged,
        text="Error rate: requests fail",
        times_s=tuple(began + place * 0.5 for place in range(requests)),
        failed=tuple(fails(number, place) for place in range(requests)),
    )


def tries(number: int, item: str, *failed: bool, judged: bool = True) -> RoundSeries:
    began = (BEGAN + timedelta(seconds=(number - 1) * EVERY_S)).timestamp()
    return RoundSeries(
        kind=SeriesKind.ITEM,
        key=f"item {item}",
        item=item,
        lines=(Line(0.05, Action.FIX_FORWARD),),
        judged=judged,
        text=f"{item} fails",
        times_s=tuple(began + place * 2.0 for place in range(len(failed))),
        failed=failed,
    )


def record(
    number: int,
    *series: RoundSeries,
    call: Action | None = Action.PROCEED,
    grounds: tuple[RoundGround, ...] = (),
    outages: tuple[str, ...] = (),
) -> RoundRecord:
    began = BEGAN + timedelta(seconds=(number - 1) * EVERY_S)
    return RoundRecord(
        number=number,
        started_at=began.isoformat(),
        finished_at=(began + timedelta(seconds=30)).isoformat(),
        call=call,
        headline="all is well" if call is Action.PROCEED else "something is wrong",
        grounds=grounds,
        outages=outages,
        series=series,
    )


def journal(fails: Fails, rounds: int) -> tuple[RoundRecord, ...]:
    """Rounds whose own verdict always proceeds: only the pooled requests can call anything."""
    return tuple(
        record(number, requests(number, fails), tries(number, SIGN_IN, False), tries(number, OTHER, False))
        for number in range(1, rounds + 1)
    )
