"""Read Render's metrics: series of values, each in Render's unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from pydantic import RootModel

from kamiyo_verify.http.service import Service
from kamiyo_verify.integrations.render.pages import text_of
from kamiyo_verify.model.hosting.data import Shape
from kamiyo_verify.model.hosting.signals import Series
from kamiyo_verify.model.outside.shapes import Moment, Number

_FINEST_S = 60
"""Render's default resolution; the finest that it accepts is 30."""

_MOST_POINTS = 360

_MS = {"ms": 1.0, "millisecond": 1.0, "milliseconds": 1.0, "s": 1000.0, "second": 1000.0, "seconds": 1000.0}


class _Label(Shape):
    field: str
    value: str


class _Point(Shape):
    timestamp: Moment
    value: Number | None


class _Series(Shape):
    labels: tuple[_Label, ...]
    values: tuple[_Point, ...]
    unit: str


class _AllSeries(RootModel[tuple[_Series, ...]]):
    pass


class Metrics:
    """Reads metrics.

    Args:
        service: the client.
        hint: what to verify if Render does not know those ids.
    """

    def __init__(self, service: Service, hint: Callable[..., str]) -> None:
        self._service = service
        self._hint = hint

    def of(
        self, name: str, resources: Iterable[str], start: datetime, end: datetime, **more: object
    ) -> tuple[Series, ...]:
        """One metric of several resources; values that Render does not know are left out.

        Args:
            name: as in the address, such as "http-requests".
            resources: ids.
            start: of the time range.
            end: of the time range; a longer range has coarser steps.
            **more: parameters of that metric alone.
        """
        wanted = list(resources)
        params = {
            "resource": wanted,
            "startTime": text_of(start),
            "endTime": text_of(end),
            "resolutionSeconds": _step_s((end - start).total_seconds()),
            **more,
        }
        found = self._service.ask(f"/metrics/{name}", _AllSeries, params=params, hint=self._hint(*wanted))
        return tuple(
            Series(
                labels={label.field: label.value for label in series.labels},
                unit=series.unit,
                points=tuple(
                    (point.timestamp, point.value)
                    for point in sorted(series.values, key=lambda point: point.timestamp)
                    if point.value is not None
                ),
            )
            for series in found.root
        )

    def in_ms(self, series: Series) -> Series:
        """The series with times in milliseconds.

        Raises:
            NoAnswer: UNUSABLE, Render's unit is not a unit of time.
        """
        factor = _MS.get(series.unit.lower())
        if factor is None:
            self._service.unusable(f"Render gives a latency in {series.unit!r}, not in ms or s")
        return replace(
            series, unit="ms", points=tuple((moment, value * factor) for moment, value in series.points)
        )


def _step_s(span_s: float) -> int:
    return max(_FINEST_S, math.ceil(span_s / _MOST_POINTS / _FINEST_S) * _FINEST_S)
