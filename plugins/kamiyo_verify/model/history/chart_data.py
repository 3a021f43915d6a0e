"""The data of the report's charts. Unknown data are left out, and `unknown` gives the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kamiyo_verify.model.history.history import PastDeployment
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.runbook import Slo


class Part(StrEnum):
    """A part of the charts."""

    LATENCY = "latency"
    BEFORE = "before"
    TIMING = "timing"
    TIMELINE = "timeline"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Quantile:
    """One quantile of a distribution.

    Attributes:
        share: 0.5, 0.95 or 0.99.
        before: the value before the deployment; None if unknown.
    """

    share: float
    value: float
    before: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The durations of one endpoint.

    Attributes:
        service: the service, such as "api"; "" if the runbook does not name it.
        endpoint: such as "/exploits"; "" for all endpoints together.
        unit: unit of every number.
        values: durations in the order taken.
        before: durations before the deployment; empty if unknown.
        objective: the runbook's objective, for all endpoints together.
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
    """One step of a request; in ms since the request began."""

    name: str
    began_ms: float
    ended_ms: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The duration of one request by step.

    Attributes:
        service: see `Latency`.
        steps: in order; a step that did not occur, such as TLS on a plain connection, is left out.
    """

    service: str
    item: str
    steps: tuple[Step, ...]
    total_ms: float


class BandKind(StrEnum):
    """The kind of a timeline band, in display order."""

    WORK = "work"
    DOWN = "down"
    CHECK = "check"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Band:
    """A time span or a point in time.

    Attributes:
        lane: what happened, such as "API: build and deploy".
        began, ended: seconds since the epoch; equal for a point in time.
        description: details, or "".
    """

    lane: str
    look: BandKind
    began: float
    ended: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A summary of an item's requests.

    Attributes:
        total: number of requests.
        answers: each status, or "no answer", with its count, the most frequent first.
        shown: a few requests, the most relevant first.
        noun: what they are: "request", "command", "SQL statement", or "call" for several kinds.
    """

    total: int
    answers: tuple[tuple[str, int], ...]
    shown: tuple[Exchange, ...]
    noun: str = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartData:
    """All chart data of a run.

    Attributes:
        recent: the last deployments, oldest first; the last one is this deployment.
        tracked: the objectives whose values `recent` contains.
        sent: requests by item, for items that sent any.
        unknown: why a part is empty or incomplete.
    """

    latencies: tuple[Latency, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    timeline: tuple[Band, ...] = ()
    recent: tuple[PastDeployment, ...] = ()
    tracked: tuple[Slo, ...] = ()
    sent: Mapping[str, Sent] = field(default_factory=dict)
    unknown: Mapping[Part, str] = field(default_factory=dict)
