"""Preconditions of a deployment: a recent backup, and connections for the second set of instances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Backup:
    """The latest time to which one source can restore the database.

    Attributes:
        source: name of the backup source.
        made_at: time with a time zone.
    """

    source: str
    made_at: datetime

    def age_hours(self, now: datetime) -> float:
        """Return its age in hours."""
        return (now - self.made_at).total_seconds() / 3600


@dataclass(frozen=True, slots=True)
class Backups:
    """The latest backups of all requested sources.

    Attributes:
        asked: the sources, including those without a backup.
        found: at most one backup per source.
        limit_hours: maximum allowed age, in hours.
        now: time of the request.
    """

    asked: tuple[str, ...]
    found: tuple[Backup, ...]
    limit_hours: float
    now: datetime

    @property
    def newest(self) -> Backup | None:
        """The newest backup; None if there is none."""
        return max(self.found, key=lambda backup: backup.made_at, default=None)

    @property
    def fresh(self) -> bool:
        """Whether the newest backup is within the limit."""
        return self.newest is not None and self.newest.age_hours(self.now) <= self.limit_hours

    def __str__(self) -> str:
        if self.newest is None:
            return f"no backup at all ({', '.join(self.asked)})"
        return f"the newest backup is {self.newest.age_hours(self.now):.1f} h old ({self.newest.source})"


@dataclass(frozen=True, slots=True)
class Connections:
    """The used and the maximum database connections, from one source."""

    source: str
    used: int
    limit: int

    @property
    def enough_for_two(self) -> bool:
        """Whether twice the used number fits: old and new instances run together during a deployment."""
        return 2 * self.used <= self.limit

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} connections are taken ({self.source})"
