"""The real kubectl and the adapter judge and change the same Deployments alike."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from kamiyo_verify.integrations.kubernetes.client import Cluster as Client
from kamiyo_verify.integrations.kubernetes.client import Place
from kamiyo_verify.integrations.kubernetes.rollout import Progress, rollout_of
from kamiyo_verify.model.hosting.rollback import CallOutcome
from tests.engine.integrations.kubernetes.conftest import Bench
from tests.support.kubernetes_server import Cluster

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on this machine")
ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def released(bench: Bench) -> Bench:
    bench.cluster.release("notes", ONE)
    bench.cluster.release("notes", TWO)
    return bench


def kubectl(bench: Bench, *words: str) -> subprocess.CompletedProcess[str]:
    where = ["--kubeconfig", str(bench.kubeconfig), "--context", "test", "--request-timeout=5s"]
    return subprocess.run(
        ["kubectl", *where, *words],
        env={"HOME": str(bench.kubeconfig.parent), "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def unobserved(cluster: Cluster) -> None:
    cluster.deployments["notes"]["metadata"]["generation"] += 1


def begun(cluster: Cluster) -> None:
    cluster.begin("notes")


def half(cluster: Cluster) -> None:
    cluster.begin("notes")
    cluster.deployments["notes"]["status"] |= {"updatedReplicas": 3, "replicas": 4}


def unavailable(cluster: Cluster) -> None:
    cluster.deployments["notes"]["status"]["availableReplicas"] = 1


@pytest.mark.parametrize(
    "happens",
    [
        unobserved,
        begun,
        half,
        unavailable,
        lambda cluster: cluster.exceed_deadline("notes"),
        lambda _: None,
    ],
    ids=["unobserved", "begun", "half", "unavailable", "too late", "complete"],
)
def test_a_rollout_is_as_far_as_kubectl_says(released: Bench, happens: Callable[[Cluster], Any]) -> None:
    happens(released.cluster)
    ran = kubectl(released, "rollout", "status", "deployment/notes", "--watch=false")
    theirs = Progress.FAILED if ran.returncode else Progress.WAITING
    if "successfully rolled out" in ran.stdout:
        theirs = Progress.DONE

    ours = rollout_of(Client(released.table(), released.context).deployment(Place("shop", "notes")))
    assert ours.progress is theirs, ran.stdout + ran.stderr
    assert ("progress deadline" in ran.stderr) == (theirs is Progress.FAILED), ran.stderr


def test_the_same_deployment_is_left_by_kubectl_and_by_us(released: Bench) -> None:
    cluster = released.cluster
    cluster.own("notes")[0]["metadata"]["annotations"]["kubernetes.io/change-cause"] = "release 1"
    annotations = cluster.deployments["notes"]["metadata"]["annotations"]
    annotations |= {"only/newer": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    before = deepcopy((cluster.deployments, cluster.replica_sets))

    ran = kubectl(released, "rollout", "undo", "deployment/notes", "--to-revision=1")
    assert ran.returncode == 0, ran.stderr
    theirs = deepcopy(cluster.deployments["notes"])
    cluster.deployments, cluster.replica_sets = before
    assert released.gateway().roll_back("notes", "1").outcome is CallOutcome.ACCEPTED
    ours = cluster.deployments["notes"]

    for part in ("metadata", "spec"):
        assert ours[part] == theirs[part]


def test_both_refuse_a_paused_deployment(released: Bench) -> None:
    released.cluster.deployments["notes"]["spec"]["paused"] = True
    ran = kubectl(released, "rollout", "undo", "deployment/notes", "--to-revision=1")
    assert ran.returncode != 0
    assert "paused" in ran.stderr
    assert released.gateway().roll_back("notes", "1").outcome is CallOutcome.REFUSED


def test_the_command_that_the_advice_prints_is_kubectls_own(released: Bench) -> None:
    (call,) = released.hosting().state("notes").calls_to("1")
    ran = kubectl(released, *call.split()[3:])
    assert ran.returncode == 0, ran.stderr
    assert released.cluster.live("notes") == ONE
