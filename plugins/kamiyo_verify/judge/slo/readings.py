"""Read an item's measurements as numbers for the judge, or say why there are none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Attribution, Status, Stopping

STOPPING = "stopping"
"""Name of the measurement with which an item reports what ended its sampling, a `Stopping` value."""

SENT_AT, OUTCOMES = "sent_at", "outcomes"
"""Names of the measurements of when each request was sent (s), and whether it failed (0 or 1)."""

Baseline: TypeAlias = Mapping[str, tuple[Measurement, ...]]
"""Measurements of items before the deployment, by id."""

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


class NotMeasured(Exception):
    """There is nothing to judge; the message gives the reason."""


def series(slo: Slo, evidence: Evidence) -> Sequence[float]:
    """Return the samples of a quantile objective, in its unit.

    Raises:
        NotMeasured: there are none, or not all of them are numbers.
    """
    return in_unit(slo, measurement(slo, slo.measurement, evidence))


def counts(slo: Slo, evidence: Evidence) -> tuple[int, int]:
    """Return (bad, total) of a ratio objective's events.

    Raises:
        NotMeasured: there are no counts.
    """
    return checked(
        measurement(slo, slo.measurement, evidence).value, measurement(slo, slo.total, evidence).value
    )


def clustering(slo: Slo, evidence: Evidence) -> float:
    """Return the design effect of a ratio's counts; 1 if the time of each failure is unknown."""
    result = evidence.result(slo.item)
    times, outcomes = (result.measurement(name) if result else None for name in (SENT_AT, OUTCOMES))
    if times is None or outcomes is None:
        return 1.0
    if not (isinstance(times.value, tuple) and isinstance(outcomes.value, tuple)):
        return 1.0
    try:
        return design_effect(times.value, [bool(one) for one in outcomes.value])
    except ValueError:
        return 1.0


def method(slo: Slo, evidence: Evidence) -> Method:
    """Return the interval method for the item's measurements: exact, unless a rule ended the sampling."""
    result = evidence.result(slo.item)
    return method_of(result.measurements if result else ())


def series_before(slo: Slo, baseline: Baseline) -> tuple[Sequence[float], Method] | None:
    """Return the samples from before the deployment and their interval method; None if there are none."""
    before = baseline.get(slo.item, ())
    taken = _named(before, slo.measurement)
    try:
        return (in_unit(slo, taken), method_of(before)) if taken else None
    except NotMeasured:
        return None


def counts_before(slo: Slo, baseline: Baseline) -> tuple[int, int, Method] | None:
    """Return the counts from before the deployment and their interval method; None if there are none."""
    before = baseline.get(slo.item, ())
    bad, total = _named(before, slo.measurement), _named(before, slo.total)
    try:
        return (*checked(bad.value, total.value), method_of(before)) if bad and total else None
    except NotMeasured:
        return None


def measurement(slo: Slo, name: str, evidence: Evidence) -> Measurement:
    """Return the measurement of the objective's item with that name.

    Raises:
        NotMeasured: there is no measurement that is evidence about the platform.
    """
    result = evidence.result(slo.item)
    if result is None:
        raise NotMeasured(f"not measured: {slo.item} is of no selected phase")
    if result.attribution is Attribution.PROBER:
        raise NotMeasured(f"not measured: {slo.item} was disturbed on our own side")
    taken = result.measurement(name)
    if taken is None:
        why = result.message if result.status is not Status.PASSED else f"it took no {name}"
        raise NotMeasured(f"not measured: {slo.item}: {why}")
    return taken


def in_unit(slo: Slo, taken: Measurement) -> Sequence[float]:
    """Return the numbers of a measurement in the objective's unit.

    Raises:
        NotMeasured: it contains no numbers, other values too, or numbers of another kind.
    """
    values = taken.value if isinstance(taken.value, tuple) else (taken.value,)
    numbers = [value for value in values if isinstance(value, int | float) and not math.isnan(value)]
    if not numbers:
        raise NotMeasured(f"not measured: {taken.name} holds no number")
    if len(numbers) < len(values):
        raise NotMeasured(f"not measured: {taken.name} holds something that is no number")
    if taken.unit == slo.unit:
        return numbers
    if taken.unit not in _SECONDS or slo.unit not in _SECONDS:
        raise NotMeasured(f"not measured: {taken.name} is in {taken.unit!r}, the objective in {slo.unit!r}")
    return [number * _SECONDS[taken.unit] / _SECONDS[slo.unit] for number in numbers]


def checked(bad: object, total: object) -> tuple[int, int]:
    """Return two counts if they form a valid share.

    Raises:
        NotMeasured: they do not form a valid share.
    """
    for value in (bad, total):
        if isinstance(value, bool) or not isinstance(value, int):
            raise NotMeasured(f"not measured: {value!r} is no count")
    if not (isinstance(bad, int) and isinstance(total, int) and 0 <= bad <= total and total):
        raise NotMeasured(f"not measured: {bad} of {total} is no share of anything")
    return bad, total


def method_of(measurements: Iterable[Measurement]) -> Method:
    """Return the interval method of an item's measurements, by what ended its sampling."""
    measured = _named(measurements, STOPPING)
    return method_after(Stopping.FIXED if measured is None else measured.value)


def method_after(stopping: object) -> Method:
    """Return the interval method for a `Stopping` value; an unknown value gets the wider interval."""
    return EXACT if stopping == Stopping.FIXED else ANYTIME


def _named(measurements: Iterable[Measurement], name: str) -> Measurement | None:
    return next((taken for taken in measurements if taken.name == name), None)
