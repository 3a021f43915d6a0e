"""Locust itself, on known servers: its figures are true, and it ends with whoever began it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from kamiyo_verify.integrations.locust import client
from kamiyo_verify.integrations.locust.client import LOCUSTFILE, Plan, command_of, run_load
from kamiyo_verify.judge.load.limits import describe_limit, is_held
from kamiyo_verify.model.load.steps import LoadRun
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.settings import Timeouts
from tests.benchmarks import load as bench
from tests.support.sandbox_process import HOUSE, family, is_gone, started, wait_until

pytestmark = pytest.mark.exhaustive

AGREES_WITHIN = 1.3
"""Locust's throughput and median lie within this factor of wrk's, where the platform limits both."""


class Known(BaseHTTPRequestHandler):
    """Keeps what it was asked, and answers 200; some paths answer otherwise."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, dict[str, str]]]] = []
    at_most: ClassVar[int] = 1_000_000

    def do_GET(self) -> None:
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path.startswith("/silent"):
            self.close_connection = True
            return
        status = 200
        if self.path.startswith("/limited") and len(self.seen) > self.at_most:
            status = 429
        if self.path.startswith("/broken"):
            status = 503
        if self.path.startswith("/moved"):
            status = 302
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://localhost:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Known, "seen", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Known) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def plan(origin: str, **more: Any) -> Plan:
    given: dict[str, Any] = {
        "paths": ("/",),
        "users": (4, 8),
        "per_user_per_s": 5,
        "step_s": 4,
        "timeouts": Timeouts(),
    }
    return Plan(origin=origin, **{**given, **more})


def run(of: Plan) -> LoadRun:
    return run_load(of, command_of(""), hidden=(), stop=threading.Event(), say=lambda _: None)


@pytest.mark.parametrize("workers", [1, 4])
def test_it_sends_what_was_planned(origin: str, workers: int) -> None:
    found = run(plan(origin, workers=workers))

    assert [step.users for step in found.steps] == [4, 8]
    assert all(is_held(step) for step in found.steps)
    for step in found.steps:
        assert step.throughput_per_s == pytest.approx(step.offered_per_s, rel=0.1)
        assert step.seconds >= 2
        assert (step.failed, step.limited) == (0, 0)


@pytest.mark.undisturbed
@pytest.mark.parametrize("workers", [1, 4])
def test_its_figures_are_those_of_wrk(workers: int) -> None:
    with started() as sandbox, sandbox.fault(bench.SATURATED):
        url = sandbox.frontend + "/"
        theirs = bench.wrk(url)
        if theirs is None:
            pytest.skip("wrk is not installed: apt-get install wrk")
        ours = bench.locust(url, workers)

    assert 1 / AGREES_WITHIN <= ours.per_s / theirs.per_s <= AGREES_WITHIN, (ours, theirs)
    assert 1 / AGREES_WITHIN <= ours.p50_ms / theirs.p50_ms <= AGREES_WITHIN, (ours, theirs)


def test_requests_carry_the_credentials_and_follow_no_redirect(origin: str) -> None:
    found = run(
        plan(
            origin,
            paths=("/moved?n={number}", "/second"),
            headers={"X-Plain": "shown"},
            secret_headers={"X-API-Key": "secret"},
            secret_params={"token": "a&b"},
        )
    )
    moved = [path for path, _ in Known.seen if path.startswith("/moved")]

    assert not any(path == "/elsewhere" for path, _ in Known.seen)
    assert len(set(moved)) > len(moved) * 0.9, "each request has another number"
    assert all(path.endswith("token=a%26b") for path, _ in Known.seen)
    assert all((head["x-api-key"], head["x-plain"]) == ("secret", "shown") for _, head in Known.seen)
    assert all(step.failed == 0 for step in found.steps), "a redirect is an answer"


def test_a_rate_limit_ends_the_load(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Known, "at_most", 30)
    found = run(plan(origin, paths=("/limited",), users=(4, 8, 12, 16), step_s=3))

    assert len(found.steps) < 4
    assert found.steps[-1].limited > 0
    assert found.steps[-1].failed == 0
    assert "the platform limits the rate" in describe_limit(found)


@pytest.mark.parametrize(("path", "kind"), [("/broken", "503"), ("/silent", "no answer")])
def test_failures_are_counted_by_kind(origin: str, path: str, kind: str) -> None:
    found = run(plan(origin, paths=("/", path)))
    step = found.steps[-1]

    assert dict(step.failures).keys() == {kind}
    assert step.failed == pytest.approx(step.good, rel=0.3)


ALONE = """
import sys, threading
sys.path[:0] = ["plugins", "."]
from tests.engine.integrations.locust.test_truth import plan, run
run(plan(sys.argv[1], workers=2, step_s=60))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_whoever_began_it(origin: str, number: signal.Signals) -> None:
    """Even SIGKILL, which nobody can handle: each of its processes sees its standard input close."""
    with subprocess.Popen([sys.executable, "-c", ALONE, origin], cwd=HOUSE) as process:
        wait_until(lambda: len(Known.seen) > 10, within_s=60)
        children = [one for one in family(process.pid) if one.pid != process.pid]
        assert sum(str(LOCUSTFILE) in one.cmdline() for one in children) == 3
        os.kill(process.pid, number)
        process.wait(20)

        wait_until(lambda: all(is_gone(one) for one in children))
        asked = len(Known.seen)
    assert len(Known.seen) == asked, "nothing is sent any more"


def test_nothing_is_left_after_a_run(origin: str) -> None:
    run(replace(plan(origin), users=(2,)))

    me = psutil.Process()
    left = [
        one for one in me.children(recursive=True) if not is_gone(one) and str(LOCUSTFILE) in one.cmdline()
    ]
    assert left == []


def test_a_worker_elsewhere_joins_by_locusts_own_protocol(origin: str, tmp_path: Path) -> None:
    """As docs/load.md says: the plan comes from the master, the credentials from its own environment."""
    port = free_port()
    locustfile = shutil.copy(LOCUSTFILE, tmp_path)
    words = ("-f", locustfile, "--worker", "--master-host", "127.0.0.1", "--master-port", str(port))
    own = {**os.environ, "KAMIYO_LOAD_CREDENTIALS": '{"headers": {"X-API-Key": "of elsewhere"}}'}
    with subprocess.Popen(
        [*command_of(""), *words], cwd=tmp_path, env=own, stdin=subprocess.DEVNULL
    ) as other:
        found = run(
            plan(origin, workers=1, remote_workers=1, port=port, secret_headers={"X-API-Key": "of here"})
        )
        other.wait(20)

    assert found.workers == 2
    assert all(is_held(step) for step in found.steps)
    assert {head["x-api-key"] for _, head in Known.seen} == {"of here", "of elsewhere"}


def test_a_worker_that_never_comes_is_told(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_WITHIN_S", 2)
    with pytest.raises(NoAnswer, match="Gave up waiting for workers to connect"):
        run(plan(origin, remote_workers=1, port=free_port()))

    assert Known.seen == []


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
