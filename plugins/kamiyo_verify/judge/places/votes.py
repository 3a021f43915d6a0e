"""The call of several places, from how many of them made which call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from kamiyo_verify.model.policy import PlacesQuorum
from kamiyo_verify.model.words import Action

FEWEST = 2
"""No call is made on one place of several alone."""


@dataclass(frozen=True, slots=True)
class Votes:
    """How many places made each call; `undecided` are those whose run was inconclusive or cut short."""

    roll_back: int = 0
    fix_forward: int = 0
    hold: int = 0
    proceed: int = 0
    undecided: int = 0

    @property
    def total(self) -> int:
        """The number of places."""
        return self.roll_back + self.fix_forward + self.hold + self.proceed + self.undecided


def needed(quorum: PlacesQuorum, places: int) -> int:
    """Return how many of so many places must call for a rollback."""
    match quorum:
        case "majority":
            return max(FEWEST, places // 2 + 1)
        case "all":
            return max(FEWEST, places)
        case _:
            return quorum


def too_few(quorum: PlacesQuorum, places: int) -> bool:
    """Return whether so few places can make no call at all."""
    return places < needed(quorum, places)


def missing(quorum: PlacesQuorum, counting: int, places: int) -> str:
    """Return in words that fewer places count than the quorum of all places; "" if enough do."""
    must = needed(quorum, places)
    return f"{counting} of {places} places gave a run that counts, and {must} must" if counting < must else ""


def call(votes: Votes, quorum: PlacesQuorum, *, may_hold: bool = False) -> Action:
    """Return the call, if it is the same whatever the undecided places would have called; else inconclusive.

    Args:
        votes: the places that count.
        quorum: the policy's quorum for a rollback.
        may_hold: whether a run of these phases can end with `hold`.
    """
    if too_few(quorum, votes.total):
        return Action.INCONCLUSIVE
    calls = {_decided(one, quorum) for one in _completed(votes, may_hold=may_hold or bool(votes.hold))}
    return calls.pop() if len(calls) == 1 else Action.INCONCLUSIVE


def _completed(votes: Votes, *, may_hold: bool) -> Iterator[Votes]:
    """Yield every way in which the undecided places could have called."""
    calls = ["roll_back", "fix_forward", "proceed", *(["hold"] if may_hold else [])]
    for made in combinations_with_replacement(calls, votes.undecided):
        counts = {call: getattr(votes, call) + made.count(call) for call in calls}
        yield replace(votes, undecided=0, **counts)


def _decided(votes: Votes, quorum: PlacesQuorum) -> Action:
    """Return the call where every place has decided: the platform, a region, or a person's decision."""
    if votes.roll_back >= needed(quorum, votes.total):
        return Action.ROLL_BACK
    if votes.roll_back * 2 >= votes.total:
        return Action.INCONCLUSIVE  # neither the quorum nor a minority
    if votes.hold:
        return Action.HOLD
    return Action.FIX_FORWARD if votes.roll_back or votes.fix_forward else Action.PROCEED
