"""What happened to a Deployment: failed and restarted containers, pods that cannot start, cluster events.

A pod keeps only the last end of each container, and a cluster keeps its events for an hour by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from kamiyo_verify.integrations.kubernetes.revisions import Revision
from kamiyo_verify.integrations.kubernetes.rollout import PROGRESSING, TOO_LATE, condition
from kamiyo_verify.model.hosting.services import Event, EventDetails, Failure, OutOfMemory
from kamiyo_verify.model.writing.text import cut

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Event, V1ContainerStatus, V1Deployment, V1Pod

_CANNOT_START = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons of a waiting container that do not pass by waiting; ContainerCreating and PodInitializing do."""

_FAILED = frozenset({"Evicted", "FailedCreate", "FailedMount", "FailedScheduling", "NodeNotReady"})
"""Reasons of warnings after which a pod does not run. Kubelet's BackOff repeats what its container tells."""

_LIVENESS = "Liveness probe failed"
"""A failed liveness probe restarts a container; readiness and startup probes fail in every normal start."""


def of_pods(pods: Iterable[V1Pod], service_id: str, now: datetime) -> Iterator[Event]:
    """Yield an event for each container that ended, was restarted, or cannot start, and for evicted pods.

    Args:
        pods: of the Deployment.
        service_id: the Deployment's id.
        now: the time of what goes on, such as a container that waits.
    """
    for pod in pods:
        status, name = pod.status, (pod.metadata.name if pod.metadata else None) or ""
        if status is None:
            continue
        if status.reason == "Evicted":
            failure = Failure(evicted=True, reason=_short(status.message))
            yield _event(f"{name}/evicted", now, service_id, "server_failed", name, failure)
        for one in (*(status.init_container_statuses or ()), *(status.container_statuses or ())):
            event = _of_container(pod, name, one, service_id, now)
            if event is not None:
                yield event


def of_cluster(
    events: Iterable[CoreV1Event], names: frozenset[str], revisions: Iterable[Revision], service_id: str
) -> Iterator[Event]:
    """Yield the cluster's events about the Deployment, its ReplicaSets and its pods, even if these are gone.

    Args:
        events: of the namespace.
        names: of the Deployment and its pods.
        revisions: of the Deployment; their pods are named after their ReplicaSets.
        service_id: the Deployment's id.
    """
    sets = [one.replica_set.metadata.name for one in revisions if one.replica_set.metadata]
    for one in events:
        name = (one.involved_object.name if one.involved_object else None) or ""
        ours = name in names or any(name == each or name.startswith(f"{each}-") for each in sets)
        at = one.last_timestamp or one.event_time or one.first_timestamp
        if not ours or at is None:
            continue
        reason, message = one.reason or "", _short(one.message)
        kind, failure = f"kubernetes_{reason or 'event'}", None
        if reason == "Unhealthy" and message.startswith(_LIVENESS):
            kind, failure = "server_failed", Failure(unhealthy=message)
        elif reason in _FAILED:
            failure = Failure(evicted=reason == "Evicted", reason=f"{reason}: {message}")
            kind = "server_failed"
        uid = (one.metadata.uid if one.metadata else None) or f"{name}/{reason}"
        yield _event(uid, at, service_id, kind, name, failure)


def of_rollout(deployment: V1Deployment, newest: Revision | None, service_id: str) -> Iterator[Event]:
    """Yield the end of the newest rollout, if it exceeded its deadline."""
    progressing = condition(deployment, PROGRESSING)
    if newest is None or progressing is None or progressing.reason != TOO_LATE:
        return
    if progressing.last_update_time is None:
        return
    deadline = deployment.spec.progress_deadline_seconds
    failure = Failure(
        timed_out_seconds=600 if deadline is None else deadline, timed_out_reason=_short(progressing.message)
    )
    details = EventDetails(deploy_id=str(newest.number), deploy_status="update_failed")
    yield Event(
        id=f"{service_id}/{newest.number}/deadline",
        timestamp=progressing.last_update_time,
        service_id=service_id,
        type="deploy_ended",
        details=details,
        failure=failure,
    )


def _of_container(
    pod: V1Pod, pod_name: str, status: V1ContainerStatus, service_id: str, now: datetime
) -> Event | None:
    state, last = status.state, status.last_state
    waiting = state.waiting if state else None
    ended = (state.terminated if state else None) or (last.terminated if last else None)
    stuck = waiting is not None and (waiting.reason or "") in _CANNOT_START
    restarts = status.restart_count or 0
    if ended is not None and ended.reason == "Completed" and not restarts:
        return None  # an init container that is done
    if ended is None and not stuck:
        return None
    reason = f"{waiting.reason}: {_short(waiting.message)}".rstrip(": ") if stuck and waiting else ""
    if restarts:
        reason = ", ".join(
            filter(None, (reason, f"restarted {restarts} {'time' if restarts == 1 else 'times'}"))
        )
    failure = Failure(
        oom_killed=OutOfMemory(memory_limit=_memory_limit(pod, status.name))
        if ended and ended.reason == "OOMKilled"
        else None,
        non_zero_exit=(ended.exit_code or None) if ended else None,
        reason=f"{status.name}: {reason}" if reason else "",
    )
    at = now if stuck or ended is None or ended.finished_at is None else ended.finished_at
    well = ended is not None and not ended.exit_code and not stuck
    kind = "server_restarted" if well else "server_failed"
    return _event(f"{pod_name}/{status.name}/{restarts}", at, service_id, kind, pod_name, failure)


def _memory_limit(pod: V1Pod, container: str) -> str:
    containers = pod.spec.containers if pod.spec else []
    found = next((one for one in containers if one.name == container), None)
    limits = found.resources.limits if found and found.resources else None
    return str((limits or {}).get("memory", ""))


def _event(uid: str, at: datetime, service_id: str, kind: str, pod: str, failure: Failure | None) -> Event:
    details = EventDetails(instance_id=pod)
    return Event(id=uid, timestamp=at, service_id=service_id, type=kind, details=details, failure=failure)


def _short(message: str | None) -> str:
    return cut(" ".join((message or "").split()), 200)
