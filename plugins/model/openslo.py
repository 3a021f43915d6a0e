"""OpenSLO v1 documents, as far as objectives are told by them. Source: github.com/OpenSLO/OpenSLO, README.md.

What OpenSLO has no field for stands in annotations under a prefix of ours, each a text.
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

API_VERSION = "openslo/v1"
OURS = "kamiyo-verify"
"""The type of a metric source that the suite measures by itself: its spec has an item and a measurement."""

PREFIX = "verify.kamiyo.ai/"
ANNOTATIONS = {
    "id": "the objective's id, where it is no name that OpenSLO allows",
    "item": "the item whose check measures it",
    "measurement": "its measurement: a series of durations, or the count of what failed",
    "total": "its count of all, of which some failed",
    "truer": "item and measurement, with a space between them, that go before these two where they are known",
    "unit": "the unit of the threshold: ms or s",
    "better": '"above" or "below"',
    "window": '"none": it has no window, and the time window is there for the sake of tools',
    "exact": "the objective or the quantile, where the target is not exact to the last digit",
}
"""Every annotation of ours, and what it says."""

NO_WINDOW = "30d"
"""The time window of an objective that has none: tools ask for one."""

LONGEST_NAME = 63


def complement(share: float) -> float:
    """1 − share, without what binary fractions add: 1 − 0.001 is 0.999."""
    with localcontext(prec=60):
        return float(1 - Decimal(repr(share)))


def is_name(text: str) -> bool:
    """It is a label of RFC 1123, which every implementation takes for a name."""
    return len(text) <= LONGEST_NAME and bool(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text))


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(
            f"must be small letters, digits and hyphens, at most {LONGEST_NAME}, such as api-latency"
        )
    return text


Name = Annotated[str, AfterValidator(_name)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Metadata(_Table):
    """Of any object."""

    name: Name
    displayName: str | None = None
    labels: dict[str, str | tuple[str, ...]] | None = None
    annotations: dict[str, str] | None = None


class MetricSource(_Table):
    """Where a number comes from; `spec` is the source's own."""

    metricSourceRef: Name | None = None
    type: str = ""
    spec: dict[str, Any] | None = None


class Metric(_Table):
    """One number, or a series of them."""

    metricSource: MetricSource


class RatioMetric(_Table):
    """Good or bad events of all, or the share itself as `raw`."""

    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    rawType: Literal["success", "failure"] | None = None
    raw: Metric | None = None


class SliSpec(_Table):
    """How a level is measured: by one of both."""

    description: str | None = None
    thresholdMetric: Metric | None = None
    ratioMetric: RatioMetric | None = None


class Indicator(_Table):
    """A level that is measured, within an SLO."""

    metadata: Metadata | None = None
    spec: SliSpec


class Sli(_Table):
    """A level that is measured, as an object of its own."""

    apiVersion: str
    kind: str
    metadata: Metadata
    spec: SliSpec


class TimeWindow(_Table):
    """Over which time; rolling or by the calendar."""

    duration: str
    isRolling: bool = False
    calendar: dict[str, Any] | None = None


class Objective(_Table):
    """What was agreed. A share of time slices and a composition of several levels are not measured here."""

    displayName: str | None = None
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: float | None = None
    target: Annotated[float, Field(ge=0, lt=1)] | None = None
    targetPercent: Annotated[float, Field(ge=0, lt=100)] | None = None
    timeSliceTarget: float | None = None
    timeSliceWindow: str | float | None = None
    indicator: dict[str, Any] | None = None
    indicatorRef: str | None = None
    compositeWeight: float | None = None


class SloSpec(_Table):
    """One objective, or several, of one level."""

    description: str | None = None
    service: str
    indicator: Indicator | None = None
    indicatorRef: str | None = None
    timeWindow: tuple[TimeWindow, ...] | None = None
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    objectives: tuple[Objective, ...]
    alertPolicies: tuple[dict[str, Any], ...] | None = None


class SloObject(_Table):
    """An SLO as OpenSLO means it."""

    apiVersion: str
    kind: str
    metadata: Metadata
    spec: SloSpec


class Header(BaseModel):
    """What every object begins with; nothing more is read of those that hold no objective."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    apiVersion: str
    kind: str
    metadata: Metadata
