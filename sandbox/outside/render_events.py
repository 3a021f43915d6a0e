"""Events of the services, in Render's format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.outside.render_deploys import Course, Status, identifier
from sandbox.outside.render_lines import instance_of
from sandbox.outside.render_services import REPOSITORY, SERVICES
from sandbox.outside.world import World

TYPES = frozenset(
    {
        "autoscaling_config_changed",
        "autoscaling_ended",
        "autoscaling_started",
        "branch_deleted",
        "build_ended",
        "build_started",
        "commit_ignored",
        "cron_job_run_ended",
        "cron_job_run_started",
        "deploy_ended",
        "deploy_started",
        "disk_created",
        "disk_updated",
        "disk_deleted",
        "image_pull_failed",
        "initial_deploy_hook_ended",
        "initial_deploy_hook_started",
        "instance_count_changed",
        "job_run_ended",
        "maintenance_mode_enabled",
        "maintenance_mode_uri_updated",
        "maintenance_ended",
        "maintenance_started",
        "pipeline_minutes_exhausted",
        "plan_changed",
        "pre_deploy_ended",
        "pre_deploy_started",
        "server_available",
        "server_failed",
        "server_hardware_failure",
        "server_restarted",
        "service_resumed",
        "service_suspended",
        "suspender_added",
        "suspender_removed",
        "zero_downtime_redeploy_ended",
        "zero_downtime_redeploy_started",
    }
)
"""All event types of Render."""

_ENDINGS = {Status.LIVE: "succeeded", Status.CANCELED: "canceled"}
_CODES = {"succeeded": 2, "failed": 3, "canceled": 4}
"""Values of the deprecated numeric `status`."""

_CRASH = {"evicted": False, "nonZeroExit": 1}
_OUT_OF_MEMORY = {"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}}
_UNHEALTHY = {"evicted": False, "unhealthy": "HTTP health check failed (timed out after 5 seconds)"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event."""

    service: str
    timestamp: datetime
    type: str
    details: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the event in Render's format."""
        return {
            "id": identifier("evt", self.service, self.timestamp, self.type),
            "timestamp": self.timestamp.isoformat(),
            "serviceId": SERVICES[self.service].id,
            "type": self.type,
            "details": self.details,
        }


def happenings(world: World, service: str) -> list[Happening]:
    """Return all events of a service until now, newest first."""
    now = world.now()
    found = [event for deploy in world.deploys(service) for event in _of_deploy(world.course(deploy))]
    if service in world.ignored_by:
        commit = world.commit
        details = {"id": commit.id, "url": f"{REPOSITORY}/commit/{commit.id}"}
        found.append(Happening(service, world.deploy_began_at or now, "commit_ignored", details))
    return sorted(
        (event for event in found if event.timestamp <= now), key=lambda event: event.timestamp, reverse=True
    )


def _of_deploy(course: Course) -> Iterator[Happening]:
    service = course.deploy.service
    yield from _of_build(course)
    deploy = {"deployId": course.deploy.id}
    yield Happening(service, course.began_at, "deploy_started", {**deploy, "trigger": _trigger(course)})
    instance = instance_of(service, course.deploy.id)
    for share, reason in _failures(course):
        details = {"instanceID": instance, "reason": reason}
        yield Happening(service, course.at(share), "server_failed", details)
    if course.ends_at is not None:
        _, last = course.phases()[-1]
        outcome = _ENDINGS.get(last, "failed")
        reason = _reason(course, last) if outcome == "failed" else {}
        ended = {**deploy, "reason": reason, "deployStatus": outcome, "status": _CODES[outcome]}
        yield Happening(service, course.ends_at, "deploy_ended", ended)
    if course.live_at is not None:
        yield Happening(service, course.live_at, "server_available", {})


def _of_build(course: Course) -> Iterator[Happening]:
    service = course.deploy.service
    phases = {status: moment for moment, status in course.phases()}
    begun = phases.get(Status.BUILD_IN_PROGRESS)
    if begun is None:
        return
    build = {"buildId": identifier("bld", course.deploy.id)}
    yield Happening(service, begun, "build_started", {**build, "trigger": _trigger(course)})
    for status, outcome in (
        (Status.UPDATE_IN_PROGRESS, "succeeded"),
        (Status.BUILD_FAILED, "failed"),
    ):
        if status in phases:
            reason = {"failure": _CRASH} if outcome == "failed" else {}
            details = {**build, "reason": reason, "buildStatus": outcome, "status": _CODES[outcome]}
            yield Happening(service, phases[status], "build_ended", details)


def _failures(course: Course) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield the share of the deploy at which an instance failed, and the reason."""
    if course.suffers("crash-loop", "api"):
        yield from ((share, _CRASH) for share in (0.631, 0.651, 0.671))
    if course.suffers("out-of-memory", "api"):
        yield from ((share, _OUT_OF_MEMORY) for share in (0.641, 0.681))
    if course.suffers("health-checks-failing", "api"):
        yield 0.96, _UNHEALTHY


def _reason(course: Course, last: Status) -> dict[str, Any]:
    if last is Status.BUILD_FAILED:
        return {"buildFailed": {"id": identifier("bld", course.deploy.id)}}
    return {"failure": _UNHEALTHY}


def _trigger(course: Course) -> dict[str, Any]:
    deploy = course.deploy
    details: dict[str, Any] = {
        "firstBuild": False,
        "envUpdated": False,
        "manual": deploy.trigger == "api",
        "deployedByRender": False,
        "clearCache": False,
        "rollback": deploy.trigger == "rollback",
    }
    if deploy.trigger == "new_commit":
        details["newCommit"] = deploy.commit.id
    if deploy.rolls_back_to:
        details["rollbackTargetDeployId"] = deploy.rolls_back_to
    return details
