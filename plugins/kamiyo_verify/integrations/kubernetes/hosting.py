"""Deployments of a Kubernetes cluster as an adapter of the port `Hosting`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from kamiyo_verify.integrations.kubernetes.client import MOST_LOG_BYTES, Cluster, Place
from kamiyo_verify.integrations.kubernetes.gitops import manager_of
from kamiyo_verify.integrations.kubernetes.happenings import of_cluster, of_pods, of_rollout
from kamiyo_verify.integrations.kubernetes.logs import lines_of
from kamiyo_verify.integrations.kubernetes.revisions import deploys_of, owned, revisions_of
from kamiyo_verify.integrations.kubernetes.rollout import replicas_wanted
from kamiyo_verify.integrations.kubernetes.selectors import selector_of
from kamiyo_verify.integrations.kubernetes.settings import Kubernetes
from kamiyo_verify.model.hosting.no_traffic import NoTraffic
from kamiyo_verify.model.hosting.services import Deploy, Event, ServiceState
from kamiyo_verify.model.hosting.signals import LogLine, Logs
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified

if TYPE_CHECKING:
    from kubernetes.client import V1Deployment, V1Pod


_RESTORED = (
    "Kubernetes restores the pod template: replicas, ConfigMaps and Secrets stay as they are, and it does not"
    " record whether that revision ever became available"
)


_LOG_IS_GONE = {400, 404}
"""The API's statuses for a container that writes no log now, and for a pod that is gone."""


