"""Tools that put a Deployment back to what a repository says, so that a rollback does not last.

Sources: argo-cd.readthedocs.io, "Resource Tracking"; fluxcd.io, "Kustomization" and "Helm Release".
"""

from __future__ import annotations

from collections.abc import Mapping

_ARGO_CD = "argocd.argoproj.io/tracking-id"
_FLUX = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")
_FLUX_PAUSED = "kustomize.toolkit.fluxcd.io/reconcile"


def manager_of(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """Return the tool that manages a Deployment by its labels and annotations; "" if none is known."""
    if _ARGO_CD in annotations:
        return "Argo CD"
    paused = annotations.get(_FLUX_PAUSED) == "disabled"
    return "Flux" if not paused and any(label in labels for label in _FLUX) else ""
