"""Write a Deployment's selector as the API's label selector.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/labels, "Label selectors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubernetes.client import V1Deployment

_SETS = {"In": "in", "NotIn": "notin"}


def selector_of(deployment: V1Deployment) -> str:
    """Return the selector of a Deployment's pods and ReplicaSets, such as "app=notes,tier in (web)"."""
    selector = deployment.spec.selector
    parts = [f"{key}={value}" for key, value in (selector.match_labels or {}).items()]
    for one in selector.match_expressions or ():
        if one.operator in _SETS:
            parts.append(f"{one.key} {_SETS[one.operator]} ({','.join(one.values or ())})")
        else:
            parts.append(one.key if one.operator == "Exists" else f"!{one.key}")
    return ",".join(parts)
