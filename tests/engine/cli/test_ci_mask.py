"""`kamiyo-verify ci mask` tells the values of credentials to GitHub's log, and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.cli.ci.__main__ import main

LEDGER = "postgresql://verify:hunter2-of-the-ledger@db.example/ledger"
TOKEN = "line one of it\nline two: 100 % secret"
ENVIRONMENT = """title = "Notes"
[services.web]
url = "http://127.0.0.1:1"
[credentials.token]
variable = "NOTES_TOKEN"
send = "bearer"
services = ["web"]
"""
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "prod.toml").write_text(ENVIRONMENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOTES_TOKEN", TOKEN)
    monkeypatch.setenv("KAMIYO_LEDGER_URL", LEDGER)
    for name in ("GITHUB_ACTIONS", "GITHUB_RUN_ID", "GITHUB_OUTPUT", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def of_github(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GITHUB, "GITHUB_OUTPUT": str(project / "output")}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("of_github")
def test_each_credential_and_each_secret_part_of_one_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mask", "--env", "prod"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("::add-mask::") for line in lines)
    values = {line.removeprefix("::add-mask::") for line in lines}
    assert {LEDGER, "hunter2-of-the-ledger"} <= values
    assert {
        "line one of it%0Aline two: 100 %25 secret",
        "line one of it",
        "line two: 100 %25 secret",
    } <= values


@pytest.mark.parametrize("missing", ["GITHUB_ACTIONS", "GITHUB_RUN_ID", "GITHUB_OUTPUT"])
@pytest.mark.usefixtures("of_github")
def test_no_value_is_printed_outside_of_a_job_of_github(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(missing)
    assert main(["mask", "--env", "prod"]) == 0

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "nothing was masked: this is not a job of GitHub Actions\n"


@pytest.mark.usefixtures("of_github")
def test_a_mistake_in_the_environment_file_is_left_to_the_run_to_report(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "environments" / "prod.toml").write_text("tilte = 1\n")
    assert main(["mask", "--env", "prod"]) == 0
    assert "hunter2" not in "".join(capsys.readouterr())
