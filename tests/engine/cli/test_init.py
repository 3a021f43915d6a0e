"""`kamiyo-verify init` writes a project for an unknown platform, and that project gives a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.cli.init.command import main
from tests.support.strange_server import PASSWORD, locked, strange_server

QUICK = "\n[confirmation]\nspacing_s = 0.1\nfinal_after_s = 0.5\nper_minute = 6000\nat_most_s = 10\n"
SIGN_IN = ("--sign-in", "json", "--user", "ann")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "notes.sqlite"


@pytest.fixture
def origin(database: Path) -> Iterator[str]:
    with strange_server(database) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, origin: str) -> Path:
    folder = tmp_path / "verify"
    folder.mkdir()
    arguments = ["--url", f"notes={origin}", *SIGN_IN, "--folder", str(folder), "--no-plan"]
    assert main(arguments) == 0
    return folder


def verify(folder: Path, *arguments: str, password: str = PASSWORD) -> dict[str, Any]:
    with (folder / "environments" / "prod.toml").open("a") as file:
        file.write(QUICK)
    environment = {**os.environ, "NOTES_PASSWORD": password, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "postdeploy", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    [path] = folder.glob("reports/prod/*/verdict.json")
    verdict: dict[str, Any] = json.loads(path.read_text())
    verdict["output"] = ran.stdout + ran.stderr
    assert ran.returncode == verdict["exit_code"], verdict["output"]
    assert PASSWORD not in verdict["output"]
    return verdict


def statuses(verdict: dict[str, Any]) -> dict[str, str]:
    return {item["id"].removeprefix("postdeploy.notes-"): item["status"] for item in verdict["items"]}


def test_a_healthy_platform_is_proceed_with_no_line_written_by_hand(project: Path) -> None:
    verdict = verify(project)

    assert verdict["recommendation"] == "proceed", verdict["output"]
    assert statuses(verdict) == {
        "healthy": "passed",
        "data": "passed",
        "sign-in": "passed",
        "commit": "not_applicable",
    }


def test_the_project_is_short(project: Path) -> None:
    files = [path for path in project.rglob("*") if path.is_file()]
    assert sum(len(path.read_text().splitlines()) for path in files) <= 90


def test_a_locked_database_is_rolled_back_without_a_control_address(project: Path, database: Path) -> None:
    with locked(database):
        verdict = verify(project)

    assert verdict["recommendation"] == "roll_back", verdict["output"]
    assert statuses(verdict)["healthy"] == "passed"


def test_our_own_wrong_password_is_inconclusive_and_names_the_variable(project: Path) -> None:
    verdict = verify(project, password="not-the-password")

    assert verdict["recommendation"] == "inconclusive", verdict["output"]
    assert "NOTES_PASSWORD" in verdict["headline"]
    assert "not-the-password" not in verdict["output"]


def test_a_commit_that_nothing_reports_is_said_and_never_proceed(project: Path) -> None:
    verdict = verify(project, "--commit", "0123456789abcdef")

    assert verdict["recommendation"] == "inconclusive", verdict["output"]
    said = " ".join(verdict["output"].split())
    cure = 'set commit.header = "X-Commit" in the service\'s table of the environment file'
    whole = f"nothing tells which commit answers: {cure}, or run without --commit"
    assert whole in said, "the cure is not cut"


def test_nothing_is_overwritten(project: Path, origin: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (project / "runbook.toml").read_text()
    assert main(["--url", origin, "--folder", str(project), "--no-plan"]) == 2

    assert (project / "runbook.toml").read_text() == before
    assert "exist already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sign-in", "json"], "--user"),
        (["--sign-in", "json", "--user", "ann", "--password", "hunter2"], "NAME of a variable"),
        (["--sign-in", "json", "--user", "ann", "--sign-in-at", "api"], "no service is called api"),
    ],
)
def test_a_wrong_option_writes_nothing(
    arguments: list[str], told: str, origin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert main(["--url", origin, "--folder", str(folder), "--no-plan", *arguments]) == 2

    said = capsys.readouterr().err
    assert told in said
    assert "hunter2" not in said
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ("example.com", "--control: must be an http(s) URL with a host"),
        ("https://ada:hunter2@example.com", "--control: must hold no user or password"),
    ],
)
def test_a_control_address_that_the_environment_would_refuse_is_refused(
    control: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--url", "http://127.0.0.1:1", "--folder", str(tmp_path), "--no-plan", "--control", control])
    said = capsys.readouterr().err
    assert told in said
    assert "hunter2" not in said


def test_an_address_that_does_not_answer_writes_nothing(tmp_path: Path) -> None:
    assert main(["--url", "http://127.0.0.1:1", "--folder", str(tmp_path), "--no-plan"]) == 2
    assert [*tmp_path.iterdir()] == []
