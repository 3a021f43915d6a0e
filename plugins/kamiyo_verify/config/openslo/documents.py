"""OpenSLO v1 documents that define objectives. Source: github.com/OpenSLO/OpenSLO, README.md.

Settings for which OpenSLO has no field are text annotations with our prefix.
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

API_VERSION = "openslo/v1"
OURS = "kamiyo-verify"
"""The type of a metric source that this suite measures; its spec has an item and a measurement."""

PREFIX = "verify.kamiyo.ai/"
ANNOTATIONS = {
    "id": "the objective's id, where it is no name that OpenSLO allows",
    "item": "the item whose check measures it",
    "measurement": "its measurement: a series of durations, or the count of what failed",
    "total": "its count of all, of which some failed",
    "preferred_source": "item and measurement, separated by a space, that replace these two where known",
    "unit": "the unit of the threshold: ms or s",
    "better": '"above" or "below"',
    "window": '"none": it has no window, and the time window is there for the sake of tools',
    "exact": "the objective or the quantile, where the target is not exact to the last digit",
}
"""Every annotation of ours and its meaning."""

NO_WINDOW = "30d"
"""The time window written for an objective without one, because tools require it."""

LONGEST_NAME = 63


def complement(share: float) -> float:
    """Return 1 − share without binary rounding errors: 1 − 0.001 is 0.999."""
    with localcontext(prec=60):
        return float(1 - Decimal(repr(share)))


def is_name(text: str) -> bool:
    """Return whether the text is an RFC 1123 label, which every implementation accepts as a name."""
    return len(text) <= LONGEST_NAME and bool(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text))


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(
            f"must be small letters, digits and hyphens, at most {LONGEST_NAME}, such as api-latency"
        )
    return text


Name = Annotated[str, AfterValidator(_name)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Metadata(_Table):
    """The metadata of an object."""

    name: Name
    displayName: str | None = None
    labels: dict[str, Any] | None = None
    annotations: dict[str, str] | None = None


class MetricSource(_Table):
    """The source of a metric; `spec` depends on the source."""

    metricSourceRef: Name | None = None
    type: str = ""
    spec: dict[str, Any] | None = None


class Metric(_Table):
    """One number or a series of numbers."""

    metricSource: MetricSource


class RatioMetric(_Table):
    """The good or bad events and the total, or the ratio itself as `raw`."""

    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    rawType: Literal["success", "failure"] | None = None
    raw: Metric | None = None


class SliSpec(_Table):
    """How an indicator is measured: either by a threshold or by a ratio."""

    description: str | None = None
    thresholdMetric: Metric | None = None
    ratioMetric: RatioMetric | None = None


class Indicator(_Table):
    """A service level indicator inside an SLO."""

    metadata: Metadata | None = None
    spec: SliSpec


class Sli(_Table):
    """A service level indicator as a separate object."""

    apiVersion: str
    kind: str
    metadata: Metadata
    spec: SliSpec


class TimeWindow(_Table):
    """A time window, rolling or by calendar."""

    duration: str
    isRolling: bool = False
    calendar: dict[str, Any] | None = None


class Objective(_Table):
    """A target. Time slices and compositions of several indicators are not supported."""

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
    """One or more objectives of one indicator."""

    description: str | None = None
    service: str
    indicator: Indicator | None = None
    indicatorRef: str | None = None
    timeWindow: tuple[TimeWindow, ...] | None = None
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"]
    objectives: tuple[Objective, ...]
    alertPolicies: tuple[dict[str, Any], ...] | None = None


class SloObject(_Table):
    """An OpenSLO object of kind SLO."""

    apiVersion: str
    kind: str
    metadata: Metadata
    spec: SloSpec


class Header(BaseModel):
    """The common fields of all objects; of objects without objectives only these are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    apiVersion: str
    kind: str
    metadata: Metadata
