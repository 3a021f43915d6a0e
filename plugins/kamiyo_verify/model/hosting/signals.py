"""Telemetry of services at their host: log lines and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kamiyo_verify.model.hosting.services import Neutral
from kamiyo_verify.model.outside.shapes import Moment


class LogLabel(Neutral):
    """A label of a log line."""

    name: str
    value: str


class LogLine(Neutral):
    """One line of a log."""

    id: str
    message: str
    timestamp: Moment
    labels: tuple[LogLabel, ...] = ()

    def label(self, name: str) -> str:
        """Return the value of a label ("level", "type", "resource", "instance", "statusCode" …), or ""."""
        return next((label.value for label in self.labels if label.name == name), "")

    @property
    def level(self) -> str:
        """The level, such as "info" or "error"; "" if the host could not detect it."""
        return self.label("level")

    @property
    def service(self) -> str:
        """The id of the service that wrote it."""
        return self.label("resource")


@dataclass(frozen=True, slots=True)
class Logs:
    """Log lines in order of time.

    Attributes:
        complete: whether these are all lines of the requested span; else they are its latest.
    """

    lines: tuple[LogLine, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over time.

    Attributes:
        labels: its labels, such as {"resource": "srv-…", "statusCode": "200"}.
        unit: the host's name of the unit, such as "ms" or "bytes".
        points: (time, value), in order of time.
    """

    labels: Mapping[str, str]
    unit: str
    points: tuple[tuple[datetime, float], ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The values without their times."""
        return tuple(value for _, value in self.points)

    @property
    def total(self) -> float:
        """The sum of the values; only for counts."""
        return sum(self.values)
