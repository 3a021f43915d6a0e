"""`kamiyo-verify notify`: a person sees which channels work, and announces a deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.cli.notify import main
from tests.support.channels import PATIENT_S, TOKEN, listening, received_messages
from tests.support.hostile_server import answer, saying
from tests.support.toy_project import ROOT

ENVIRONMENT = """
title = "Kamiyo"
[services.api]
url = "http://127.0.0.1:9"
[services.frontend]
url = "http://127.0.0.1:9"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "environments").mkdir()
    (tmp_path / "runbook.toml").write_bytes((ROOT / "runbook.toml").read_bytes())
    environment(tmp_path, f'channels = ["TEAM_URL", "OTHER_URL"]\npatience_s = {PATIENT_S}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environment(project: Path, notifications: str) -> None:
    text = f"{ENVIRONMENT}[notifications]\n{notifications}\n"
    (project / "environments/live.toml").write_text(text, encoding="utf-8")


def test_a_test_message_shows_which_channels_work(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening() as (server, address), listening(saying(answer(b"{}", "403 No"))) as (_, refusing):
        monkeypatch.setenv("TEAM_URL", address)
        (project / ".env").write_text(f"OTHER_URL={refusing}\n", encoding="utf-8")
        assert main(["test", "--env", "live"]) == 1
        [message] = received_messages(server)

    out, err = capfd.readouterr()
    assert out == "TEAM_URL (json): told\nOTHER_URL (json): answered 403\n"
    assert TOKEN not in out + err
    assert message["title"] == "[TEST] Kamiyo live: notifications arrive here"


def test_a_deployment_is_announced_before_it_begins(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    environment(project, f'channels = ["TEAM_URL"]\npatience_s = {PATIENT_S}')
    with listening() as (server, address):
        monkeypatch.setenv("TEAM_URL", address)
        monkeypatch.setenv("GITHUB_ACTOR", "ada")
        assert main(["start", "--env", "live", "--commit", "9c41d07", "--branch", "main"]) == 0
        [message] = received_messages(server)

    assert message["title"] == "[DEPLOYMENT] Kamiyo live: commit 9c41d07 is being deployed"
    assert "- branch: main\n- by: ada\n" in message["message"]


@pytest.mark.parametrize(
    ("settings", "environment_name", "says"),
    [
        (
            "",
            "live",
            'live has no channels: write the names of variables that hold their addresses as channels = ["',
        ),
        ("chanels = []", "live", 'unknown key; did you mean "channels"?'),
        (
            'tell = ["succes"]',
            "live",
            'must be one of "start", "success", "failure"; did you mean "success"?',
        ),
        *(
            (
                f"channels = [{bad}]",
                "live",
                "notifications.channels: write a list of the NAMES of variables here",
            )
            for bad in (f'"discord://1/{TOKEN}"', '"TEAM_URL", "TEAM_URL"', '"team"', "7")
        ),
        ('channels = "TEAM_URL"', "live", "write a list of the NAMES of variables here, each once"),
        ("patience_s = 60", "live", "must be at most 15, not 60"),
        ("", "elsewhere", 'has no environment "elsewhere"'),
    ],
)
def test_a_mistake_is_told_once_and_clearly(
    project: Path, settings: str, environment_name: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    environment(project, settings)
    assert main(["test", "--env", environment_name]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert says in err
    assert "Traceback" not in err
    assert TOKEN not in err
