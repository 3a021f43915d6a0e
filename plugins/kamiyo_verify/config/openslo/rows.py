"""Convert one OpenSLO object into a row of the runbook's table of objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kamiyo_verify.config.mistakes import Loc, did_you_mean
from kamiyo_verify.config.openslo.documents import (
    OURS,
    Metric,
    RatioMetric,
    Sli,
    SliSpec,
    SloObject,
    complement,
)
from kamiyo_verify.config.openslo.reading import Better, CannotBeMeasured, Known, Reading, own_annotations
from kamiyo_verify.model.runbook import Slo, Source

_HISTORY = ("availability", "deployment-success")
"""The ratios that the ledger provides."""


def row_of(source: SloObject, slis: Mapping[str, Sli], known: Known) -> Slo:
    """Return the row for an object.

    Raises:
        CannotBeMeasured: the suite cannot measure the objective.
    """
    _refuse_other_methods(source)
    spec, at, annotations = _indicator(source, slis)
    read = Reading(
        source, own_annotations(annotations | (source.metadata.annotations or {})), spec, at, known
    )
    if (spec.thresholdMetric is None) == (spec.ratioMetric is None):
        raise CannotBeMeasured(at, "needs either thresholdMetric or ratioMetric")
    if spec.thresholdMetric is not None:
        return _quantile(read, spec.thresholdMetric)
    if spec.ratioMetric is None:
        raise RuntimeError("one of the two was there")
    if read.objective.op or read.objective.value is not None:
        raise CannotBeMeasured(
            ("spec", "objectives", 0),
            "op and value belong to a thresholdMetric; a ratioMetric has a target alone",
        )
    return _history(read, spec.ratioMetric) if spec.ratioMetric.raw else _ratio(read, spec.ratioMetric)


def _refuse_other_methods(source: SloObject) -> None:
    spec = source.spec
    if spec.budgetingMethod != "Occurrences":
        raise CannotBeMeasured(
            ("spec", "budgetingMethod"),
            f"{spec.budgetingMethod} counts slices of time, and the suite counts requests: write Occurrences "
            "and leave timeSliceTarget and timeSliceWindow out",
        )
    if not spec.objectives:
        raise CannotBeMeasured(("spec", "objectives"), "must not be empty")
    if len(spec.objectives) > 1:
        raise CannotBeMeasured(
            ("spec", "objectives", 1), "is a second objective: write an SLO of its own for each"
        )
    for key in ("timeSliceTarget", "timeSliceWindow", "indicator", "indicatorRef", "compositeWeight"):
        if getattr(spec.objectives[0], key) is not None:
            why = "belongs to slices of time" if key.startswith("time") else "composes several levels"
            raise CannotBeMeasured(
                ("spec", "objectives", 0, key), f"{why}, which is not measured: leave it out"
            )


def _indicator(source: SloObject, slis: Mapping[str, Sli]) -> tuple[SliSpec, Loc, dict[str, str]]:
    """Return the spec of the indicator, its path in the document, and its annotations."""
    spec = source.spec
    if (spec.indicator is None) == (spec.indicatorRef is None):
        raise CannotBeMeasured(("spec",), "needs either indicator or indicatorRef")
    if spec.indicator is not None:
        metadata = spec.indicator.metadata
        return (
            spec.indicator.spec,
            ("spec", "indicator", "spec"),
            dict((metadata and metadata.annotations) or {}),
        )
    sli = slis.get(spec.indicatorRef or "")
    if sli is None:
        meant = did_you_mean(spec.indicatorRef or "", slis)
        raise CannotBeMeasured(("spec", "indicatorRef"), f"no SLI of this file has that name{meant}")
    return sli.spec, ("spec", "indicatorRef"), dict(sli.metadata.annotations or {})


def _quantile(read: Reading, metric: Metric) -> Slo:
    objective, at = read.objective, ("spec", "objectives", 0)
    if objective.op is None or objective.value is None:
        raise CannotBeMeasured(at, "needs op and value: what a thresholdMetric is held against")
    better: Better = "below" if objective.op in {"lt", "lte"} else "above"
    target = read.target()
    like = read.like("quantile")
    item, measurement = read.measured(metric, "measurement", like)
    unit = read.unit(objective.value, like)
    if objective.value <= 0:
        raise CannotBeMeasured((*at, "value"), "must be more than 0")
    quantile = read.exact(target if better == "below" else complement(target), "quantile")
    table = like.preferred_source if like and (like.item, like.measurement) == (item, measurement) else None
    return _row(
        read,
        "quantile",
        objective.value,
        better,
        unit=unit,
        item=item,
        measurement=measurement,
        preferred_source=read.preferred_source() or table,
        quantile=quantile,
    )


def _ratio(read: Reading, metric: RatioMetric) -> Slo:
    at = (*read.at, "ratioMetric")
    if metric.total is None or (metric.good is None) == (metric.bad is None):
        raise CannotBeMeasured(at, "needs total, and with it either good or bad")
    like = read.like("ratio")
    if metric.bad is None and metric.good is not None and metric.good.metricSource.type == OURS:
        raise CannotBeMeasured((*at, "good"), "the suite counts what fails: name that count, as bad")
    item, measurement = read.measured(metric.bad, "measurement", like)
    total_item, total = read.measured(metric.total, "total", like)
    if total_item != item:
        raise CannotBeMeasured((*at, "total"), f"must be of the same item as what failed, {item}")
    target = read.target()
    better = read.better("below")
    objective = read.exact(target if better == "above" else complement(target), "objective")
    unit = read.annotations.get("unit", "")
    return _row(read, "ratio", objective, better, unit=unit, item=item, measurement=measurement, total=total)


def _history(read: Reading, metric: RatioMetric) -> Slo:
    at = (*read.at, "ratioMetric")
    if metric.good or metric.bad or metric.total:
        raise CannotBeMeasured(at, "raw goes with none of good, bad and total")
    if metric.rawType is None:
        raise CannotBeMeasured(at, "raw needs rawType: success or failure")
    source = metric.raw.metricSource if metric.raw else None
    ours = source is not None and source.type == OURS and (source.spec or {}).get("history") == read.id
    if not ours and read.like("history") is None and read.id not in _HISTORY:
        raise CannotBeMeasured(
            at,
            f"raw is the share of many runs, and none is known as {read.id}: name the SLO one of "
            f"{', '.join(_HISTORY)}, or give bad and total",
        )
    better: Better = "above" if metric.rawType == "success" else "below"
    target = read.target()
    objective = read.exact(target if better == "above" else complement(target), "objective")
    return _row(read, "history", objective, better, unit=read.annotations.get("unit", ""))


def _row(  # noqa: PLR0913 - each by name
    read: Reading,
    kind: Literal["quantile", "ratio", "history"],
    objective: float,
    better: Better,
    *,
    unit: str,
    item: str = "",
    measurement: str = "",
    total: str = "",
    preferred_source: Source | None = None,
    quantile: float | None = None,
) -> Slo:
    return Slo(
        id=read.id,
        title=read.source.metadata.displayName or read.source.metadata.name,
        kind=kind,
        objective=objective,
        better=better,
        unit=unit,
        item=item,
        measurement=measurement,
        total=total,
        preferred_source=preferred_source,
        quantile=quantile,
        window=read.window(),
    )
