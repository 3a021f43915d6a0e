"""What the report draws beside the verdict. What is not known is left out, and `unknown` says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plugins.model.history import PastDeployment
from plugins.model.result import Exchange
from plugins.model.runbook import Slo


class Part(StrEnum):
    """A part of the picture."""

    LATENCY = "latency"
    BEFORE = "before"
    TIMING = "timing"
    TIMELINE = "timeline"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Quantile:
    """One of the marks of a distribution.

    Attributes:
        share: 0.5, 0.95 or 0.99.
        before: the same before the deployment; None where that is not known.
    """

    share: float
    value: float
    before: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The durations of one endpoint.

    Attributes:
        service: whose, such as "api"; "" where the runbook does not say.
        endpoint: such as "/exploits"; "" stands for all of them together.
        unit: of every number here.
        values: in the order taken.
        before: from before the deployment; empty where nobody knows.
        objective: of the runbook, for all endpoints together.
    """

    service: str
    endpoint: str
    unit: str
    values: tuple[float, ...]
    before: tuple[float, ...]
    quantiles: tuple[Quantile, ...]
    objective: float


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of one request; ms since it began."""

    name: str
    began_ms: float
    ended_ms: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where the time of one request went.

    Attributes:
        service: as of `Latency`.
        steps: in their order; one that did not happen, such as TLS on a plain connection, is not among them.
    """

    service: str
    item: str
    steps: tuple[Step, ...]
    total_ms: float


class Look(StrEnum):
    """What a stretch of the timeline is, in the order of being shown."""

    WORK = "work"
    DOWN = "down"
    CHECK = "check"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time, or a moment.

    Attributes:
        lane: what happened, such as "API: build and deploy".
        began, ended: seconds since the epoch; equal for a moment.
        told: more about it, or "".
    """

    lane: str
    look: Look
    began: float
    ended: float
    told: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """An item's requests in short.

    Attributes:
        total: how many there were.
        answers: each status, or "no answer", with its number, the most frequent first.
        shown: a few of them, those that say most first.
    """

    total: int
    answers: tuple[tuple[str, int], ...]
    shown: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is drawn.

    Attributes:
        recent: the last deployments, oldest first; this one is the last of them.
        tracked: the objectives whose values `recent` holds.
        sent: by item; of those that sent anything.
        unknown: why a part is empty, or holds less than it could.
    """

    latencies: tuple[Latency, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    timeline: tuple[Band, ...] = ()
    recent: tuple[PastDeployment, ...] = ()
    tracked: tuple[Slo, ...] = ()
    sent: Mapping[str, Sent] = field(default_factory=dict)
    unknown: Mapping[Part, str] = field(default_factory=dict)
