"""Read Deployments, ReplicaSets, pods, events and logs; patch a Deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.kubernetes.settings import Kubernetes
from kamiyo_verify.integrations.kubernetes.transport import Transport
from kamiyo_verify.model.result import Exchange

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Event, V1Deployment, V1Pod, V1ReplicaSet

MOST_LOG_BYTES = 4 * 1024 * 1024


class Place(NamedTuple):
    """Where a Deployment is."""

    namespace: str
    name: str

    @classmethod
    def of(cls, hosting_id: str, table: Kubernetes) -> Place:
        """Read `[services.NAME] hosting_id`: "notes", or "other-namespace/notes"."""
        namespace, _, name = hosting_id.rpartition("/")
        return cls(namespace or table.namespace, name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Cluster:
    """One API server.

    Args:
        table: the environment's [kubernetes].
        context: shared with other clients.
    """

    def __init__(self, table: Kubernetes, context: ClientContext) -> None:
        self._to = Transport(table, context)

    @property
    def last(self) -> Exchange | None:
        """The last request and its outcome; None if none was sent."""
        return self._to.last

    def deployment(self, place: Place) -> V1Deployment:
        """Return a Deployment. Raises `NoAnswer`, as all methods do."""
        return self.as_deployment(self.raw_deployment(place))

    def as_deployment(self, sent: dict[str, Any]) -> V1Deployment:
        """Read the JSON of a Deployment."""
        found: V1Deployment = self._to.read(sent, "V1Deployment")
        return found

    def raw_deployment(self, place: Place) -> dict[str, Any]:
        """Return a Deployment as the JSON that the server sent, with fields that the client does not know."""
        path = f"/apis/apps/v1/namespaces/{place.namespace}/deployments/{place.name}"
        return self._to.json(
            path, lambda **how: self._to.apps.read_namespaced_deployment(place.name, place.namespace, **how)
        )

    def replica_sets(self, place: Place, selector: str) -> tuple[V1ReplicaSet, ...]:
        """Return the ReplicaSets that a label selector finds in the Deployment's namespace."""
        return tuple(map(self.as_replica_set, self.raw_replica_sets(place, selector)))

    def as_replica_set(self, sent: dict[str, Any]) -> V1ReplicaSet:
        """Read the JSON of a ReplicaSet."""
        found: V1ReplicaSet = self._to.read(sent, "V1ReplicaSet")
        return found

    def raw_replica_sets(self, place: Place, selector: str) -> tuple[dict[str, Any], ...]:
        """The same as the JSON that the server sent."""
        path = f"/apis/apps/v1/namespaces/{place.namespace}/replicasets"
        return self._to.rows(
            path,
            lambda **how: self._to.apps.list_namespaced_replica_set(
                place.namespace, label_selector=selector, **how
            ),
        )

    def pods(self, place: Place, selector: str) -> tuple[V1Pod, ...]:
        """Return the pods that a label selector finds in the Deployment's namespace."""
        path = f"/api/v1/namespaces/{place.namespace}/pods"
        rows = self._to.rows(
            path,
            lambda **how: self._to.core.list_namespaced_pod(place.namespace, label_selector=selector, **how),
        )
        return tuple(self._to.read(row, "V1Pod") for row in rows)

    def events(self, place: Place) -> tuple[CoreV1Event, ...]:
        """Return the events of the namespace; a cluster keeps them for an hour by default."""
        path = f"/api/v1/namespaces/{place.namespace}/events"
        rows = self._to.rows(path, lambda **how: self._to.core.list_namespaced_event(place.namespace, **how))
        return tuple(self._to.read(row, "CoreV1Event") for row in rows)

    def log(self, place: Place, pod: str, container: str, since: datetime, *, previous: bool = False) -> str:
        """Return the log of a container since then, each line with its time; at most about 4 MiB.

        Args:
            place: of the Deployment; its namespace is the pod's.
            pod: its name.
            container: its name.
            since: the earliest line.
            previous: the log of the container's run before the last restart.
        """
        path = f"/api/v1/namespaces/{place.namespace}/pods/{pod}/log"
        seconds = max(1, int((datetime.now(UTC) - since).total_seconds()) + 1)
        sent = self._to.get(
            path,
            lambda **how: self._to.core.read_namespaced_pod_log(
                pod,
                place.namespace,
                container=container,
                since_seconds=seconds,
                timestamps=True,
                previous=previous,
                limit_bytes=MOST_LOG_BYTES,
                **how,
            ),
        )
        return sent.decode("utf-8", "replace")

    def patch_deployment(self, place: Place, operations: list[dict[str, Any]]) -> None:
        """Apply a JSON Patch (RFC 6902) to a Deployment, all of it or nothing; sent once."""
        path = f"/apis/apps/v1/namespaces/{place.namespace}/deployments/{place.name}"
        self._to.send(
            "PATCH",
            path,
            lambda **how: self._to.apps.patch_namespaced_deployment(
                place.name,
                place.namespace,
                operations,
                field_manager="kamiyo-verify",
                _content_type="application/json-patch+json",
                **how,
            ),
        )

    def close(self) -> None:
        """Close the connections."""
        self._to.close()
