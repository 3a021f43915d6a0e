"""Three services and a worker in a cluster: only the broken Deployment goes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support import hosted_project
from tests.support.hosted_project import NEW, OLD, SERVICES, WORKER, break_notes
from tests.support.kubernetes_server import COMMIT, NAMESPACE, TOKEN, Cluster, kubernetes_server, stamp

TABLES = """
[kubernetes]
namespace = "{namespace}"
kubeconfig = "{kubeconfig}"
context = "test"
commit = {{annotation = "{annotation}"}}
poll_s = 0.1
"""


class Platform(NamedTuple):
    """The project's folder, and the cluster that it is about."""

    folder: Path
    cluster: Cluster


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A healthy platform, with its project."""
    cluster = Cluster()
    now = datetime.now(UTC)
    for name in (*SERVICES, WORKER):
        cluster.release(name, OLD, at=now - timedelta(hours=2))
        cluster.release(name, NEW, at=now - timedelta(minutes=30))
    started = {"ready": True, "state": {"running": {"startedAt": stamp(now - timedelta(minutes=29))}}}
    pod = cluster.pod(WORKER, started)["metadata"]["name"]
    cluster.logs[pod, "app", False] = f"{stamp(now - timedelta(seconds=5))} waiting for work\n"
    with kubernetes_server(cluster, tmp_path) as kubeconfig:
        table = TABLES.format(namespace=NAMESPACE, kubeconfig=kubeconfig, annotation=COMMIT)
        with hosted_project.hosted_project(tmp_path, table) as folder:
            yield Platform(folder, cluster)
    assert cluster.mistakes == []


def verify(platform: Platform) -> dict[str, Any]:
    verdict = hosted_project.verify(platform.folder)
    assert TOKEN not in verdict["output"]
    return verdict


def roll_back(platform: Platform, verdict: dict[str, Any]) -> tuple[int, str]:
    ran = hosted_project.roll_back(platform.folder, verdict)
    assert TOKEN not in ran.stdout + ran.stderr
    return ran.returncode, ran.stdout + ran.stderr


def test_a_healthy_platform_is_proceed(platform: Platform) -> None:
    verdict = verify(platform)
    assert verdict["recommendation"] == "proceed", verdict["output"]


def test_only_the_broken_deployment_goes_back(platform: Platform) -> None:
    break_notes(platform.folder)
    verdict = verify(platform)

    assert verdict["recommendation"] == "roll_back", verdict["output"]
    rollback = verdict["rollback"]
    assert [(step["service"], step["from"], step["to"]) for step in rollback["services"]] == [
        ("notes", "2", "1")
    ]
    assert set(rollback["stays"]) == {"accounts", "search", "indexer"}

    _, output = roll_back(platform, verdict)
    live = {name: platform.cluster.live(name) for name in platform.cluster.deployments}
    assert live == {"accounts": NEW, "notes": OLD, "search": NEW, "indexer": NEW}, output
    assert "back: 3 of commit 1111111 is live" in output
    assert "Render" not in output
    changed = [path for method, path in platform.cluster.asked if method == "PATCH"]
    assert changed == [f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/notes"]
    reports = [path for path in platform.folder.rglob("*") if path.is_file()]
    assert [path for path in reports if TOKEN.encode() in path.read_bytes()] == []


def test_a_revision_that_is_gone_is_no_target_and_said(platform: Platform) -> None:
    break_notes(platform.folder)
    platform.cluster.replica_sets.remove(platform.cluster.own("notes")[0])  # revisionHistoryLimit
    verdict = verify(platform)

    assert verdict["recommendation"] == "fix_forward", verdict["output"]
    assert any("the host lists no earlier deploy" in reason["message"] for reason in verdict["reasons"])
    code, output = roll_back(platform, verdict)
    assert code == 2, output
    assert not any(method == "PATCH" for method, _ in platform.cluster.asked)
