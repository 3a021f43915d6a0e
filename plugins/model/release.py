"""A release that is, or was, live: its deploys, and how long ago that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from plugins.model.figures import duration
from plugins.model.hosting import Deploy
from plugins.model.outcomes import Unverified

Span: TypeAlias = tuple[datetime, datetime]
"""From when to when."""


@dataclass(frozen=True, slots=True)
class Release:
    """One commit on both services.

    Attributes:
        deploys: by service; each went live.
        now: when it was looked at.
    """

    deploys: Mapping[str, Deploy]
    now: datetime

    @property
    def began_at(self) -> datetime:
        """When the first of its deploys was begun."""
        return min(deploy.started_at or deploy.created_at for deploy in self.deploys.values())

    @property
    def live_at(self) -> datetime:
        """When the last of its deploys was live."""
        return max(deploy.finished_at or deploy.created_at for deploy in self.deploys.values())

    @property
    def minutes(self) -> float:
        """Since it was begun; at least a second, so that a rate can be made of it."""
        return max((self.now - self.began_at).total_seconds(), 1.0) / 60

    @property
    def hour_before(self) -> Span:
        """The hour before it was begun."""
        return self.began_at - timedelta(hours=1), self.began_at

    def first(self, hours: float) -> Span:
        """The first hours in which it was live, as far as they have passed."""
        return self.live_at, min(self.now, self.live_at + timedelta(hours=hours))

    def last(self, hours: float) -> Span:
        """The hours until now."""
        return self.now - timedelta(hours=hours), self.now

    def after(self, hours: float) -> Release:
        """Itself, once it has been live for so long.

        Raises:
            Unverified: it has not yet.
        """
        due = self.live_at + timedelta(hours=hours)
        if self.now < due:
            raise Unverified(f"due in {duration((due - self.now).total_seconds())}")
        return self
