"""Combine the calls of several runs about one deployment."""

from __future__ import annotations

from collections.abc import Iterable

from kamiyo_verify.model.words import Action

WORST_FIRST = (
    Action.ROLL_BACK,
    Action.HOLD,
    Action.INCONCLUSIVE,
    Action.FIX_FORWARD,
    Action.PROCEED,
)
"""The order of priority in `judge/rules/rules.py`, once the premises of a run hold."""


def worst(calls: Iterable[Action]) -> Action:
    """Return the worst of the calls; INCONCLUSIVE if there are none."""
    return min(calls, key=WORST_FIRST.index, default=Action.INCONCLUSIVE)
