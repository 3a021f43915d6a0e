"""The JSON Patch that goes back to an earlier revision, as `kubectl rollout undo` sends it.

Source: DeploymentRollbacker.Rollback in k8s.io/kubectl/pkg/polymorphichelpers/rollback.go. The pod template
and the annotations of the Deployment come back; replicas, strategy, ConfigMaps and Secrets stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from kamiyo_verify.integrations.kubernetes.revisions import EARLIER_REVISIONS, REVISION

_HASH = "pod-template-hash"
_KEPT = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    EARLIER_REVISIONS,
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)
"""Annotations that stay with the Deployment and do not come back from a ReplicaSet."""


class NothingToUndo(Exception):
    """The rollback would change nothing, or must not be sent; the message says why."""


def undo(deployment: Mapping[str, Any], replica_set: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the operations that give a Deployment the pod template of one of its ReplicaSets.

    The first operation tests that the template is still the one that was read; if not, nothing is applied.

    Args:
        deployment: as the server sent it, with every field, so that none is lost.
        replica_set: the same.

    Raises:
        NothingToUndo: the Deployment is paused, or has that template already.
    """
    if deployment["spec"].get("paused"):
        raise NothingToUndo(
            "the Deployment is paused, so no rollout would begin: kubectl rollout resume, then again"
        )
    template = deepcopy(replica_set["spec"]["template"])
    labels = template.get("metadata", {}).get("labels", {})
    labels.pop(_HASH, None)
    current = deployment["spec"]["template"]
    if current == template:
        raise NothingToUndo("the Deployment has the pod template of that revision already")
    annotations = deployment["metadata"].get("annotations") or {}
    restored = replica_set["metadata"].get("annotations") or {}
    wanted = {key: value for key, value in annotations.items() if key in _KEPT}
    wanted |= {key: value for key, value in restored.items() if key not in _KEPT}
    return [
        {"op": "test", "path": "/spec/template", "value": current},
        {"op": "replace", "path": "/spec/template", "value": template},
        # "add" also replaces, and a Deployment without annotations has nothing to replace.
        {"op": "add", "path": "/metadata/annotations", "value": wanted},
    ]
