"""One call for several runs about one deployment."""

from __future__ import annotations

from collections.abc import Iterable

from plugins.model.words import Action

WORST_FIRST = (
    Action.ROLL_BACK,
    Action.HOLD,
    Action.INCONCLUSIVE,
    Action.FIX_FORWARD,
    Action.PROCEED,
)
"""The order in which the rules of `judge/rollback.py` are asked, once the premises of a run hold."""


def worst(calls: Iterable[Action]) -> Action:
    """The worst of the calls; of none at all it is not known."""
    return min(calls, key=WORST_FIRST.index, default=Action.INCONCLUSIVE)
