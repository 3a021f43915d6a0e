"""A rollback is what `kubectl rollout undo` does, and ends as accepted, refused or unknown."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from kamiyo_verify.model.hosting.rollback import CallOutcome
from kamiyo_verify.model.hosting.services import DeployStatus
from kamiyo_verify.model.outcomes import NoAnswer
from tests.engine.integrations.kubernetes.conftest import Bench
from tests.support.kubernetes_server import REVISION, Cluster, status_of

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def released(bench: Bench) -> Bench:
    """Two revisions; the second is live."""
    bench.cluster.release("notes", ONE)
    bench.cluster.release("notes", TWO)
    return bench


def writes(bench: Bench) -> int:
    return sum(method == "PATCH" for method, _ in bench.cluster.asked)


def test_the_pod_template_of_the_revision_comes_back_as_a_new_one(released: Bench) -> None:
    gateway = released.gateway()
    sent = gateway.roll_back("notes", "1")

    assert (sent.outcome, sent.deploy, sent.why) == (CallOutcome.ACCEPTED, "3", "")
    back = gateway.deploy("notes", "3")
    assert (back.status, back.commit_id, back.is_rollback) == (DeployStatus.LIVE, ONE, True)
    assert released.cluster.live("notes") == ONE
    # The number that the plan named is still known, for a rollback that goes on after an interruption.
    assert gateway.deploy("notes", "1").status is DeployStatus.DEACTIVATED


def test_until_the_controller_acts_the_new_revision_is_no_answer_and_then_it_goes_on(released: Bench) -> None:
    released.cluster.controller_runs = False
    gateway = released.gateway()
    begun = gateway.roll_back("notes", "1").deploy
    with pytest.raises(NoAnswer, match="has no revision 3"):
        gateway.deploy("notes", begun)
    assert gateway.state("notes").live

    released.cluster.begin("notes")
    assert gateway.deploy("notes", begun).status is DeployStatus.UPDATE_IN_PROGRESS
    released.cluster.complete("notes")
    assert gateway.deploy("notes", begun).status is DeployStatus.LIVE


def test_replicas_and_fields_that_the_client_does_not_know_stay(released: Bench) -> None:
    cluster = released.cluster
    cluster.deployments["notes"]["spec"]["replicas"] = 7  # by an autoscaler
    cluster.unknown = {"aFieldOfALaterVersion"}
    cluster.own("notes")[0]["spec"]["template"]["spec"]["aFieldOfALaterVersion"] = "kept"
    before = deepcopy(cluster.own("notes")[0]["spec"]["template"])
    assert released.gateway().roll_back("notes", "1").outcome is CallOutcome.ACCEPTED

    spec = cluster.deployments["notes"]["spec"]
    before["metadata"]["labels"].pop("pod-template-hash")
    assert (spec["replicas"], spec["template"]) == (7, before)


def test_annotations_come_back_without_those_of_the_controllers(released: Bench) -> None:
    annotations = released.cluster.deployments["notes"]["metadata"]["annotations"]
    annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
    annotations["only-the-newer-one"] = "yes"
    released.cluster.own("notes")[0]["metadata"]["annotations"]["kubernetes.io/change-cause"] = "release 1"
    released.gateway().roll_back("notes", "1")

    found = released.cluster.deployments["notes"]["metadata"]["annotations"]
    assert found.pop(REVISION) == "3"
    assert found == {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "kubernetes.io/change-cause": "release 1",
    }


def paused(cluster: Cluster) -> None:
    cluster.deployments["notes"]["spec"]["paused"] = True


def gone(cluster: Cluster) -> None:
    cluster.replica_sets.pop(0)


def there_already(cluster: Cluster) -> None:
    cluster.release("notes", ONE)


def changing(cluster: Cluster) -> None:
    cluster.deployments["notes"]["metadata"]["generation"] += 1


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (paused, "is paused"),
        (gone, "has no revision 1 any more, only 2: its revisionHistoryLimit"),
        (there_already, "has the pod template of that revision already"),
        (changing, "somebody is changing the Deployment"),
    ],
)
def test_what_cannot_go_back_is_refused_and_nothing_is_sent(
    released: Bench, happens: Callable[[Cluster], None], why: str
) -> None:
    happens(released.cluster)
    sent = released.gateway().roll_back("notes", "1")
    assert sent.outcome is CallOutcome.REFUSED
    assert why in sent.why
    assert writes(released) == 0


def test_a_change_in_between_is_refused_by_the_server_as_a_whole(released: Bench) -> None:
    def somebody_else_deploys(method: str, _path: str) -> None:
        if method == "PATCH":
            released.cluster.deployments["notes"]["spec"]["template"]["spec"]["nodeName"] = "n1"

    released.cluster.answer = somebody_else_deploys
    sent = released.gateway().roll_back("notes", "1")
    assert sent.outcome is CallOutcome.REFUSED
    assert "422" in sent.why
    assert released.cluster.live("notes") == TWO


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((403, status_of(403, "Forbidden", "cannot patch deployments")), CallOutcome.REFUSED),
        ((409, status_of(409, "Conflict", "modified")), CallOutcome.REFUSED),
        ((429, status_of(429, "TooManyRequests", "later")), CallOutcome.REFUSED),
        ((302, {}), CallOutcome.REFUSED),
        ((408, {}), CallOutcome.LOST),
        ((500, status_of(500, "InternalError", "etcd leader changed")), CallOutcome.LOST),
        ((504, status_of(504, "Timeout", "request did not complete")), CallOutcome.LOST),
        ("cut", CallOutcome.LOST),
    ],
)
def test_the_outcome_follows_the_answer_and_nothing_is_sent_twice(
    released: Bench, answer: Any, outcome: CallOutcome
) -> None:
    released.cluster.answer = lambda method, _: answer if method == "PATCH" else None
    sent = released.gateway().roll_back("notes", "1")
    assert sent.outcome is outcome
    assert sent.why
    assert writes(released) == 1


def test_no_connection_is_refused(released: Bench) -> None:
    released.kubeconfig.write_text(
        released.kubeconfig.read_text().replace("https://127.0.0.1:", "https://127.0.0.1:1#")
    )
    assert released.gateway().roll_back("notes", "1").outcome is CallOutcome.REFUSED


def test_what_a_repository_manages_is_not_stopped_from_here(released: Bench) -> None:
    metadata = released.cluster.deployments["notes"]["metadata"]
    metadata["annotations"]["argocd.argoproj.io/tracking-id"] = "notes:apps/Deployment:shop/notes"
    sent = released.gateway().switch_auto_deploy_off("notes")
    assert sent.outcome is CallOutcome.REFUSED
    assert sent.why.startswith("Argo CD would undo the rollback")
    assert writes(released) == 0
