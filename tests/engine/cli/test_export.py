"""`kamiyo-verify export`: a verdict that is there already goes where a run's own goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kamiyo_verify.cli.export import main
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.reporting.json import verdict_json
from tests.support.evidence_for import FAILED, SIGN_IN, evidence, result
from tests.support.listeners import COMMIT, REPOSITORY, listening

ENVIRONMENT = """
[services.api]
url = "https://api.example.com"
[services.frontend]
url = "https://www.example.com"
[exports]
files = ["ctrf", "metrics"]
[github]
address = "{origin}"
token = "TOY_GITHUB_TOKEN"
repository = "{repository}"
status_context = "places"
[prometheus]
pushgateway = "{origin}/push"
"""
TOKEN = "kanarienT0ken4711"


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOY_GITHUB_TOKEN", TOKEN)
    for name in ("GITHUB_REPOSITORY", "GITHUB_RUN_ID", "BUILD_URL"):
        monkeypatch.delenv(name, raising=False)


def project(origin: str) -> Path:
    Path("environments").mkdir()
    text = ENVIRONMENT.format(origin=origin, repository=REPOSITORY)
    Path("environments/test.toml").write_text(text, encoding="utf-8")
    broken = result(SIGN_IN, FAILED, f"sign-in answers 500 to {TOKEN}")
    verdict = decide(evidence(broken, commit=COMMIT, environment="test"))
    folder = Path("reports/places")
    folder.mkdir(parents=True)
    (folder / "verdict.json").write_text(verdict_json(verdict), encoding="utf-8")
    return folder


def test_the_files_are_written_and_the_systems_told(capsys: pytest.CaptureFixture[str]) -> None:
    with listening() as found:
        folder = project(found.origin)
        assert main([str(folder), "--env", "test", "--report-url", "https://reports.example.com/1"]) == 0
    assert capsys.readouterr() == ("", "")
    [(path, status)] = found.received("POST")
    assert path == f"/repos/{REPOSITORY}/statuses/{COMMIT}"
    assert (status["state"], status["target_url"]) == ("failure", "https://reports.example.com/1")
    assert len(found.pushed) == 1
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("ctrf.json", "metrics.prom")]
    assert json.loads(texts[0])["extra"]["recommendation"] == "roll_back"
    assert 'recommendation="roll_back"} 1.0' in texts[1]
    assert TOKEN not in "".join(texts) + str(found.received("POST"))


def test_what_was_not_told_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with listening(refusing=403) as found:
        folder = project(found.origin)
        assert main([str(folder / "verdict.json"), "--env", "test"]) == 1
    told = capsys.readouterr().err
    assert "GitHub commit status: " in told
    assert "Pushgateway: " in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--env", "test"], "nowhere"),
        (["reports/places", "--env", "prdo"], 'no environment "prdo"'),
        (["reports/places", "--env", "other"], "is of the environment 'test', not 'other'"),
        (["reports/places", "--env", "test", "--report-url", "here"], "--report-url: must be an http(s) URL"),
    ],
)
def test_a_mistake_is_one_clear_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project("http://127.0.0.1:9")
    text = Path("environments/test.toml").read_text(encoding="utf-8")
    Path("environments/other.toml").write_text(text, encoding="utf-8")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
