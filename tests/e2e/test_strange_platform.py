"""The wheel in an empty folder, against a real server of other people: devpi-server from PyPI."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.strange_server import locked, strange_server
from tests.support.virtual_environments import environment_with

ROOT = Path(__file__).parents[2]
PASSWORD = "open-sesame-1"
QUICK = (
    "\n[timeouts]\nanswer = 1\n[confirmation]\nspacing_s = 0.1\nfinal_after_s = 3\nper_minute = 6000\n"
    "at_most_s = 20\n"
)

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with nothing but the wheel and what it needs."""
    wheels = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(wheels), str(ROOT)], check=True, capture_output=True)
    [wheel] = wheels.glob("*.whl")
    return environment_with(tmp_path_factory.mktemp("ours") / "venv", str(wheel))


@pytest.fixture(scope="module")
def devpi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A running devpi-server; yields its origin and its database."""
    home = tmp_path_factory.mktemp("devpi")
    bin_ = environment_with(home / "venv", "devpi-server==6.20.3", "setuptools<82").parent
    data = home / "data"
    begin = [str(bin_ / "devpi-init"), "--serverdir", str(data), "--root-passwd", PASSWORD, "--no-root-pypi"]
    subprocess.run(begin, check=True, capture_output=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    serve = [str(bin_ / "devpi-server"), "--serverdir", str(data), "--port", str(port), "--host", "127.0.0.1"]
    with subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        origin = f"http://127.0.0.1:{port}"
        _wait_for(f"{origin}/+api")
        yield origin, data / ".sqlite"
        server.terminate()


def _wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except OSError:
            if time.monotonic() > until:
                raise


@pytest.fixture
def project(python: Path, devpi: tuple[str, Path], tmp_path: Path) -> Iterator[Path]:
    """What init writes, in an empty folder; a second server stands for an address that is not devpi's."""
    with strange_server(tmp_path / "control.sqlite") as control:
        folder = tmp_path / "verify"
        folder.mkdir()
        arguments = ["--url", devpi[0], "--sign-in", "json", "--sign-in-path", "/+login", "--user", "root"]
        init = [str(python.parent / "kamiyo-verify"), "init", *arguments, "--user-field", "user"]
        subprocess.run([*init, "--control", f"{control}/health"], cwd=folder, check=True, capture_output=True)
        yield folder


def verify(python: Path, folder: Path, *arguments: str, password: str = PASSWORD) -> dict[str, Any]:
    with (folder / "environments" / "prod.toml").open("a") as file:
        file.write(QUICK)
    ran = subprocess.run(
        [str(python), "-m", "pytest", "-m", "postdeploy", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "WEB_PASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    [path] = folder.glob("reports/prod/*/verdict.json")
    verdict: dict[str, Any] = json.loads(path.read_text())
    return {**verdict, "output": ran.stdout + ran.stderr}


def test_a_healthy_server_is_proceed_and_the_project_is_short(python: Path, project: Path) -> None:
    written = [path for path in project.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    lines = sum(len(path.read_text().splitlines()) for path in written)
    verdict = verify(python, project)

    assert verdict["recommendation"] == "proceed", verdict["output"]
    assert {item["id"] for item in verdict["items"]} >= {"postdeploy.web-data", "postdeploy.web-sign-in"}
    assert lines <= 90


def test_a_locked_database_is_rolled_back(python: Path, project: Path, devpi: tuple[str, Path]) -> None:
    with locked(devpi[1]):
        verdict = verify(python, project)
    assert verdict["recommendation"] == "roll_back", verdict["output"]


def test_our_wrong_password_is_inconclusive(python: Path, project: Path) -> None:
    verdict = verify(python, project, password="not-the-password")
    assert verdict["recommendation"] == "inconclusive", verdict["output"]
    assert "WEB_PASSWORD" in verdict["headline"]


def test_a_commit_that_nothing_reports_is_said(python: Path, project: Path) -> None:
    verdict = verify(python, project, "--commit", "0123456789abcdef")
    assert verdict["recommendation"] == "inconclusive", verdict["output"]
    assert "nothing tells which commit answers" in verdict["output"]
