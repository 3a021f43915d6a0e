"""The measurements of an item as numbers that can be judged, or why there are none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from plugins.judge.evidence import Evidence
from plugins.judge.method import Method
from plugins.judge.sequences import ANYTIME
from plugins.judge.statistics import EXACT
from plugins.model.result import Measurement
from plugins.model.runbook import Slo
from plugins.model.words import Attribution, Status, Stopping

STOPPING = "stopping"
"""Name of the measurement by which an item tells what ended its sampling, a word of `Stopping`."""

Baseline: TypeAlias = Mapping[str, tuple[Measurement, ...]]
"""What items measured before the deployment, by id."""

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


class NotMeasured(Exception):
    """There is nothing to judge, and this is why."""


def series(slo: Slo, evidence: Evidence) -> Sequence[float]:
    """The samples of a quantile's objective, in its unit.

    Raises:
        NotMeasured: there are none, or not all of them are numbers.
    """
    return in_unit(slo, measurement(slo, slo.measurement, evidence))


def counts(slo: Slo, evidence: Evidence) -> tuple[int, int]:
    """How many events of a ratio's objective were bad, and of how many.

    Raises:
        NotMeasured: nobody counted.
    """
    return checked(
        measurement(slo, slo.measurement, evidence).value, measurement(slo, slo.total, evidence).value
    )


def method(slo: Slo, evidence: Evidence) -> Method:
    """The way to read what the objective's item measured: exact, unless a rule ended the sampling."""
    result = evidence.result(slo.item)
    return method_of(result.measurements if result else ())


def series_before(slo: Slo, baseline: Baseline) -> tuple[Sequence[float], Method] | None:
    """The samples from before the deployment, and the way to read them; None where there are none."""
    before = baseline.get(slo.item, ())
    taken = _named(before, slo.measurement)
    try:
        return (in_unit(slo, taken), method_of(before)) if taken else None
    except NotMeasured:
        return None


def counts_before(slo: Slo, baseline: Baseline) -> tuple[int, int, Method] | None:
    """The counts from before the deployment, and the way to read them; None where there are none."""
    before = baseline.get(slo.item, ())
    bad, total = _named(before, slo.measurement), _named(before, slo.total)
    try:
        return (*checked(bad.value, total.value), method_of(before)) if bad and total else None
    except NotMeasured:
        return None


def measurement(slo: Slo, name: str, evidence: Evidence) -> Measurement:
    """What the objective's item measured under that name.

    Raises:
        NotMeasured: nothing that speaks of the platform.
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
    """The numbers of a measurement in the objective's unit.

    Raises:
        NotMeasured: it holds no numbers, something besides, or numbers of another kind.
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
    """Two counts that make a share.

    Raises:
        NotMeasured: they do not.
    """
    for value in (bad, total):
        if isinstance(value, bool) or not isinstance(value, int):
            raise NotMeasured(f"not measured: {value!r} is no count")
    if not (isinstance(bad, int) and isinstance(total, int) and 0 <= bad <= total and total):
        raise NotMeasured(f"not measured: {bad} of {total} is no share of anything")
    return bad, total


def method_of(measurements: Iterable[Measurement]) -> Method:
    """The way to read an item's measurements, by what it says of its sampling's end."""
    told = _named(measurements, STOPPING)
    return method_after(Stopping.FIXED if told is None else told.value)


def method_after(stopping: object) -> Method:
    """A word that is not known says that nobody knows what ended it: the wider interval is right then."""
    return EXACT if stopping == Stopping.FIXED else ANYTIME


def _named(measurements: Iterable[Measurement], name: str) -> Measurement | None:
    return next((taken for taken in measurements if taken.name == name), None)
