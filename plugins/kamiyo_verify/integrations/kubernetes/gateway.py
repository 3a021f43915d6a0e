"""Changes of Deployments, for rollbacks: each ends as accepted, refused or of unknown result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.kubernetes.client import Cluster, Place
from kamiyo_verify.integrations.kubernetes.gitops import manager_of
from kamiyo_verify.integrations.kubernetes.hosting import KubernetesHosting
from kamiyo_verify.integrations.kubernetes.revisions import Revision, revisions_of
from kamiyo_verify.integrations.kubernetes.rollout import is_observed
from kamiyo_verify.integrations.kubernetes.selectors import selector_of
from kamiyo_verify.integrations.kubernetes.settings import Kubernetes
from kamiyo_verify.integrations.kubernetes.undo import NothingToUndo, undo
from kamiyo_verify.model.hosting.rollback import CallOutcome, CallResult
from kamiyo_verify.model.hosting.services import Deploy, ServiceState
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

_NEVER_SENT = {NoAnswerKind.NAME, NoAnswerKind.REFUSED, NoAnswerKind.UNREACHABLE, NoAnswerKind.TLS}
_TOO_LATE = 408


class KubernetesGateway:
    """Reads and changes Deployments.

    Args:
        table: the environment's [kubernetes].
        ids: the Deployment of each service, by name.
        context: bounds the requests.
    """

    def __init__(self, table: Kubernetes, ids: Mapping[str, str], context: ClientContext) -> None:
        self._table = table
        self._ids = dict(ids)
        self._cluster = Cluster(table, context)
        self._hosting = KubernetesHosting(self._cluster, table, ids)

    @property
    def services(self) -> tuple[str, ...]:
        """The services in this environment's hosting configuration."""
        return self._hosting.services

    def state(self, service: str) -> ServiceState:
        """The current state of a service. Raises `NoAnswer`."""
        return self._hosting.state(service)

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """One revision. Raises `NoAnswer`."""
        return self._hosting.deploy(service, deploy_id)

    def switch_auto_deploy_off(self, service: str) -> CallResult:
        """Always refused: what manages a Deployment is stopped by its own command."""
        try:
            metadata = self._cluster.deployment(self._place(service)).metadata
        except NoAnswer as problem:
            return CallResult(CallOutcome.REFUSED, why=str(problem))
        found = (metadata.labels or {}, metadata.annotations or {}) if metadata else ({}, {})
        manager = manager_of(*found) or "whatever deploys it"
        return CallResult(
            CallOutcome.REFUSED,
            why=f"{manager} would undo the rollback: stop it from syncing this Deployment, and write"
            " auto_deploy = false into [kubernetes]",
        )

    def roll_back(self, service: str, deploy_id: str) -> CallResult:
        """Give a Deployment the pod template of an earlier revision.

        REFUSED if nothing was changed: the revision is gone, the Deployment is paused or was changed
        meanwhile, or the server answered with a 4xx. LOST if the result of the request is unknown.
        """
        place = self._place(service)
        try:
            sent = self._cluster.raw_deployment(place)
            deployment = self._cluster.as_deployment(sent)
            if not is_observed(deployment):
                return CallResult(CallOutcome.REFUSED, why=f"somebody is changing the Deployment {place} now")
            rows = self._cluster.raw_replica_sets(place, selector_of(deployment))
            revisions = revisions_of(deployment, map(self._cluster.as_replica_set, rows))
            target = _wanted(revisions, deploy_id)
            if target is None:
                return CallResult(CallOutcome.REFUSED, why=_gone(place, deploy_id, revisions))
            operations = undo(sent, _row(rows, target))
        except NothingToUndo as reason:
            return CallResult(CallOutcome.REFUSED, why=str(reason))
        except NoAnswer as problem:
            return CallResult(CallOutcome.REFUSED, why=str(problem))
        try:
            self._cluster.patch_deployment(place, operations)
        except NoAnswer as problem:
            return CallResult(self._outcome(problem.kind), why=str(problem))
        # The controller gives the restored ReplicaSet the next number.
        return CallResult(CallOutcome.ACCEPTED, str(revisions[0].number + 1))

    def close(self) -> None:
        """Close the connections."""
        self._hosting.close()

    def _outcome(self, kind: NoAnswerKind) -> CallOutcome:
        status = self._cluster.last.status if self._cluster.last else None
        if status is None:
            return CallOutcome.REFUSED if kind in _NEVER_SENT else CallOutcome.LOST
        refused = 300 <= status < 500 and status != _TOO_LATE
        return CallOutcome.REFUSED if refused else CallOutcome.LOST

    def _place(self, service: str) -> Place:
        return Place.of(self._ids[service], self._table)


def _wanted(revisions: tuple[Revision, ...], deploy_id: str) -> Revision | None:
    return next((one for one in revisions if deploy_id in map(str, one.numbers)), None)


def _row(rows: tuple[dict[str, Any], ...], revision: Revision) -> dict[str, Any]:
    metadata = revision.replica_set.metadata
    return next(row for row in rows if metadata and row["metadata"]["uid"] == metadata.uid)


def _gone(place: Place, deploy_id: str, revisions: tuple[Revision, ...]) -> str:
    kept = ", ".join(str(one.number) for one in revisions) or "none"
    return (
        f"the Deployment {place} has no revision {deploy_id} any more, only {kept}: its revisionHistoryLimit"
        " says how many are kept"
    )
