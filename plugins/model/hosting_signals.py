"""What a service on Render gives off while it runs: lines of its log, and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from plugins.model.hosting import Shape
from plugins.model.platform import Moment


class LogLabel(Shape):
    """Something known of a log line."""

    name: str
    value: str


class LogLine(Shape):
    """One line of a log."""

    id: str
    message: str
    timestamp: Moment
    labels: tuple[LogLabel, ...] = ()

    def label(self, name: str) -> str:
        """The value of a label ("level", "type", "resource", "instance", "statusCode" …), or ""."""
        return next((label.value for label in self.labels if label.name == name), "")

    @property
    def level(self) -> str:
        """Such as "info" or "error"; "" where Render could not tell."""
        return self.label("level")

    @property
    def service(self) -> str:
        """The id of the service that wrote it."""
        return self.label("resource")


@dataclass(frozen=True, slots=True)
class Logs:
    """Lines in the order of time.

    Attributes:
        complete: there are no more in the span that was asked for; else these are its latest.
    """

    lines: tuple[LogLine, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over time.

    Attributes:
        labels: what it is of, such as {"resource": "srv-…", "statusCode": "200"}.
        unit: in Render's words, such as "ms" or "bytes".
        points: (moment, value), in the order of time.
    """

    labels: Mapping[str, str]
    unit: str
    points: tuple[tuple[datetime, float], ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The values alone."""
        return tuple(value for _, value in self.points)

    @property
    def total(self) -> float:
        """Their sum; of counts only."""
        return sum(self.values)
