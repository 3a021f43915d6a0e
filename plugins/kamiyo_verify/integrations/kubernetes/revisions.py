"""The revisions of a Deployment as deploys.

Each ReplicaSet of a Deployment holds the pod template of one revision. Going back to an old template reuses
its ReplicaSet under a new number, and the numbers that it had before stand in an annotation; so one
ReplicaSet may be several deploys. Kubernetes keeps `revisionHistoryLimit` old ReplicaSets; the revisions
before them are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kamiyo_verify.integrations.kubernetes.commits import commit_of
from kamiyo_verify.integrations.kubernetes.rollout import (
    COMPLETE,
    PROGRESSING,
    Progress,
    condition,
    rollout_of,
)
from kamiyo_verify.model.hosting.services import ROLLBACK, Deploy, DeployedCommit, DeployStatus

if TYPE_CHECKING:
    from kubernetes.client import V1Deployment, V1ReplicaSet

    from kamiyo_verify.integrations.kubernetes.settings import Kubernetes

REVISION = "deployment.kubernetes.io/revision"
EARLIER_REVISIONS = "deployment.kubernetes.io/revision-history"
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Revision:
    """One ReplicaSet with the numbers that it has and had, in ascending order; the last one is current."""

    numbers: tuple[int, ...]
    replica_set: V1ReplicaSet

    @property
    def number(self) -> int:
        """The current number."""
        return self.numbers[-1]

    @property
    def available(self) -> int:
        """How many of its pods are available."""
        status = self.replica_set.status
        return (status.available_replicas if status else 0) or 0


def owned(deployment: V1Deployment, replica_sets: Iterable[V1ReplicaSet]) -> Iterator[V1ReplicaSet]:
    """Yield the ReplicaSets that the Deployment controls; a selector may find those of others too."""
    uid = deployment.metadata.uid if deployment.metadata else None
    for one in replica_sets:
        owners = (one.metadata.owner_references if one.metadata else None) or []
        if any(owner.controller and owner.uid == uid for owner in owners):
            yield one


def revisions_of(deployment: V1Deployment, replica_sets: Iterable[V1ReplicaSet]) -> tuple[Revision, ...]:
    """Return the revisions of a Deployment, newest first; a ReplicaSet without a number is none yet."""
    found = []
    for one in owned(deployment, replica_sets):
        notes = (one.metadata.annotations if one.metadata else None) or {}
        words = [*notes.get(EARLIER_REVISIONS, "").split(","), notes.get(REVISION, "")]
        if words[-1].isdecimal():
            numbers = sorted({int(word) for word in words if word.isdecimal()})
            found.append(Revision(tuple(numbers), one))
    return tuple(sorted(found, key=lambda revision: revision.number, reverse=True))


def deploys_of(
    deployment: V1Deployment, revisions: tuple[Revision, ...], table: Kubernetes
) -> tuple[Deploy, ...]:
    """Return the deploys of a Deployment, newest first.

    The newest is live once its rollout was complete. Until then, the newest of the others that has available
    pods is. Kubernetes does not record when a rollback to an old template began: it counts from the last
    report of its progress, and an older one from the deploy before it.

    Raises:
        NoAnswer: UNUSABLE, see `commit_of`.
    """
    if not revisions:
        return ()
    newest, *others = revisions
    status = status_of_newest(deployment, newest)
    serving = None
    if status is not DeployStatus.LIVE:
        serving = next((one.number for one in others if one.available), None)
    numbered = sorted((number, one) for one in revisions for number in one.numbers)
    found: list[Deploy] = []
    before = datetime.min.replace(tzinfo=UTC)
    for number, revision in numbered:
        current = number == newest.number
        first = number == revision.numbers[0]
        before = max(_began(deployment, revision, first=first, current=current) or before, before + _TICK)
        ended = current and not status.in_progress
        commit = commit_of(revision.replica_set, table)
        found.append(
            Deploy(
                id=str(number),
                commit=DeployedCommit(id=commit) if commit else None,
                status=status if current else _of_others(number, serving),
                trigger=None if first else ROLLBACK,
                created_at=before,
                finished_at=_reported(deployment) if ended else None,
            )
        )
    return tuple(reversed(found))


def status_of_newest(deployment: V1Deployment, newest: Revision) -> DeployStatus:
    """Return the status of the newest revision.

    It stays live when pods of it fail later, or while the number of pods changes: the condition Progressing
    then still reports that its ReplicaSet was completely available, by its name.
    """
    rollout = rollout_of(deployment)
    if rollout.progress is Progress.FAILED:
        return DeployStatus.UPDATE_FAILED
    progressing = condition(deployment, PROGRESSING)
    metadata = newest.replica_set.metadata
    named = f'"{metadata.name if metadata else ""}"'
    was_complete = bool(
        progressing and progressing.reason == COMPLETE and named in (progressing.message or "")
    )
    live = was_complete or rollout.progress is Progress.DONE
    return DeployStatus.LIVE if live else DeployStatus.UPDATE_IN_PROGRESS


def _of_others(number: int, serving: int | None) -> DeployStatus:
    return DeployStatus.LIVE if number == serving else DeployStatus.DEACTIVATED


def _began(deployment: V1Deployment, revision: Revision, *, first: bool, current: bool) -> datetime | None:
    if first:
        metadata = revision.replica_set.metadata
        return metadata.creation_timestamp if metadata else None
    return _reported(deployment) if current else None


def _reported(deployment: V1Deployment) -> datetime | None:
    progressing = condition(deployment, PROGRESSING)
    return progressing.last_update_time if progressing else None
