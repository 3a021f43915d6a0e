"""Read one OpenSLO object: its own fields, our annotations, and defaults from the runbook's table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kamiyo_verify.config.mistakes import Loc, did_you_mean
from kamiyo_verify.config.openslo.documents import (
    ANNOTATIONS,
    NO_WINDOW,
    OURS,
    PREFIX,
    Metric,
    Objective,
    SliSpec,
    SloObject,
)
from kamiyo_verify.model.runbook import Slo, Source

Better = Literal["below", "above"]

_OBJECTIVE: Loc = ("spec", "objectives", 0)
_NEAR = 20
"""A threshold larger or smaller than the table's by this factor may have another unit."""

_SAME = 1e-9


class CannotBeMeasured(Exception):
    """The objective cannot be measured here, or the file does not contain enough information.

    Attributes:
        loc: the path in the document.
    """

    def __init__(self, loc: Loc, problem: str) -> None:
        super().__init__(problem)
        self.loc = loc


@dataclass(frozen=True, slots=True)
class Known:
    """The runbook's data: the ids of its items, and its objectives by id."""

    items: frozenset[str]
    table: Mapping[str, Slo]


def own_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations with our prefix, without the prefix.

    Raises:
        CannotBeMeasured: an annotation with our prefix is unknown.
    """
    found = {key.removeprefix(PREFIX): value for key, value in annotations.items() if key.startswith(PREFIX)}
    for key in found:
        if key not in ANNOTATIONS:
            names = [f"{PREFIX}{name}" for name in ANNOTATIONS]
            meant = did_you_mean(f"{PREFIX}{key}", names) or ";"
            raise CannotBeMeasured(
                ("metadata", "annotations", f"{PREFIX}{key}"),
                f"unknown annotation{meant} ours are: {', '.join(names)}",
            )
    return found


@dataclass(frozen=True, slots=True)
class Reading:
    """One OpenSLO object. Every method raises `CannotBeMeasured` if information is missing or not valid.

    Attributes:
        source: the object.
        annotations: our annotations of it, without the prefix.
        spec: how it is measured.
        at: the path of `spec`, or of the reference to it, in the document.
        known: the runbook's data.
    """

    source: SloObject
    annotations: Mapping[str, str]
    spec: SliSpec
    at: Loc
    known: Known

    @property
    def id(self) -> str:
        """The id of the resulting objective."""
        return self.annotations.get("id", self.source.metadata.name)

    @property
    def objective(self) -> Objective:
        """The only objective of the object."""
        return self.source.spec.objectives[0]

    def like(self, kind: str) -> Slo | None:
        """Return the runbook's objective that this one replaces, if it has this kind."""
        row = self.known.table.get(self.id)
        return row if row is not None and row.kind == kind else None

    def measured(
        self, metric: Metric | None, which: Literal["measurement", "total"], like: Slo | None
    ) -> tuple[str, str]:
        """Return item and measurement of a metric: from annotations, our own source, or the table."""
        source = metric.metricSource if metric else None
        ours = (source.spec or {}) if source is not None and source.type == OURS else {}
        item = self.annotations.get("item") or ours.get("item") or (like.item if like else "")
        name = (
            self.annotations.get(which) or ours.get("measurement") or (getattr(like, which) if like else "")
        )
        if not (isinstance(item, str) and isinstance(name, str) and item and name):
            needed = ("item", "measurement") if which == "measurement" else ("item", "measurement", "total")
            raise CannotBeMeasured(
                self.at,
                f"does not say how it is measured here: add {', '.join(PREFIX + key for key in needed)} to "
                "metadata.annotations, such as item performance.error-rate, measurement errors (the count of "
                "what fails) and total requests; or give it the name of an objective in runbook.toml",
            )
        if item not in self.known.items:
            meant = did_you_mean(item, self.known.items)
            raise CannotBeMeasured(self.at, f'the runbook has no item "{item[:80]}"{meant}')
        return item, name

    def preferred_source(self) -> Source | None:
        """Return the preferred source from its annotation; None if there is none."""
        if "preferred_source" not in self.annotations:
            return None
        at: Loc = ("metadata", "annotations", f"{PREFIX}preferred_source")
        item, _, measurement = self.annotations["preferred_source"].partition(" ")
        if not measurement:
            raise CannotBeMeasured(at, "must be an item and a measurement, with a space between them")
        if item not in self.known.items:
            meant = did_you_mean(item, self.known.items)
            raise CannotBeMeasured(at, f'the runbook has no item "{item[:80]}"{meant}')
        return Source(item=item, measurement=measurement)

    def target(self) -> float:
        """Return the target: the share of good events, between 0 and 1."""
        objective = self.objective
        if (objective.target is None) == (objective.targetPercent is None):
            raise CannotBeMeasured(_OBJECTIVE, "needs either target or targetPercent")
        key, share = "target", objective.target
        if share is None:
            key, share = "targetPercent", float(Decimal(repr(objective.targetPercent)) / 100)
        if not 0 < share < 1:
            raise CannotBeMeasured((*_OBJECTIVE, key), "must be more than 0, or anything would do")
        return share

    def exact(self, derived: float, what: str) -> float:
        """Return the number derived from the target, or the exact number from an annotation."""
        if "exact" not in self.annotations:
            if 0 < derived < 1:
                return derived
            raise CannotBeMeasured(_OBJECTIVE, f"leaves no {what} between 0 and 1")
        at: Loc = ("metadata", "annotations", f"{PREFIX}exact")
        try:
            number = float(self.annotations["exact"])
        except ValueError:
            number = math.nan
        if not (0 < number < 1 and abs(number - derived) < _SAME):
            raise CannotBeMeasured(
                at, f"contradicts the target, which gives {derived:.12g}: leave the annotation out"
            )
        return number

    def unit(self, value: float, like: Slo | None) -> str:
        """Return the unit of the threshold."""
        if "unit" in self.annotations:
            return self.annotations["unit"]
        if like is None or not 1 / _NEAR < value / like.objective < _NEAR:
            agreed = f"; the runbook says {like.objective:g} {like.unit}" if like else ""
            raise CannotBeMeasured(
                (*_OBJECTIVE, "value"),
                f"{value:g} of what? Add {PREFIX}unit to metadata.annotations: ms or s{agreed}",
            )
        return like.unit

    def better(self, otherwise: Better) -> Better:
        """Return which side of the objective is good."""
        match self.annotations.get("better", otherwise):
            case "below":
                return "below"
            case "above":
                return "above"
        raise CannotBeMeasured(("metadata", "annotations", f"{PREFIX}better"), 'must be "below" or "above"')

    def window(self) -> str:
        """Return the length of the rolling time window, or ""."""
        windows = self.source.spec.timeWindow or ()
        none = self.annotations.get("window")
        if none not in {None, "none"}:
            raise CannotBeMeasured(("metadata", "annotations", f"{PREFIX}window"), 'can only be "none"')
        if len(windows) > 1:
            raise CannotBeMeasured(("spec", "timeWindow", 1), "is a second window; there can be one")
        if not windows:
            return ""
        at: Loc = ("spec", "timeWindow", 0)
        if windows[0].calendar is not None or not windows[0].isRolling:
            raise CannotBeMeasured(
                at, "is of the calendar; here they go back from now: isRolling: true alone"
            )
        duration = windows[0].duration
        if not re.fullmatch(r"[1-9][0-9]{0,4}[hdw]", duration):
            raise CannotBeMeasured((*at, "duration"), "must be hours, days or weeks, such as 24h, 30d, 4w")
        return "" if none and duration == NO_WINDOW else duration
