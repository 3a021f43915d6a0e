"""Host-neutral types: deploys, the state of a service, and events.

An adapter maps a host's own answers to these types (for Render: `integrations/render/shapes.py`). The deploy
status is a closed enum: a deploy of unknown status must not be judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.outside.shapes import Moment

ROLLBACK = "rollback"
"""The trigger of a deploy that restores an earlier build."""


class Neutral(BaseModel):
    """Frozen data; an adapter may parse its host's answers into a subclass with the host's field names."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


def _blank_if_null(value: object) -> object:
    return "" if value is None else value


def empty_if_null(value: object) -> object:
    """Return an empty table instead of null."""
    return {} if value is None else value


Text = Annotated[str, BeforeValidator(_blank_if_null)]
"""Text that a host may send as null, which becomes ""."""


class DeployStatus(StrEnum):
    """The status of a deploy."""

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

    @property
    def in_progress(self) -> bool:
        """Whether it has not ended."""
        return self in {
            DeployStatus.CREATED,
            DeployStatus.QUEUED,
            DeployStatus.BUILD_IN_PROGRESS,
            DeployStatus.PRE_DEPLOY_IN_PROGRESS,
            DeployStatus.UPDATE_IN_PROGRESS,
        }

    @property
    def succeeded(self) -> bool:
        """Whether it is live, or was until another deploy replaced it."""
        return self in {DeployStatus.LIVE, DeployStatus.DEACTIVATED}

    @property
    def failed(self) -> bool:
        """Whether it ended without going live, unintentionally."""
        return self in {
            DeployStatus.BUILD_FAILED,
            DeployStatus.PRE_DEPLOY_FAILED,
            DeployStatus.UPDATE_FAILED,
        }


class DeployedCommit(Neutral):
    """The commit of a deploy."""

    id: str
    message: Text = ""
    created_at: Moment | None = None


class Deploy(Neutral):
    """One deploy of one service; without a commit if an image was deployed.

    Attributes:
        trigger: what started it; `ROLLBACK` for one that restores an earlier build.
        created_at: when it was requested.
        finished_at: when it went live, or failed.
    """

    id: str
    commit: DeployedCommit | None = None
    status: DeployStatus
    trigger: str | None = None
    created_at: Moment
    started_at: Moment | None = None
    finished_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def commit_id(self) -> str:
        """Its full commit id, or ""."""
        return self.commit.id if self.commit else ""

    @property
    def is_rollback(self) -> bool:
        """Whether it restores an earlier build."""
        return self.trigger == ROLLBACK

    def is_of(self, commit: str) -> bool:
        """Return whether it deploys that commit, given by its full id or at least its first 7 characters."""
        return len(commit) >= 7 and bool(self.commit_id) and same_commit(self.commit_id, commit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """The state of one service at its host, at one time.

    Attributes:
        service: its name in the environment.
        id: its id at the host.
        name: its name at the host, such as "kamiyo-api".
        dashboard: URL of its dashboard page.
        api: its URL at the host's API.
        calls: the API calls that roll it back, in order; "{deploy}" stands for the target.
        auto_deploy: whether a push is deployed automatically.
        suspended: whether it does not run at all.
        deploys: all deploys that the host lists, newest first.
        host: the host's name in messages.
        auto_deploy_trigger: what deploys automatically, in the host's own words, such as "checksPass"; "" if
            the host does not say.
        resume: the call that switches auto-deploy back to what it is now; "" if it is off, or has no call.
        caveats: what a rollback at this host does not bring back, one sentence each.
        maintenance: whether the host answers every request itself, with 503, because somebody wants it so.
        builds_kept: how many of the newest builds can be gone back to; 0 if it is not known.
        redeploy: the call that builds and deploys a commit; "{commit}" stands for it.
    """

    service: str
    id: str
    name: str
    dashboard: str
    api: str
    calls: tuple[str, ...] = ()
    auto_deploy: bool
    suspended: bool
    deploys: tuple[Deploy, ...]
    host: str = "the host"
    auto_deploy_trigger: str = ""
    resume: str = ""
    caveats: tuple[str, ...] = ()
    maintenance: bool = False
    builds_kept: int = 0
    redeploy: str = ""

    @property
    def live(self) -> Deploy | None:
        """The live deploy; None if there is none."""
        return next((one for one in self.deploys if one.status is DeployStatus.LIVE), None)

    def deploy(self, deploy_id: str) -> Deploy | None:
        """Return one of its deploys; None if the host lists none with that id."""
        return next((one for one in self.deploys if one.id == deploy_id), None)

    def deploy_of(self, commit: str) -> Deploy | None:
        """Return the newest deploy of a commit; None if there is none."""
        return next((one for one in self.deploys if one.is_of(commit)), None)

    def calls_to(self, deploy_id: str) -> tuple[str, ...]:
        """Return the API calls that roll it back to that deploy."""
        return tuple(call.replace("{deploy}", deploy_id) for call in self.calls)


class OutOfMemory(Neutral):
    """An instance was killed because of its memory use."""

    memory_limit: Text = ""


class Failure(Neutral):
    """Why an instance, a build or a deploy failed; `reason` is the host's own word, with its explanation."""

    evicted: bool = False
    non_zero_exit: int | None = None
    early_exit: bool = False
    oom_killed: OutOfMemory | None = None
    timed_out_seconds: int | None = None
    timed_out_reason: Text = ""
    unhealthy: str | None = None
    reason: Text = ""

    @property
    def of_health(self) -> bool:
        """Whether it never passed its health check, or stopped passing it."""
        return self.unhealthy is not None or self.timed_out_seconds is not None

    def __str__(self) -> str:
        reasons = []
        if self.oom_killed:
            reasons.append(f"killed for its memory (limit {self.oom_killed.memory_limit or 'not known'})")
        if self.unhealthy is not None:
            reasons.append(f"unhealthy: {self.unhealthy}")
        if self.non_zero_exit is not None:
            reasons.append(f"exited with status {self.non_zero_exit}")
        if self.timed_out_seconds is not None:
            reasons.append(f"timed out after {self.timed_out_seconds} s {self.timed_out_reason}".rstrip())
        reasons += ["exited early"] * self.early_exit + ["evicted"] * self.evicted
        reasons += [self.reason] * bool(self.reason)
        return ", ".join(reasons) or "for a reason not given"


class EventDetails(Neutral):
    """The details of an event; which fields are set depends on its type.

    Attributes:
        commit_id: for "commit_ignored": the commit that the host did not deploy.
    """

    deploy_id: Text = ""
    deploy_status: Text = ""
    build_status: Text = ""
    instance_id: Text = ""
    commit_id: Text = ""


class Event(Neutral):
    """Something that happened to a service.

    Attributes:
        service_id: the service's id at the host.
        type: "deploy_ended", "server_failed", "server_restarted", "commit_ignored" …
        failure: the cause, if something failed.
    """

    id: str
    timestamp: Moment
    service_id: str
    type: str
    details: Annotated[EventDetails, BeforeValidator(empty_if_null)] = EventDetails()
    failure: Failure | None = None
