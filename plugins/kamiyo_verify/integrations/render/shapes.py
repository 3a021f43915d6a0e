"""Shapes of Render's answers: camelCase fields parsed directly into host-neutral types.

Unknown fields are allowed. Source: api-docs.render.com; recorded answers contain null where the reference
does not document it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from kamiyo_verify.model.hosting.data import Shape
from kamiyo_verify.model.hosting.services import (
    Deploy,
    DeployedCommit,
    Event,
    EventDetails,
    Failure,
    OutOfMemory,
    Text,
    empty_if_null,
)
from kamiyo_verify.model.outside.shapes import Whole


class Commands(Shape):
    """Build and start commands of a service; "" if its image defines them."""

    build_command: Text = ""
    start_command: Text = ""
    pre_deploy_command: Text = ""


class MaintenanceMode(Shape):
    """Whether Render answers requests itself, with 503. Source: render.com/docs/maintenance-mode."""

    enabled: bool = False


class ServiceDetails(Shape):
    """Settings of a service. `url` is Render's own address of it; workers have none."""

    url: Text = ""
    health_check_path: Text = ""
    num_instances: Whole | None = None
    plan: Text = ""
    region: Text = ""
    runtime: Text = ""
    maintenance_mode: Annotated[MaintenanceMode, BeforeValidator(empty_if_null)] = MaintenanceMode()
    env_specific_details: Annotated[Commands, BeforeValidator(empty_if_null)] = Commands()


class Service(Shape):
    """One service."""

    id: str
    name: str
    type: str
    auto_deploy: bool
    auto_deploy_trigger: Text = ""
    branch: str | None = None
    repo: str | None = None
    owner_id: str
    dashboard_url: str
    suspended: str
    root_dir: Text = ""
    service_details: ServiceDetails

    @property
    def trigger(self) -> str:
        """What deploys automatically: "commit", "checksPass", "off"; "" if Render tells only on or off."""
        return self.auto_deploy_trigger

    @property
    def as_patch(self) -> str:
        """The body that sets auto-deploy to what it is now."""
        if self.auto_deploy_trigger:
            return f'{{"autoDeployTrigger": "{self.auto_deploy_trigger}"}}'
        return '{"autoDeploy": "yes"}' if self.auto_deploy else '{"autoDeploy": "no"}'

    @property
    def is_suspended(self) -> bool:
        """It does not run: a person, or the billing, suspended it."""
        return self.suspended != "not_suspended"


class RenderCommit(Shape, DeployedCommit):
    """The commit of a deploy."""


class RenderDeploy(Shape, Deploy):
    """One deploy."""

    commit: RenderCommit | None = None


class _OutOfMemory(Shape, OutOfMemory):
    pass


class _Failure(Shape, Failure):
    oom_killed: _OutOfMemory | None = None


class _Details(Shape, EventDetails):
    instance_id: Text = Field(default="", alias="instanceID")
    commit_id: Text = Field(default="", alias="id")


class RenderEvent(Shape, Event):
    """One event."""

    details: Annotated[_Details, BeforeValidator(empty_if_null)] = _Details()
    failure: _Failure | None = None

    @model_validator(mode="before")
    @classmethod
    def _reason(cls, answer: Any) -> Any:
        """Read the reason from the details: for ended deploys one level deeper than for `server_failed`."""
        match answer:
            case {"type": "server_failed", "details": {"reason": failure}}:
                return {**answer, "failure": failure}
            case {"details": {"reason": {"failure": failure}}}:
                return {**answer, "failure": failure}
        return answer
