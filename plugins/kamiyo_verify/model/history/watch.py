"""A watch: a series of short runs ("rounds") of one deployment, pooled into one call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kamiyo_verify.model.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPlan:
    """What a watch was started with. It never changes, also after a restart.

    Attributes:
        started_at: UTC, ISO 8601.
        for_s: length of the watch, in seconds.
        every_s: seconds from the beginning of one round to the next.
        most_rounds: the largest number of rounds; the error that is allowed is divided among them.
        confirm_s: how long a ground of a rollback must last, in seconds.
        arguments: pytest's arguments of each round.
    """

    environment: str
    commit: str
    started_at: str
    for_s: float
    every_s: float
    most_rounds: int
    confirm_s: float
    arguments: tuple[str, ...] = ()


class SeriesKind(StrEnum):
    """What one outcome of a series is."""

    ITEM = "item"
    """One try, recheck or follow-up request of an item."""
    SHARE = "share"
    """One request of an objective for the share of failing requests."""
    SLOW = "slow"
    """One request, bad if it takes longer than the objective."""
    SLOWER = "slower"
    """One request, bad if it takes longer than the policy's line over the usual time of before."""
    ENDPOINT = "endpoint"
    """One request to an endpoint."""


@dataclass(frozen=True, slots=True)
class Line:
    """A share of bad outcomes, and the call if the true share is certainly larger."""

    share: float
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSeries:
    """The outcomes of one series in one round.

    Attributes:
        key: the same in every round.
        item: the item that it is about.
        judged: whether this round shows the deployment: false if the failures are attributed elsewhere, or
            an item's own clause applies.
        text: what is bad, such as "GET /exploits fails".
        times_s: when each request was sent, in seconds since the epoch.
        failed: for each request, whether it was bad.
    """

    kind: SeriesKind
    key: str
    item: str
    lines: tuple[Line, ...]
    judged: bool
    text: str
    times_s: tuple[float, ...]
    failed: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class RoundGround:
    """A reason of a round's own verdict, confirmed within the round.

    Attributes:
        action: what it calls for under the policy.
        text: the reason's message.
    """

    item: str
    action: Action
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """One round, as the journal keeps it.

    Attributes:
        number: from 1.
        started_at: UTC, ISO 8601; so is `finished_at`.
        call: the recommendation of its verdict; None if it left none.
        headline: of its verdict, or why there is none.
        outages: outages that ended within the round, in words.
    """

    number: int
    started_at: str
    finished_at: str
    call: Action | None
    headline: str
    grounds: tuple[RoundGround, ...] = ()
    outages: tuple[str, ...] = ()
    series: tuple[RoundSeries, ...] = ()


class EventKind(StrEnum):
    """What changed in a round."""

    CALLED = "called"
    UPGRADED = "upgraded"
    WITHDRAWN = "withdrawn"
    OPENED = "opened"
    PASSED = "passed"
    OUTAGE = "outage"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change, with its reason."""

    round: int
    at: str
    kind: EventKind
    text: str


@dataclass(frozen=True, slots=True)
class WatchGround:
    """A ground that is proven over all rounds, and still stands.

    Attributes:
        since: the round in which it began.
    """

    key: str
    item: str
    action: Action
    since: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """The state of a watch after some rounds.

    Attributes:
        call: the call on what is proven; PROCEED if nothing is.
        final: the call if the watch ended now: INCONCLUSIVE if a question is open.
        why: the reason of `final`.
        open: what the latest round found that is not proven; "" for nothing.
        rounds: how many rounds there were.
        requests: how many sampled requests to endpoints there were; `failed` of them failed.
        covered_s: the time that rounds tell of, in seconds.
    """

    call: Action
    final: Action
    why: str
    grounds: tuple[WatchGround, ...]
    events: tuple[WatchEvent, ...]
    open: str
    rounds: int
    requests: int
    failed: int
    covered_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchView:
    """What is shown of a watch at a moment.

    Attributes:
        latest: the latest round; None before the first has ended.
        over: whether the watch has ended; `state.final` is its call then.
    """

    plan: WatchPlan
    state: WatchState
    latest: RoundRecord | None
    over: bool
