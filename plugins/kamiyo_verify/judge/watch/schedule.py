"""When the next round of a watch is due, and which time the rounds so far tell of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from kamiyo_verify.model.history.watch import RoundRecord, WatchPlan, WatchState
from kamiyo_verify.model.words import Action

AT_ONCE = 10
"""Rounds that may begin at once, in addition to those at the pace: to look again at an open question."""


def most_rounds(for_s: float, every_s: float) -> int:
    """Return the largest number of rounds of a watch."""
    return math.ceil(for_s / every_s) + 1 + AT_ONCE


def next_round_at(plan: WatchPlan, rounds: Sequence[RoundRecord], state: WatchState) -> float | None:
    """Return when the next round is due, in seconds since the epoch; None if the watch is over.

    A moment in the past means at once: so is an open question looked at again. A rollback ends the watch.
    """
    began = _seconds(plan.started_at)
    if not rounds:
        return began
    if state.call is Action.ROLL_BACK or len(rounds) >= plan.most_rounds:
        return None
    last = _seconds(rounds[-1].started_at)
    pace = last + plan.every_s
    asks = bool(state.open) or rounds[-1].call is None
    extra = len(rounds) - 1 - math.floor((last - began) / plan.every_s)
    if asks and extra < AT_ONCE:
        return _seconds(rounds[-1].finished_at)
    due = max(pace, _seconds(rounds[-1].finished_at))
    return pace if due < began + plan.for_s else None


def covered_s(plan: WatchPlan, rounds: Sequence[RoundRecord]) -> float:
    """Return the time that rounds with a verdict tell of: each until the next one, up to twice the pace."""
    begins = [_seconds(record.started_at) for record in rounds]
    covered = 0.0
    for place, record in enumerate(rounds):
        if record.call is None:
            continue
        own = _seconds(record.finished_at) - begins[place]
        until = begins[place + 1] if place + 1 < len(begins) else begins[place] + plan.every_s
        covered += max(own, min(until - begins[place], 2 * plan.every_s))
    return covered


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