class KubernetesHosting(NoTraffic):
    """Data about the services of an environment in a cluster.

    Args:
        cluster: the client.
        table: the environment's [kubernetes].
        ids: the Deployment of each service, by name.
    """

    source = "a cluster"

    def __init__(self, cluster: Cluster, table: Kubernetes, ids: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._table = table
        self._ids = dict(ids)

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services with a hosting_id."""
        return tuple(self._ids)

    def state(self, service: str) -> ServiceState:
        """The current state of a Deployment, with its revisions. It is suspended when scaled to zero."""
        place = self._place(service)
        deployment = self._cluster.deployment(place)
        revisions = revisions_of(deployment, self._cluster.replica_sets(place, selector_of(deployment)))
        where = f"--namespace {place.namespace} deployment/{place.name}"
        context = f" --context {self._table.context}" if self._table.context else ""
        dashboard = self._table.dashboard.replace("{namespace}", place.namespace)
        return ServiceState(
            service=service,
            id=str(place),
            name=place.name,
            dashboard=dashboard.replace("{deployment}", place.name),
            api="",
            calls=(f"kubectl{context} rollout undo {where} --to-revision={{deploy}}",),
            auto_deploy=self._is_managed(deployment),
            suspended=replicas_wanted(deployment) == 0,
            deploys=deploys_of(deployment, revisions, self._table),
            host=self._table.title,
            caveats=(_RESTORED,),
        )

    def deploys(self, service: str, since: datetime | None = None) -> tuple[Deploy, ...]:
        """The revisions of a Deployment, newest first."""
        listed = self.state(service).deploys
        return tuple(one for one in listed if since is None or one.created_at > since)

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """One revision.

        Raises:
            NoAnswer: the Deployment does not have it, not yet, or no longer.
        """
        found = self.state(service).deploy(deploy_id)
        if found is None:
            message = f"the Deployment {self._place(service)} has no revision {deploy_id}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message)
        return found

    def live_deploy(self, service: str) -> Deploy | None:
        """The revision that serves requests; None if there is none."""
        return self.state(service).live

    def auto_deploy(self, service: str) -> bool:
        """Whether a tool such as Argo CD puts the Deployment back to what a repository says."""
        return self._is_managed(self._cluster.deployment(self._place(service)))

    def stays_because(self, service: str, commit: str, since: datetime) -> str:
        """Always "": a cluster does not tell whether a commit is ignored."""
        return ""

    def logs(
        self,
        services: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        levels: Sequence[str] = (),
        types: Sequence[str] = (),
        text: Sequence[str] = (),
        at_most: int = 1_000,
    ) -> Logs:
        """Lines of the pods' logs, in the order of time; pods that are gone have none.

        Raises:
            Unverified: only other logs than those of the application were asked for; or levels were, and no
                line tells one.
        """
        if types and "app" not in types:
            raise Unverified(f"a cluster keeps no log of the type {' or '.join(types)}")
        found: list[LogLine] = []
        complete = True
        for service in services:
            lines, whole = self._lines(service, start)
            complete = complete and whole
            if levels and lines and not any(line.level for line in lines):
                raise Unverified(
                    f"no line of the log of {service} tells its level, so no error is recognised"
                )
            found += lines
        wanted = sorted(
            (
                line
                for line in found
                if start <= line.timestamp <= end
                and (not levels or line.level in levels)
                and (not text or any(part in line.message for part in text))
            ),
            key=lambda line: line.timestamp,
        )
        return Logs(tuple(wanted[-at_most:]), complete and len(wanted) <= at_most)

    def events(
        self, service: str, start: datetime, end: datetime, types: Sequence[str] = ()
    ) -> tuple[Event, ...]:
        """Failed and restarted containers, pods that cannot start, and the cluster's own events."""
        place = self._place(service)
        deployment = self._cluster.deployment(place)
        selector = selector_of(deployment)
        revisions = revisions_of(deployment, self._cluster.replica_sets(place, selector))
        pods = self._pods(place, deployment)
        names = frozenset({place.name, *(pod.metadata.name or "" for pod in pods if pod.metadata)})
        found = chain(
            of_pods(pods, str(place), min(end, datetime.now(UTC))),
            of_cluster(self._cluster.events(place), names, revisions, str(place)),
            of_rollout(deployment, revisions[0] if revisions else None, str(place)),
        )
        within = (one for one in found if start <= one.timestamp <= end and (not types or one.type in types))
        return tuple(sorted(within, key=lambda event: event.timestamp))

    def close(self) -> None:
        """Close the connections."""
        self._cluster.close()

    def _lines(self, service: str, start: datetime) -> tuple[list[LogLine], bool]:
        """The lines of all pods since then, and whether those are all that were written."""
        place = self._place(service)
        found: list[LogLine] = []
        complete = True
        for pod in self._pods(place, self._cluster.deployment(place)):
            name = (pod.metadata.name if pod.metadata else None) or ""
            statuses = (pod.status.container_statuses if pod.status else None) or ()
            for status in statuses:
                if self._table.container and status.name != self._table.container:
                    continue
                restarts = status.restart_count or 0
                # Of the runs of a container, the last two keep their logs.
                complete = complete and restarts <= 1
                waits = status.state is not None and status.state.waiting is not None
                for previous in (*((True,) if restarts else ()), *(() if waits else (False,))):
                    text = self._log(place, name, status.name, start, previous=previous)
                    complete = complete and text is not None and len(text) < MOST_LOG_BYTES
                    found += lines_of(text or "", str(place), name, status.name)
        return found, complete

    def _log(self, place: Place, pod: str, container: str, start: datetime, *, previous: bool) -> str | None:
        """The log of one run of a container; None if the pod or that log has gone since it was listed."""
        try:
            return self._cluster.log(place, pod, container, start, previous=previous)
        except NoAnswer:
            if self._cluster.last is not None and self._cluster.last.status in _LOG_IS_GONE:
                return None
            raise

    def _pods(self, place: Place, deployment: V1Deployment) -> tuple[V1Pod, ...]:
        """The pods of the Deployment's own ReplicaSets."""
        selector = selector_of(deployment)
        sets = {
            one.metadata.uid
            for one in owned(deployment, self._cluster.replica_sets(place, selector))
            if one.metadata
        }
        return tuple(
            pod
            for pod in self._cluster.pods(place, selector)
            if pod.metadata and any(owner.uid in sets for owner in pod.metadata.owner_references or ())
        )

    def _is_managed(self, deployment: V1Deployment) -> bool:
        if self._table.auto_deploy is not None:
            return self._table.auto_deploy
        metadata = deployment.metadata
        labels, annotations = (metadata.labels, metadata.annotations) if metadata else (None, None)
        return bool(manager_of(labels or {}, annotations or {}))

    def _place(self, service: str) -> Place:
        if service not in self._ids:
            raise Unverified(f"[services.{service}] has no hosting_id: the name of its Deployment")
        return Place.of(self._ids[service], self._table)
