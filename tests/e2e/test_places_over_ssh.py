"""`kamiyo-verify places run` over a real sshd: three places look at one sandbox, each with its own faults."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.runs import CANARIES, CANARY, EXHAUSTIVE, variables
from tests.e2e.stage import QUICK, Stage, staged
from tests.e2e.test_several_places import HOSTS, NOBODY
from tests.support.misbehaving_proxy import Fate
from tests.support.sandbox_process import HOUSE, Sandbox, started, wait_until
from tests.support.ssh_server import NEEDS_SSHD, SshServer, ssh_server

pytestmark = [EXHAUSTIVE, NEEDS_SSHD]

PATIENCE_S = 400
COPIED = ("checks", "plugins", "conftest.py", "runbook.toml", "pyproject.toml")


@dataclass
class Places:
    """A project, and a copy of it with a .env of its own for each place."""

    stages: dict[str, Stage]
    folder: Path
    server: SshServer
    host: str = "place"

    def environment(self, **controls: str) -> None:
        """Write the environment of each place, and that of the project with all places."""
        tables = ""
        for name, stage in self.stages.items():
            given = {"urls": controls[name]} if name in controls else {}
            file = stage.environment(**given).rename(stage.folder / "environments" / "brief.toml")
            text = file.read_text(encoding="utf-8")
            host = self.host if name == "tokyo" else "place"
            where = f'ssh = "{host}"\nssh_config = "{self.server.config}"\nfolder = "{stage.folder}"'
            tables += f'\n[places.{name}]\n{where}\npython = "{sys.executable}"\n'
        path = self.folder / "project" / "environments" / "brief.toml"
        path.write_text(text + tables, encoding="utf-8")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start the command, without any credential in its environment."""
        command = [sys.executable, "-m", "kamiyo_verify.cli", "places", "run", "--env=brief", "-m", QUICK]
        hidden = ("PYTEST_", "SANDBOX_", "KAMIYO_")
        return subprocess.Popen(
            [*command, f"--output={self.folder / 'all'}", *words],
            cwd=self.folder / "project",
            env={name: value for name, value in os.environ.items() if not name.startswith(hidden)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Run to the end; return the exit code, the verdict and the output."""
        process = self.begin(*words)
        output, _ = process.communicate(timeout=PATIENCE_S)
        path = self.folder / "all" / "verdict.json"
        assert path.exists(), output
        return process.returncode, json.loads(path.read_text(encoding="utf-8")), output


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5", environment=CANARIES) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as found:
        yield found


@pytest.fixture
def places(running: Sandbox, server: SshServer, tmp_path: Path) -> Iterator[Places]:
    with ExitStack() as stack:
        stages = {
            name: stack.enter_context(staged(running, tmp_path / name, host)) for name, host in HOSTS.items()
        }
        for name in (*HOSTS, "project"):
            folder = tmp_path / name
            (folder / "environments").mkdir(parents=True)
            for part in COPIED:
                source = HOUSE / part
                copy = shutil.copytree if source.is_dir() else shutil.copy
                copy(source, folder / part)
        lines = [f"{name}='{value}'\n" for name, value in variables(running).items()]
        for name in HOSTS:
            (tmp_path / name / ".env").write_text("".join(lines), encoding="utf-8")
        found = Places(stages, tmp_path, server)
        found.environment()
        (tmp_path / "project" / "reports").mkdir()
        yield found


def left_out(verdict: dict[str, Any]) -> dict[str, str]:
    return {one["place"]: one["left_out"] for one in verdict["places"] if one["left_out"]}


def test_three_of_three_broken_is_the_platform(places: Places) -> None:
    for stage in places.stages.values():
        stage.frontend.breaks(Fate.STATUS, path="/api/auth/")
    code, verdict, output = places.run()

    assert code == 20, output
    assert "the platform, not a region" in verdict["headline"]
    assert {one["recommendation"] for one in verdict["places"]} == {"roll_back"}
    assert left_out(verdict) == {}
    assert CANARY.casefold() not in output.casefold()


def test_one_of_three_broken_is_regional(places: Places) -> None:
    places.stages["virginia"].frontend.breaks(Fate.STATUS, path="/api/auth/")
    code, verdict, output = places.run()

    assert code == 10, output
    assert "regional: it fails at 1 of 3 places (virginia)" in verdict["headline"]
    for name in HOSTS:
        assert (places.folder / "all" / name / "evidence.jsonl").exists()
        assert (places.folder / "all" / name / "output.txt").exists()


def test_a_place_without_network_is_left_out(places: Places) -> None:
    for proxy in (places.stages["tokyo"].api, places.stages["tokyo"].frontend):
        proxy.breaks(Fate.REFUSE)
    places.environment(tokyo=NOBODY)
    code, verdict, output = places.run()

    assert code == 0, output
    assert "tokyo left out" in verdict["headline"]
    assert "its own network is in doubt" in left_out(verdict)["tokyo"]


@pytest.mark.parametrize(
    ("host", "why"),
    [("closed", "Connection refused"), ("stranger", "Host key verification failed")],
    ids=["refused", "another host key"],
)
def test_a_place_that_ssh_does_not_reach_is_left_out(host: str, why: str, places: Places) -> None:
    places.host = host
    places.environment()
    code, verdict, output = places.run()

    assert code == 0, output
    assert list(left_out(verdict)) == ["tokyo"]
    assert "it cannot be reached: " in left_out(verdict)["tokyo"]
    assert why in left_out(verdict)["tokyo"]


def test_another_commit_of_the_checks_is_left_out(places: Places) -> None:
    with (places.stages["tokyo"].folder / "runbook.toml").open("a", encoding="utf-8") as file:
        file.write("# another\n")
    code, verdict, output = places.run()

    assert code == 0, output
    assert left_out(verdict) == {"tokyo": "it has another commit of the checks: runbook.toml differs"}


def remote_runs(places: Places) -> list[psutil.Process]:
    """The processes that run in the folders of the places."""
    folders = {str(stage.folder) for stage in places.stages.values()}

    def folder_of(process: psutil.Process) -> str:
        try:
            return str(process.cwd())
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            return ""

    return [process for process in psutil.process_iter() if folder_of(process) in folders]


def test_runs_that_are_not_done_in_time_are_ended_and_left_out(places: Places) -> None:
    for stage in places.stages.values():
        for proxy in (stage.api, stage.frontend):
            proxy.breaks(Fate.SLOW, delay_s=1)  # whatever the machine, forty items take longer than the limit
    code, verdict, output = places.run("--within=6s")

    assert code == 30, output
    assert {*left_out(verdict).values()} == {"it was not done after 6 s"}
    wait_until(lambda: remote_runs(places) == [], within_s=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_whatever_ends_the_command_ends_the_remote_runs(number: signal.Signals, places: Places) -> None:
    process = places.begin()
    reports = [stage.folder / "reports" for stage in places.stages.values()]
    wait_until(lambda: all([*report.rglob("evidence.jsonl")] for report in reports), within_s=60)
    assert len(remote_runs(places)) >= len(HOSTS)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    wait_until(lambda: remote_runs(places) == [], within_s=30)
    assert not (places.folder / "all" / "verdict.json").exists()
    if number != signal.SIGKILL:
        assert process.returncode == 2, output
        assert "the runs at all places have ended" in output
