"""Metrics of real users' requests and of the instances, constant except for faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.outside.render_services import POSTGRES, SERVICES
from sandbox.outside.world import World

MOST_CONNECTIONS = 100
"""The limit of a database with less than 8 GB of memory."""

_REQUESTS_PER_S = {"api": 20.0, "frontend": 10.0}
_NOT_FOUND_SHARE = 0.01
_ERROR_SHARE = 0.03
_MEDIAN_MS = {"api": 90.0, "frontend": 240.0}
_SLOW_TIMES = 14.0
_CPU = 0.12
_MEMORY_BYTES = 210.0 * 1024 * 1024

_Value = Callable[[datetime], float]


@dataclass(frozen=True, slots=True)
class Span:
    """The requested time range, with a point every `step_s` seconds."""

    start: datetime
    end: datetime
    step_s: int

    def moments(self) -> Iterator[datetime]:
        """Yield the times of the grid within the range."""
        tick = -int(-self.start.timestamp() // self.step_s) * self.step_s
        while tick <= self.end.timestamp():
            yield datetime.fromtimestamp(tick, UTC)
            tick += self.step_s


class Metrics:
    """Metric series; each method returns those of one resource."""

    def __init__(self, world: World) -> None:
        self._world = world

    def http_requests(self, service: str, span: Span, by: str | None) -> list[dict[str, Any]]:
        """Return request counts for each step, by status code or in total."""
        per_step = _REQUESTS_PER_S[service] * span.step_s
        if by != "statusCode":
            labels = {"host": SERVICES[service].name} if by == "host" else {}
            return [_series(service, span, "requests", lambda _moment: per_step, **labels)]

        def failed(moment: datetime) -> float:
            return round(per_step * _ERROR_SHARE) if self._suffers("real-users-errors", moment) else 0.0

        missing = round(per_step * _NOT_FOUND_SHARE)
        shares: dict[str, _Value] = {
            "200": lambda moment: per_step - missing - failed(moment),
            "404": lambda _moment: missing,
            "500": failed,
        }
        found = [_series(service, span, "requests", value, statusCode=code) for code, value in shares.items()]
        # Render has no series for a status that never occurred.
        return [series for series in found if any(point["value"] for point in series["values"])]

    def http_latency(self, service: str, span: Span, quantile: float) -> list[dict[str, Any]]:
        """Return this quantile in ms: 1× the median at 0.5, 2× at 0.95, about 2.1× at 0.99."""
        spread = 1 + max(quantile - 0.5, 0) / 0.45

        def value(moment: datetime) -> float:
            slower = _SLOW_TIMES if self._suffers("real-users-slow", moment) else 1.0
            return round(_MEDIAN_MS[service] * spread * slower, 3)

        return [_series(service, span, "ms", value, quantile=f"{quantile:g}")]

    def cpu(self, service: str, span: Span) -> list[dict[str, Any]]:
        """Return the cores in use."""
        return [_series(service, span, "cpu", lambda _moment: _CPU)]

    def memory(self, service: str, span: Span) -> list[dict[str, Any]]:
        """Return the bytes in use."""
        return [_series(service, span, "bytes", lambda _moment: _MEMORY_BYTES)]

    def instance_count(self, service: str, span: Span) -> list[dict[str, Any]]:
        """Return the number of running instances."""
        return [_series(service, span, "instances", lambda _moment: 1.0)]

    def active_connections(self, span: Span) -> list[dict[str, Any]]:
        """Return the number of connections to the database."""
        used = float(MOST_CONNECTIONS - 2 if "connections-full" in self._world.faults else 14)
        return [_series("", span, "connections", lambda _moment: used)]

    def _suffers(self, fault: str, moment: datetime) -> bool:
        live_at = self._world.went_live_at
        return fault in self._world.faults and live_at is not None and moment >= live_at


def _series(service: str, span: Span, unit: str, value: _Value, **labels: str) -> dict[str, Any]:
    resource = SERVICES[service].id if service else POSTGRES
    return {
        "labels": [
            {"field": field, "value": text} for field, text in {"resource": resource, **labels}.items()
        ],
        "values": [
            {"timestamp": moment.isoformat(), "value": value(moment), "unit": unit}
            for moment in span.moments()
        ],
        "unit": unit,
    }
