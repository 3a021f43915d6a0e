"""What Render knows of what we run there: services, deploys, and what happened to them.

Names are Render's own in snake case. A deploy's status is closed: one of unknown status must not be judged.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from plugins.model.platform import Moment


class Shape(BaseModel):
    """What all answers of Render have in common: camelCase there, snake_case here, unknown fields welcome."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


def _blank_if_null(value: object) -> object:
    return "" if value is None else value


def _empty_if_null(value: object) -> object:
    return {} if value is None else value


Text = Annotated[str, BeforeValidator(_blank_if_null)]
"""What Render sends as null where it has nothing to say."""


class DeployStatus(StrEnum):
    """Where a deploy is."""

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
        """It has not come to an end."""
        return self in {
            DeployStatus.CREATED,
            DeployStatus.QUEUED,
            DeployStatus.BUILD_IN_PROGRESS,
            DeployStatus.PRE_DEPLOY_IN_PROGRESS,
            DeployStatus.UPDATE_IN_PROGRESS,
        }

    @property
    def succeeded(self) -> bool:
        """It serves, or did until another replaced it."""
        return self in {DeployStatus.LIVE, DeployStatus.DEACTIVATED}

    @property
    def failed(self) -> bool:
        """It ended without ever serving, and nobody wanted that."""
        return self in {
            DeployStatus.BUILD_FAILED,
            DeployStatus.PRE_DEPLOY_FAILED,
            DeployStatus.UPDATE_FAILED,
        }


class Commands(Shape):
    """How a service is built and started; "" where an image says so."""

    build_command: Text = ""
    start_command: Text = ""
    pre_deploy_command: Text = ""


class ServiceDetails(Shape):
    """How a service is set up. `url` is Render's own address of it; workers have none."""

    url: Text = ""
    health_check_path: Text = ""
    num_instances: int | None = None
    plan: Text = ""
    region: Text = ""
    runtime: Text = ""
    env_specific_details: Annotated[Commands, BeforeValidator(_empty_if_null)] = Commands()


class Service(Shape):
    """One service."""

    id: str
    name: str
    type: str
    auto_deploy: bool
    branch: str | None = None
    repo: str | None = None
    owner_id: str
    dashboard_url: str
    suspended: str
    root_dir: Text = ""
    service_details: ServiceDetails

    @property
    def is_suspended(self) -> bool:
        """It does not run, as somebody or the billing stopped it."""
        return self.suspended != "not_suspended"


class DeployedCommit(Shape):
    """The commit of a deploy."""

    id: str
    message: Text = ""
    created_at: Moment | None = None


class Deploy(Shape):
    """One deploy of one service; without a commit where an image was deployed."""

    id: str
    commit: DeployedCommit | None = None
    status: DeployStatus
    trigger: str | None = None
    created_at: Moment
    started_at: Moment | None = None
    finished_at: Moment | None = None
    updated_at: Moment | None = None

    def is_of(self, commit: str) -> bool:
        """It deploys that commit, given whole or by at least seven characters of its beginning."""
        short, own = commit.lower(), (self.commit.id if self.commit else "").lower()
        return len(short) >= 7 and own.startswith(short)


class OutOfMemory(Shape):
    """An instance was killed for its memory."""

    memory_limit: Text = ""


class Failure(Shape):
    """Why an instance, a build or a deploy failed."""

    evicted: bool = False
    non_zero_exit: int | None = None
    early_exit: bool = False
    oom_killed: OutOfMemory | None = None
    timed_out_seconds: int | None = None
    timed_out_reason: Text = ""
    unhealthy: str | None = None

    @property
    def of_health(self) -> bool:
        """It never passed its health check, or did no more."""
        return self.unhealthy is not None or self.timed_out_seconds is not None

    def __str__(self) -> str:
        told = []
        if self.oom_killed:
            told.append(f"killed for its memory (limit {self.oom_killed.memory_limit})")
        if self.unhealthy is not None:
            told.append(f"unhealthy: {self.unhealthy}")
        if self.non_zero_exit is not None:
            told.append(f"exited with status {self.non_zero_exit}")
        if self.timed_out_seconds is not None:
            told.append(f"timed out after {self.timed_out_seconds} s {self.timed_out_reason}".rstrip())
        told += ["exited early"] * self.early_exit + ["evicted"] * self.evicted
        return ", ".join(told) or "for a reason not given"


class EventDetails(Shape):
    """What an event tells; which of these it tells depends on its type."""

    deploy_id: Text = ""
    deploy_status: Text = ""
    build_status: Text = ""
    instance_id: Text = Field(default="", alias="instanceID")


class Event(Shape):
    """Something that happened to a service.

    Attributes:
        type: "deploy_ended", "server_failed", "server_restarted" …
        failure: why, where something failed.
    """

    id: str
    timestamp: Moment
    service_id: str
    type: str
    details: Annotated[EventDetails, BeforeValidator(_empty_if_null)] = EventDetails()
    failure: Failure | None = None

    @model_validator(mode="before")
    @classmethod
    def _why(cls, told: Any) -> Any:
        """Render says why within the details: of `server_failed` directly, of endings one step deeper."""
        match told:
            case {"type": "server_failed", "details": {"reason": failure}}:
                return {**told, "failure": failure}
            case {"details": {"reason": {"failure": failure}}}:
                return {**told, "failure": failure}
        return told
