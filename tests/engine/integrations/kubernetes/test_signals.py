"""Events and logs of pods: what failed, why, and what was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.integrations.kubernetes.logs import level_of
from kamiyo_verify.model.hosting.services import Event
from kamiyo_verify.model.outcomes import Unverified
from tests.engine.integrations.kubernetes.conftest import Bench
from tests.support.kubernetes_server import stamp

NOW = datetime.now(UTC).replace(microsecond=0)
START, END = NOW - timedelta(hours=1), NOW + timedelta(hours=2)
ENDED = {"finishedAt": stamp(NOW - timedelta(minutes=2)), "startedAt": stamp(NOW - timedelta(minutes=3))}


@pytest.fixture
def released(bench: Bench) -> Bench:
    bench.cluster.release("notes", "1" * 40)
    return bench


def events(bench: Bench, *types: str) -> list[Event]:
    return [*bench.hosting().events("notes", START, END, types)]


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (
            {
                "restartCount": 2,
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", **ENDED}},
            },
            "server_failed",
            "killed for its memory (limit 256Mi), exited with status 137, app: restarted 2 times",
        ),
        (
            {
                "restartCount": 5,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error", **ENDED}},
            },
            "server_failed",
            "exited with status 1, app: CrashLoopBackOff: back-off 5m0s, restarted 5 times",
        ),
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}},
            "server_failed",
            "app: ImagePullBackOff: no such tag",
        ),
        (
            {"restartCount": 1, "lastState": {"terminated": {"exitCode": 0, "reason": "Completed", **ENDED}}},
            "server_restarted",
            "app: restarted 1 time",
        ),
    ],
)
def test_a_container_that_fails_is_an_event_with_its_cause(
    released: Bench, status: dict[str, Any], kind: str, told: str
) -> None:
    released.cluster.pod("notes", status)
    (found,) = events(released)
    assert (found.type, str(found.failure), found.service_id) == (kind, told, "shop/notes")
    assert found.failure
    assert not found.failure.of_health


@pytest.mark.parametrize(
    "status",
    [
        {"ready": True, "state": {"running": {"startedAt": ENDED["startedAt"]}}},
        {"state": {"waiting": {"reason": "ContainerCreating"}}},
        {"state": {"terminated": {"exitCode": 0, "reason": "Completed", **ENDED}}},
    ],
)
def test_a_container_that_starts_or_is_done_is_no_event(released: Bench, status: dict[str, Any]) -> None:
    released.cluster.pod("notes", status)
    assert events(released) == []


def test_an_end_before_the_span_is_left_out(released: Bench) -> None:
    old = {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": stamp(START),
        "finishedAt": stamp(START - timedelta(hours=1)),
    }
    released.cluster.pod("notes", {"restartCount": 1, "lastState": {"terminated": old}})
    assert events(released) == []


def test_evicted_pods_are_told(released: Bench) -> None:
    pod = released.cluster.pod("notes", {})
    pod["status"] = {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}
    (found,) = events(released)
    assert str(found.failure) == "evicted, low on memory"


def test_events_of_the_cluster_about_our_pods_are_read_even_if_the_pods_are_gone(released: Bench) -> None:
    gone = released.cluster.own("notes")[0]["metadata"]["name"] + "-abcde"
    released.cluster.event(gone, "Unhealthy", "Liveness probe failed: HTTP 500")
    released.cluster.event(gone, "Unhealthy", "Readiness probe failed: connection refused")
    released.cluster.event(gone, "FailedScheduling", "0/3 nodes are available")
    released.cluster.event("strangers-5f-abcde", "FailedMount", "x")
    released.cluster.event(gone, "FailedMount", "x", at=START - timedelta(days=1))

    liveness, scheduling = events(released, "server_failed")
    assert liveness.failure
    assert liveness.failure.of_health
    assert str(scheduling.failure) == "FailedScheduling: 0/3 nodes are available"
    (readiness,) = events(released, "kubernetes_Unhealthy")
    assert readiness.failure is None  # every normal start has them


def test_a_rollout_past_its_deadline_is_an_unhealthy_deploy(released: Bench) -> None:
    released.cluster.release("notes", "2" * 40)
    released.cluster.exceed_deadline("notes")
    (found,) = events(released, "deploy_ended")
    assert found.failure
    assert found.failure.of_health
    assert found.details.deploy_id == "2"
    assert "timed out after 600 s" in str(found.failure)


def write(bench: Bench, *lines: str, previous: bool = False, pod: str = "") -> str:
    running = {"ready": True, "state": {"running": {"startedAt": ENDED["startedAt"]}}}
    name = pod or bench.cluster.pod("notes", {**running, "restartCount": int(previous)})["metadata"]["name"]
    moments = (NOW - timedelta(seconds=60 - number) for number in range(len(lines)))
    text = "".join(
        f"{moment:%Y-%m-%dT%H:%M:%S}.123456789Z {line}\n" for moment, line in zip(moments, lines, strict=True)
    )
    bench.cluster.logs[name, "app", previous] = text
    return str(name)


def test_lines_of_all_pods_are_read_in_order_of_time(released: Bench) -> None:
    write(released, "INFO ready", "ERROR lost the database")
    write(released, '{"level": "error", "msg": "lost it too"}')
    logs = released.hosting().logs(["notes"], START, END)

    assert len(logs.lines) == 3
    assert logs.complete
    assert {line.service for line in logs.lines} == {"shop/notes"}
    errors = released.hosting().logs(["notes"], START, END, levels=["error"], types=["app"]).lines
    assert sorted(line.message[:5] for line in errors) == ["ERROR", '{"lev']
    assert not released.hosting().logs(["notes"], START, END, at_most=1).complete


def test_the_log_before_a_restart_is_read_too(released: Bench) -> None:
    name = write(released, "FATAL out of memory", previous=True)
    write(released, "INFO ready", pod=name)
    found = released.hosting().logs(["notes"], START, END)
    assert sorted(line.level for line in found.lines) == ["error", "info"]
    assert found.complete


def test_a_log_that_has_gone_since_makes_the_rest_incomplete(released: Bench) -> None:
    name = write(released, "FATAL out of memory", previous=True)
    write(released, "INFO ready", pod=name)
    del released.cluster.logs[name, "app", True]
    found = released.hosting().logs(["notes"], START, END)
    assert [line.message for line in found.lines] == ["INFO ready"]
    assert not found.complete


def test_errors_are_unverified_where_no_line_tells_its_level(released: Bench) -> None:
    write(released, "GET / 200", "boom")
    assert len(released.hosting().logs(["notes"], START, END).lines) == 2
    with pytest.raises(Unverified, match="tells its level"):
        released.hosting().logs(["notes"], START, END, levels=["error"])


def test_what_a_cluster_does_not_tell_is_unverified_and_never_empty(released: Bench) -> None:
    host = released.hosting()
    for ask in (host.requests, host.latency):
        with pytest.raises(Unverified):
            ask("notes", START, END)
    with pytest.raises(Unverified, match="type build"):
        host.logs(["notes"], START, END, types=["build"])


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-11-02 10:00:00 ERROR lost", "error"),
        ("[WARN] slow", "warning"),
        ("level=info msg=ready", "info"),
        ('{"severity":"CRITICAL"}', "error"),
        ('{"level":50,"msg":"x"}', "error"),
        ('{"msg":"ERROR"}', ""),
        ("E1102 10:00:00.000000 1 main.go:1] lost", "error"),
        ("no ERRORS here", ""),
        ("GET /errors 200", ""),
        ("x" * 130 + " ERROR", ""),
    ],
)
def test_a_level_is_read_where_loggers_write_it(line: str, level: str) -> None:
    assert level_of(line) == level
