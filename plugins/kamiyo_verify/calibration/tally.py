"""How often the recommendations were right: shares with confidence intervals, and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kamiyo_verify.calibration.hosting import GOOD, deploy_id
from kamiyo_verify.calibration.truth import Should, Truth
from kamiyo_verify.judge.statistics.exact import lower_bound, upper_bound
from kamiyo_verify.model.figures import percent
from kamiyo_verify.model.words import Action

GOAL = 0.01
"""The largest allowed share of wrong rollbacks, and of missed ones."""

_KEPT = (Action.PROCEED, Action.FIX_FORWARD, Action.HOLD)
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; 0 if the total is 0."""
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
    """The recommendations that each kind of deployment got."""

    calls: dict[Truth, Counter[Action]] = field(default_factory=dict)
    ways: Counter[bool] = field(default_factory=Counter)

    def count(self, truth: Truth, action: Action, back: tuple[tuple[str, str], ...] = ()) -> None:
        """Add one deployment of this kind with its recommendation, and with what goes back, and to where."""
        self.calls.setdefault(truth, Counter())[action] += 1
        if truth.lives and truth.should is Should.TAKE_BACK and action is Action.ROLL_BACK:
            self.ways[back == ((truth.service, deploy_id(truth.service, GOOD)),)] += 1

    @property
    def right_ways(self) -> Share:
        """Of right rollbacks in time, the share that takes the broken service alone, to a good deploy."""
        return Share(self.ways[True], self.ways.total())

    @property
    def wrong_rollbacks(self) -> Share:
        """Of the deployments to keep, the share with a rollback recommendation."""
        return self._share((one for one in self.calls if one.should is Should.KEEP), (Action.ROLL_BACK,))

    @property
    def missed_rollbacks(self) -> Share:
        """Of the deployments to roll back, at twice the policy's threshold or more, the share kept."""
        return self._share(self._clear(), _KEPT)

    @property
    def left_to_a_person(self) -> Share:
        """Of the same deployments, the share with an inconclusive run."""
        return self._share(self._clear(), (Action.INCONCLUSIVE,))

    @property
    def right(self) -> Share:
        """Of all deployments, the share with a right recommendation."""
        shares = [self.right_of(truth) for truth in self.calls]
        return Share(sum(one.part for one in shares), sum(one.whole for one in shares))

    @property
    def within_goal(self) -> bool:
        """Whether wrong and missed rollbacks are both within the goal."""
        return max(self.wrong_rollbacks.value, self.missed_rollbacks.value) <= GOAL

    def right_of(self, truth: Truth) -> Share:
        """Of one kind, the share with a right recommendation."""
        return self._share((truth,), truth.right)

    def lines(self) -> Iterator[str]:
        """Format the result, most important lines first."""
        yield f"wrong rollbacks   {self.wrong_rollbacks} to keep"
        yield f"missed rollbacks  {self.missed_rollbacks} to take back, of twice the policy's line or more"
        yield f"left to a person  {self.left_to_a_person} of the same"
        yield f"right calls       {self.right}"
        yield f"right way back    {self.right_ways} of the right rollbacks that name services"
        yield ""
        yield f"{'':40} {'should':>9}" + "".join(f"{_SHORT[action]:>11}" for action in _SHORT) + "   right"
        for truth, calls in sorted(self.calls.items(), key=lambda row: _ORDER.index(row[0].should)):
            row_text = "".join(f"{calls[action] or '·':>11}" for action in _SHORT)
            yield f"{truth.name:40} {truth.should.value:>9}{row_text}   {self.right_of(truth)}"

    def row(self, judge: str) -> str:
        """Format the result in one line, beside those of other judges."""
        shares = (self.wrong_rollbacks, self.missed_rollbacks, self.left_to_a_person, self.right_ways)
        return f"{judge:28}" + "".join(f"{_short(share):>24}" for share in shares)

    def _clear(self) -> Iterator[Truth]:
        return (one for one in self.calls if one.should is Should.TAKE_BACK and one.twice)

    def _share(self, truths: Iterable[Truth], actions: Iterable[Action]) -> Share:
        rows, wanted = [self.calls[truth] for truth in truths], tuple(actions)
        return Share(sum(row[action] for row in rows for action in wanted), sum(row.total() for row in rows))


def heading() -> str:
    """Return the heading of `Tally.row`."""
    names = ("wrong rollbacks", "missed rollbacks", "left to a person", "right way back")
    return f"{'':28}" + "".join(f"{name:>24}" for name in names)


def _short(share: Share) -> str:
    return str(share).partition(",  ")[0].rpartition(", ")[0] if share.whole else "–"


_ORDER = [Should.KEEP, Should.TAKE_BACK, Should.EITHER]
_SHORT = {
    Action.PROCEED: "proceed",
    Action.FIX_FORWARD: "fix",
    Action.ROLL_BACK: "roll back",
    Action.INCONCLUSIVE: "person",
}
