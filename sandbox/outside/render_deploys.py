"""Deploys and their progress, as a pure function of time and faults, without background tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox.faults import Faults

CUT_AT = 0.7
"""The share of a deploy at which instances are switched; downtime, if any, begins here."""

_BUILD_AT = 0.05
_BUILD_FAILS_AT = 0.5
_UPDATE_AT = 0.6


class Status(StrEnum):
    """Render's statuses of a deploy."""

    CREATED = "created"
    QUEUED = "queued"
    BUILD_IN_PROGRESS = "build_in_progress"
    PRE_DEPLOY_IN_PROGRESS = "pre_deploy_in_progress"
    UPDATE_IN_PROGRESS = "update_in_progress"
    LIVE = "live"
    DEACTIVATED = "deactivated"
    BUILD_FAILED = "build_failed"
    PRE_DEPLOY_FAILED = "pre_deploy_failed"
    UPDATE_FAILED = "update_failed"
    CANCELED = "canceled"


ENDED = frozenset(
    {
        Status.LIVE,
        Status.DEACTIVATED,
        Status.BUILD_FAILED,
        Status.PRE_DEPLOY_FAILED,
        Status.UPDATE_FAILED,
        Status.CANCELED,
    }
)


def identifier(prefix: str, *seed: object) -> str:
    """Return an id like Render's, with 20 characters after the prefix; the same seed gives the same id."""
    return f"{prefix}-{hashlib.sha256(repr(seed).encode()).hexdigest()[:20]}"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the platform's code."""

    id: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy as it was requested.

    Attributes:
        service: "api" and so on; see render_services.
        lasts_s: seconds from its beginning until it is live, if nothing fails.
        nth: how many newer deploys there were when the scene was set.
        under_test: faults act on this deploy.
        waits_until: the end of another deploy of the service; this one is queued until then.
        rolls_back_to: the id of the deploy whose build it restores.
        withheld_by: faults that each remove this deploy.
        only_under: a fault without which this deploy does not exist.
    """

    id: str
    service: str
    commit: Commit
    trigger: str
    created_at: datetime
    lasts_s: float
    nth: int = 0
    under_test: bool = False
    waits_until: datetime | None = None
    canceled_at: datetime | None = None
    rolls_back_to: str = ""
    withheld_by: tuple[str, ...] = ()
    only_under: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """The progress of a deploy under the active faults."""

    deploy: Deploy
    faults: Faults
    downtime_s: float

    @property
    def began_at(self) -> datetime:
        """When the deploy left the queue."""
        return self.deploy.waits_until or self.deploy.created_at

    @property
    def downtime(self) -> timedelta:
        """How long the service is unavailable during the deploy."""
        away = self.deploy.under_test and "downtime-40s" in self.faults
        return timedelta(seconds=self.downtime_s if away else 0)

    def at(self, share: float) -> datetime:
        """Return the time at which this share of the deploy is done."""
        pause = self.downtime if share > CUT_AT else timedelta()
        return self.began_at + timedelta(seconds=share * self.deploy.lasts_s) + pause

    def suffers(self, fault: str, service: str) -> bool:
        """Whether this is the service's deploy under test, and the fault is active."""
        return self.deploy.under_test and self.deploy.service == service and fault in self.faults

    @property
    def fails_to_build(self) -> bool:
        """Whether the build fails."""
        earlier = not self.deploy.under_test and self.deploy.nth % 3 == 2
        return self.suffers("build-failed", "frontend") or (earlier and "deployments-failing" in self.faults)

    def phases(self) -> list[tuple[datetime, Status]]:
        """Return each status with its start time; `live` stays live until the world replaces it."""
        phases = list(self._planned())
        canceled_at = self.deploy.canceled_at
        if canceled_at is not None:
            phases = [phase for phase in phases if phase[0] < canceled_at]
            phases.append((canceled_at, Status.CANCELED))
        return phases

    def status(self, now: datetime) -> Status:
        """Return the status at this time."""
        return next((status for moment, status in reversed(self.phases()) if moment <= now), Status.CREATED)

    def changed_at(self, now: datetime) -> datetime:
        """Return when the status of this time began."""
        return max((moment for moment, _ in self.phases() if moment <= now), default=self.deploy.created_at)

    @property
    def ends_at(self) -> datetime | None:
        """When it is live, failed or cancelled; None if it never ends."""
        moment, status = self.phases()[-1]
        return moment if status in ENDED else None

    @property
    def live_at(self) -> datetime | None:
        """When it goes live; None if it never does."""
        moment, status = self.phases()[-1]
        return moment if status is Status.LIVE else None

    def _planned(self) -> Iterator[tuple[datetime, Status]]:
        waits = self.deploy.waits_until is not None
        yield self.deploy.created_at, Status.QUEUED if waits else Status.CREATED
        if self.deploy.trigger != "rollback":  # a rollback reuses the old build
            yield self.at(_BUILD_AT), Status.BUILD_IN_PROGRESS
            if self.fails_to_build:
                yield self.at(_BUILD_FAILS_AT), Status.BUILD_FAILED
                return
        yield self.at(_UPDATE_AT), Status.UPDATE_IN_PROGRESS
        if self.suffers("health-checks-failing", "api"):
            yield self.at(1), Status.UPDATE_FAILED
        elif not self.suffers("deploy-stuck", "frontend"):
            yield self.at(1), Status.LIVE
