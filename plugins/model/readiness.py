"""What a deployment needs to find ready: a backup, and room for the second set of instances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Backup:
    """The latest moment that one source can bring the database back to.

    Attributes:
        source: whose backup it is.
        made_at: aware.
    """

    source: str
    made_at: datetime

    def age_hours(self, now: datetime) -> float:
        """Hours since then."""
        return (now - self.made_at).total_seconds() / 3600


@dataclass(frozen=True, slots=True)
class Backups:
    """What every source that was asked has.

    Attributes:
        asked: the sources, also those that have nothing.
        found: at most one backup a source.
        limit_hours: the age that is still allowed.
        now: the moment at which they were asked.
    """

    asked: tuple[str, ...]
    found: tuple[Backup, ...]
    limit_hours: float
    now: datetime

    @property
    def newest(self) -> Backup | None:
        """The youngest of all; None where there is none."""
        return max(self.found, key=lambda backup: backup.made_at, default=None)

    @property
    def fresh(self) -> bool:
        """The youngest is within the limit."""
        return self.newest is not None and self.newest.age_hours(self.now) <= self.limit_hours

    def __str__(self) -> str:
        if self.newest is None:
            return f"no backup at all ({', '.join(self.asked)})"
        return f"the newest backup is {self.newest.age_hours(self.now):.1f} h old ({self.newest.source})"


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections to the database are taken, by one source, and how many there can be."""

    source: str
    used: int
    limit: int

    @property
    def enough_for_two(self) -> bool:
        """As many again fit: during a deployment the old and the new instances run side by side."""
        return 2 * self.used <= self.limit

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} connections are taken ({self.source})"
