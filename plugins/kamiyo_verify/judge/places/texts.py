"""What the verdict of several places says, in words."""

from __future__ import annotations

from collections.abc import Sequence

from kamiyo_verify.judge.places.requirements import own_call
from kamiyo_verify.judge.places.votes import FEWEST, Votes
from kamiyo_verify.model.figures import counted, listed
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action


def headline(
    action: Action,
    votes: Votes,
    heard: Sequence[Verdict],
    left_out: Sequence[str],
    *,
    disagree: bool,
    missing: str = "",
) -> str:
    """Return the call of several places in one sentence, which names them.

    Args:
        action: the call.
        votes: how many places made each call.
        heard: the runs that count.
        left_out: the places that do not count.
        disagree: whether they call for rollbacks of different things.
        missing: why too few places count; "" if enough do.
    """
    without = f"; {listed(left_out)} left out" if left_out else ""
    enough = not missing or votes.total < FEWEST  # of so few, the call's own words say it
    return f"{_found(action, votes, heard, disagree=disagree) if enough else missing}{without}"


def _found(action: Action, votes: Votes, heard: Sequence[Verdict], *, disagree: bool) -> str:
    places = counted(votes.total, "place")
    back = _named(heard, Action.ROLL_BACK)
    match action:
        case _ if votes.total < FEWEST:
            return f"{places} left, and no call is made on fewer than {FEWEST}"
        case Action.ROLL_BACK:
            first = next(run for run in heard if own_call(run) is Action.ROLL_BACK)
            return f"the platform, not a region: {first.headline}, at {votes.roll_back} of {places} ({back})"
        case Action.INCONCLUSIVE if disagree:
            return f"{votes.roll_back} of {places} call for a rollback, each for something else ({back})"
        case Action.INCONCLUSIVE if votes.roll_back:
            return f"{votes.roll_back} of {places} call for a rollback ({back}): no quorum, and no minority"
        case Action.INCONCLUSIVE if votes.undecided:
            unknown = _named(heard, Action.INCONCLUSIVE)
            return f"{votes.undecided} of {places} could not decide ({unknown or 'cut short'})"
        case Action.INCONCLUSIVE:
            return f"{places}: fewer than the policy's quorum"
        case Action.FIX_FORWARD if votes.roll_back:
            return f"regional: it fails at {votes.roll_back} of {places} ({back}), not on the platform"
        case Action.FIX_FORWARD | Action.HOLD:
            failing = votes.fix_forward + votes.hold
            where = _named(heard, Action.FIX_FORWARD, Action.HOLD)
            kind = "regional: " if failing * 2 < votes.total else ""
            return f"{kind}something fails at {failing} of {places} ({where})"
        case Action.PROCEED:
            return f"well at all {places} ({_named(heard, Action.PROCEED)})"


def next_step(action: Action, lead: Verdict, heard: Sequence[Verdict]) -> str:
    """Return what to do now."""
    if action is own_call(lead):
        return lead.next_step
    places = [run.place for run in heard if own_call(run) is not Action.PROCEED]
    where = listed(places) or "the places"
    if action is Action.INCONCLUSIVE:
        return f"a person decides: read the reports of {where}, run them again, and combine all places again"
    return f"keep this version: look at the network and region that serve {where}, then run it there again"


def _named(heard: Sequence[Verdict], *calls: Action) -> str:
    return ", ".join(run.place for run in heard if own_call(run) in calls)
