"""The commit of a revision, from the place that [kubernetes] commit declares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

if TYPE_CHECKING:
    from kubernetes.client import V1Container, V1ReplicaSet

    from kamiyo_verify.integrations.kubernetes.settings import Kubernetes


def commit_of(replica_set: V1ReplicaSet, table: Kubernetes) -> str:
    """Return the commit of a ReplicaSet's pods; "" if the declared place does not name one.

    Raises:
        NoAnswer: UNUSABLE, the declared container is not one of the pod's, or none is and it has several.
    """
    source, template = table.commit, replica_set.spec.template
    told = template.metadata if template else None
    text = ""
    if source.label:
        text = ((told.labels if told else None) or {}).get(source.label, "")
    elif source.annotation:
        # A ReplicaSet carries the annotations that its Deployment had.
        own = (replica_set.metadata.annotations if replica_set.metadata else None) or {}
        text = {**own, **((told.annotations if told else None) or {})}.get(source.annotation, "")
    else:
        containers = template.spec.containers if template and template.spec else []
        tag, digest = parts_of(_container(containers, table.container).image or "")
        text = tag if source.image == "tag" else digest
    if not source.pattern:
        return text.strip()
    found = re.search(source.pattern, text)
    return (found[1] or "").strip() if found else ""


def parts_of(image: str) -> tuple[str, str]:
    """Return the tag and the digest of an image's name, without "sha256:"; "" for what it does not have."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag, digest.partition(":")[2]


def _container(containers: list[V1Container], wanted: str) -> V1Container:
    names = [one.name for one in containers]
    if not wanted and len(containers) == 1:
        return containers[0]
    if not wanted:
        message = f"the pod has the containers {', '.join(names)}: name one in [kubernetes] container"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message)
    found = next((one for one in containers if one.name == wanted), None)
    if found is None:
        message = f"[kubernetes] container is {wanted}, and the pod has {', '.join(names) or 'none'}"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message)
    return found
