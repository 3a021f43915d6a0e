"""How often the calls were right, in numbers with intervals and in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from plugins.calibration.truth import Should, Truth
from plugins.judge.statistics import lower_bound, upper_bound
from plugins.model.figures import percent
from plugins.model.words import Action

GOAL = 0.01
"""The most that may be wrong rollbacks, and the most that may be missed ones."""

_KEPT = (Action.PROCEED, Action.FIX_FORWARD, Action.HOLD)
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.part / self.whole if self.whole else 0.0

    def __str__(self) -> str:
        if not self.whole:
            return "none simulated"
        each = (1 + _CONFIDENCE) / 2
        ends = (lower_bound(self.part, self.whole, each), upper_bound(self.part, self.whole, each))
        return (
            f"{percent(self.value)} [{percent(ends[0])}, {percent(ends[1])}], {self.part:,} of {self.whole:,}"
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """The calls that each kind of deployment got."""

    calls: dict[Truth, Counter[Action]] = field(default_factory=dict)

    def count(self, truth: Truth, action: Action) -> None:
        """One more deployment of that kind was called so."""
        self.calls.setdefault(truth, Counter())[action] += 1

    @property
    def wrong_rollbacks(self) -> Share:
        """Of the deployments to keep, those that were to be rolled back."""
        return self._share((one for one in self.calls if one.should is Should.KEEP), (Action.ROLL_BACK,))

    @property
    def missed_rollbacks(self) -> Share:
        """Of the deployments to take back, with twice the effect that the policy spares, those kept."""
        return self._share(self._clear(), _KEPT)

    @property
    def left_to_a_person(self) -> Share:
        """Of the same, those that the run could not decide on."""
        return self._share(self._clear(), (Action.INCONCLUSIVE,))

    @property
    def right(self) -> Share:
        """Of all, those with a right call."""
        shares = [self.right_of(truth) for truth in self.calls]
        return Share(sum(one.part for one in shares), sum(one.whole for one in shares))

    @property
    def within_goal(self) -> bool:
        """Neither wrong nor missed rollbacks are more than the goal allows."""
        return max(self.wrong_rollbacks.value, self.missed_rollbacks.value) <= GOAL

    def right_of(self, truth: Truth) -> Share:
        """Of one kind, those with a right call."""
        return self._share((truth,), truth.right)

    def lines(self) -> Iterator[str]:
        """The whole of it, what matters most first."""
        yield f"wrong rollbacks   {self.wrong_rollbacks} to keep"
        yield f"missed rollbacks  {self.missed_rollbacks} to take back, of twice the policy's line or more"
        yield f"left to a person  {self.left_to_a_person} of the same"
        yield f"right calls       {self.right}"
        yield ""
        yield f"{'':40} {'should':>9}" + "".join(f"{_SHORT[action]:>11}" for action in _SHORT) + "   right"
        for truth, calls in sorted(self.calls.items(), key=lambda row: _ORDER.index(row[0].should)):
            told = "".join(f"{calls[action] or '·':>11}" for action in _SHORT)
            yield f"{truth.name:40} {truth.should.value:>9}{told}   {self.right_of(truth)}"

    def _clear(self) -> Iterator[Truth]:
        return (one for one in self.calls if one.should is Should.TAKE_BACK and one.twice)

    def _share(self, truths: Iterable[Truth], actions: Iterable[Action]) -> Share:
        rows, wanted = [self.calls[truth] for truth in truths], tuple(actions)
        return Share(sum(row[action] for row in rows for action in wanted), sum(row.total() for row in rows))


_ORDER = [Should.KEEP, Should.TAKE_BACK, Should.EITHER]
_SHORT = {
    Action.PROCEED: "proceed",
    Action.FIX_FORWARD: "fix",
    Action.ROLL_BACK: "roll back",
    Action.INCONCLUSIVE: "person",
}
