"""Judge a rollout as `kubectl rollout status` does.

Source: DeploymentStatusViewer.Status in k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubernetes.client import V1Deployment, V1DeploymentCondition

PROGRESSING = "Progressing"
COMPLETE = "NewReplicaSetAvailable"
"""Reason of the condition Progressing once the new ReplicaSet was completely available."""
TOO_LATE = "ProgressDeadlineExceeded"


class Progress(StrEnum):
    """How far a rollout is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout and its progress in words."""

    progress: Progress
    message: str


def condition(deployment: V1Deployment, kind: str) -> V1DeploymentCondition | None:
    """Return a Deployment's condition of that type; None if it has none."""
    conditions = (deployment.status.conditions if deployment.status else None) or []
    return next((one for one in conditions if one.type == kind), None)


def replicas_wanted(deployment: V1Deployment) -> int:
    """Return the number of pods that a Deployment asks for; the API's default is 1."""
    return 1 if deployment.spec.replicas is None else deployment.spec.replicas


def is_observed(deployment: V1Deployment) -> bool:
    """Return whether the status is about the current specification, not about an earlier one."""
    generation = (deployment.metadata.generation if deployment.metadata else 0) or 0
    observed = (deployment.status.observed_generation if deployment.status else 0) or 0
    return generation <= observed


def rollout_of(deployment: V1Deployment) -> Rollout:
    """Return the progress of a Deployment's rollout."""
    status = deployment.status
    if status is None or not is_observed(deployment):
        return Rollout(Progress.WAITING, "the change of the Deployment has not been observed yet")
    progressing = condition(deployment, PROGRESSING)
    if progressing is not None and progressing.reason == TOO_LATE:
        return Rollout(Progress.FAILED, "the rollout exceeded its progress deadline")
    wanted, updated = replicas_wanted(deployment), status.updated_replicas or 0
    existing, available = status.replicas or 0, status.available_replicas or 0
    if updated < wanted:
        return Rollout(Progress.WAITING, f"{updated} of {wanted} new replicas have been updated")
    if existing > updated:
        return Rollout(Progress.WAITING, f"{existing - updated} old replicas are pending termination")
    if available < updated:
        return Rollout(Progress.WAITING, f"{available} of {updated} updated replicas are available")
    return Rollout(Progress.DONE, "successfully rolled out")
