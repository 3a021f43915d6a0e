"""The sandbox comes up quickly, and nothing of it outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from sandbox.faults import FAULTS
from tests.support.sandbox_process import (
    COMMAND,
    HOUSE,
    Sandbox,
    family,
    folder_of,
    is_gone,
    request,
    started,
    wait_until,
)
from tests.support.stopwatch import Stopwatch


@contextmanager
def leaving_nothing(sandbox: Sandbox) -> Iterator[list[psutil.Process]]:
    """What the block does must end every process of the sandbox and remove its folder."""
    processes = family(sandbox.process.pid)
    folder = folder_of(processes)
    assert folder.is_dir()
    yield processes
    wait_until(lambda: all(is_gone(process) for process in processes))
    wait_until(lambda: not folder.exists())


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Whatever the block finds, nobody waits for this process for ever."""
    try:
        yield
    finally:
        process.kill()


def test_it_is_ready_soon() -> None:
    watch = Stopwatch()
    with started() as sandbox:
        took = watch.seconds
        assert sandbox.get("/ready").status_code == 200
    assert took < 10


def test_it_ends_when_standard_input_closes() -> None:
    with started() as sandbox, leaving_nothing(sandbox):
        assert sandbox.process.stdin is not None
        sandbox.process.stdin.close()
        assert sandbox.process.wait(15) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(number: signal.Signals) -> None:
    with started() as sandbox, leaving_nothing(sandbox):
        sandbox.process.send_signal(number)
        assert sandbox.process.wait(15) == 0


def test_nothing_is_left_when_it_is_killed() -> None:
    with started() as sandbox, leaving_nothing(sandbox):
        sandbox.process.kill()


def test_nothing_is_left_when_whoever_started_it_is_killed() -> None:
    start = f"import subprocess; subprocess.Popen({COMMAND!r}, stdin=subprocess.PIPE).wait()"
    with (
        subprocess.Popen(
            [sys.executable, "-c", start], stdout=subprocess.PIPE, text=True, cwd=HOUSE
        ) as parent,
        ended(parent),
    ):
        assert parent.stdout is not None
        told = json.loads(parent.stdout.readline())
        with leaving_nothing(Sandbox(parent, told)):
            parent.kill()


def test_nothing_is_left_when_it_is_ended_while_it_starts() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HOUSE) as process:
        assert process.stdin is not None
        wait_until(lambda: len(family(process.pid)) > 2)
        processes = family(process.pid)
        process.stdin.close()
        assert process.wait(15) == 0
    wait_until(lambda: all(is_gone(process) for process in processes))


def test_two_live_side_by_side() -> None:
    with started() as one, started() as other:
        addresses = {one.api, one.frontend, one.control, other.api, other.frontend, other.control}
        assert len(addresses) == 6
        with one.fault("exploits-vanished"):
            assert one.get("/health").json()["database_exploits"] == 0
            assert other.get("/health").json()["database_exploits"] > 0


def test_it_says_so_when_its_database_dies() -> None:
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOUSE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        [postgres] = [p for p in psutil.Process(process.pid).children() if p.name() == "postgres"]
        postgres.kill()
        assert process.wait(20) == 1
        assert process.stderr.read().startswith("sandbox: PostgreSQL ended by itself with status -9")


def test_secrets_come_from_the_environment_where_it_has_them() -> None:
    brought = {"SANDBOX_API_KEY": "km_canary", "SANDBOX_DATABASE_PASSWORD": "canary-of-the-reader"}
    with started(environment=brought) as sandbox:
        assert sandbox.secret("API_KEY") == "km_canary"
        assert "verifier:canary-of-the-reader@" in sandbox.secret("DATABASE_URL")
        assert sandbox.get("/chains").headers["X-RateLimit-Tier"] == "enterprise"


def test_options_reach_the_platform() -> None:
    with started("--fault", "health-degraded", "--commit", "c0ffee", "--heartbeat", "7") as sandbox:
        health = sandbox.get("/health")
        assert health.json()["status"] == "degraded"
        assert health.headers["X-Commit"] == "c0ffee"
        assert sandbox.launched["settings"]["api.heartbeat_s"] == 7


def test_help_teaches_every_fault() -> None:
    said = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True, cwd=HOUSE).stdout
    assert all(name in said for name in FAULTS)


@pytest.mark.parametrize("arguments", [("--fault", "no-such"), ("--heartbeat", "0"), ("--latency", "x")])
def test_a_wrong_option_is_refused(arguments: tuple[str, str]) -> None:
    refused = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=HOUSE)
    assert refused.returncode == 2
    assert "usage:" in refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a stand-in")
def test_root_does_not_run_the_database_itself() -> None:
    with started() as sandbox:
        database = [p for p in family(sandbox.process.pid) if p.name() == "postgres"]
        assert database
        assert all(process.uids().real != 0 for process in database)


def test_the_switchboard_knows_its_faults() -> None:
    with started() as sandbox:
        assert request("GET", sandbox.control).status_code == 200
        faults = request("GET", f"{sandbox.control}/faults").json()
        assert faults == {"on": [], "known": FAULTS}
        unknown = request("POST", f"{sandbox.control}/faults/no-such")
        assert unknown.status_code == 404
        assert "api-down" in unknown.json()["detail"]
        for name in ("api-errors", "slow"):
            request("POST", f"{sandbox.control}/faults/{name}")
        cleared = request("DELETE", f"{sandbox.control}/faults").json()
        assert cleared["on"] == []
        assert sandbox.get("/health").status_code == 200
