"""A release that is or was live: its deploys and its age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.services import Deploy
from kamiyo_verify.model.outcomes import NotApplicable, Unverified

Span: TypeAlias = tuple[datetime, datetime]
"""From when to when."""


@dataclass(frozen=True, slots=True)
class Release:
    """One commit on the services that have a deploy of it.

    Attributes:
        deploys: deploys by service; each went live.
        now: time of the observation.
    """

    deploys: Mapping[str, Deploy]
    now: datetime

    def deploy(self, service: str) -> Deploy:
        """Return the deploy of a service.

        Raises:
            NotApplicable: the commit was not deployed to it.
        """
        if service not in self.deploys:
            raise NotApplicable(f"this release did not deploy {service}")
        return self.deploys[service]

    @property
    def began_at(self) -> datetime:
        """When the first of its deploys began."""
        return min(deploy.started_at or deploy.created_at for deploy in self.deploys.values())

    @property
    def live_at(self) -> datetime:
        """When the last of its deploys went live."""
        return max(deploy.finished_at or deploy.created_at for deploy in self.deploys.values())

    @property
    def minutes(self) -> float:
        """Minutes since it began; at least one second, so that it can divide a rate."""
        return max((self.now - self.began_at).total_seconds(), 1.0) / 60

    @property
    def hour_before(self) -> Span:
        """The hour before it began."""
        return self.began_at - timedelta(hours=1), self.began_at

    def first(self, hours: float) -> Span:
        """Return the span of its first hours live, as far as they have passed."""
        return self.live_at, min(self.now, self.live_at + timedelta(hours=hours))

    def last(self, hours: float) -> Span:
        """Return the span of the last hours until now."""
        return self.now - timedelta(hours=hours), self.now

    def after(self, hours: float) -> Release:
        """Return itself if it has been live for so many hours.

        Raises:
            Unverified: it has not been live that long.
        """
        due = self.live_at + timedelta(hours=hours)
        if self.now < due:
            raise Unverified(f"due in {duration((due - self.now).total_seconds())}")
        return self
