"""The call of a CI job reaches other systems, where the last of its runs has told them something else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kamiyo_verify.cli.ci.__main__ import main
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.reporting.json import verdict_json
from tests.support.evidence_for import FAILED, SIGN_IN, evidence, result
from tests.support.listeners import COMMIT, REPOSITORY, Listeners, listening
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

ENVIRONMENT = """
[services.api]
url = "https://api.example.com"
[exports]
{exports}
[github]
address = "{origin}"
token = "TOY_GITHUB_TOKEN"
repository = "{repository}"
status_context = "job"
[prometheus]
pushgateway = "{origin}/push"
"""
TOKEN = "kanarienT0ken4711"
WELL, BROKEN, KILLED = "well", "broken", "killed"
STATUS = f"/repos/{REPOSITORY}/statuses/{COMMIT}"

RUN = f"""#!{sys.executable}
import json, pathlib, shutil, sys
words = dict(word.split("=", 1) for word in sys.argv if word.startswith("--") and "=" in word)
phase = sys.argv[sys.argv.index("-m", 2) + 1]
folder = pathlib.Path(words["--report-dir"])
folder.mkdir(parents=True)
found = pathlib.Path(f"{{phase}}.json")
if not found.exists():
    sys.exit(1)
shutil.copy(found, folder / "verdict.json")
sys.exit(json.loads(found.read_text())["exit_code"])
"""


def job(
    folder: Path,
    found: Listeners,
    runs: Mapping[str, str],
    *words: str,
    exports: str = "",
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    """Verify in a job whose runs have ended before: each well, broken or killed."""
    (folder / "environments").mkdir()
    text = ENVIRONMENT.format(origin=found.origin, repository=REPOSITORY, exports=exports)
    (folder / "environments" / "test.toml").write_text(text, encoding="utf-8")
    program = folder / "python"
    program.write_text(RUN)
    program.chmod(0o755)
    for phase, how in runs.items():
        results = [result(SIGN_IN, FAILED, f"sign-in answers 500 to {TOKEN}")] if how == BROKEN else []
        verdict = replace(decide(evidence(*results, commit=COMMIT, environment="test")), phase=phase)
        if how != KILLED:
            (folder / f"{phase}.json").write_text(verdict_json(verdict), encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("TOY_GITHUB_TOKEN", TOKEN)
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "BUILD_URL"):
        monkeypatch.delenv(name, raising=False)
    arguments = ["verify", "--env=test", f"--commit={COMMIT}", f"--phases={' '.join(runs)}", "reports"]
    return main([*arguments, *words])


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ({"deploy": BROKEN, "postdeploy": WELL}, "failure"),
        ({"deploy": WELL, "postdeploy": KILLED}, "error"),
        ({"postdeploy": KILLED}, "error"),
        ({"deploy": KILLED, "postdeploy": WELL}, "error"),
    ],
    ids=str,
)
def test_a_call_that_the_last_run_did_not_make_is_sent_once(
    runs: dict[str, str],
    state: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listening() as found:
        assert job(tmp_path, found, runs, monkeypatch=monkeypatch) == 0
        sent = found.received("POST", STATUS)
        pushed = found.pushed
    assert [body["state"] for _, body in sent] == [state]
    assert len(pushed) == 1
    assert TOKEN not in str(sent) + pushed[0].request_body.decode() + capsys.readouterr().out


@pytest.mark.parametrize(
    ("runs", "words", "exports"),
    [
        ({"deploy": WELL, "postdeploy": WELL}, (), ""),
        ({"postdeploy": BROKEN}, (), ""),
        ({"deploy": WELL, "postdeploy": BROKEN}, (), ""),
        ({"deploy": BROKEN, "postdeploy": WELL}, ("--", "--no-notify"), ""),
        ({"deploy": BROKEN, "postdeploy": WELL}, ("--", "--baseline"), ""),
        ({"deploy": BROKEN, "postdeploy": WELL}, (), 'phases = ["preflight"]'),
    ],
    ids=str,
)
def test_what_the_last_run_has_sent_or_nobody_wants_is_not_sent(
    runs: dict[str, str],
    words: tuple[str, ...],
    exports: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening() as found:
        assert job(tmp_path, found, runs, *words, exports=exports, monkeypatch=monkeypatch) == 0
        assert found.wire.seen == []


def test_phases_that_are_not_sent_are_sent_where_the_command_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {"deploy": BROKEN, "postdeploy": WELL}
    with listening() as found:
        job(tmp_path, found, runs, "--", "--notify", exports="phases = []", monkeypatch=monkeypatch)
        assert [body["state"] for _, body in found.received("POST", STATUS)] == ["failure"]


def test_a_system_that_refuses_changes_nothing_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(refusing=403) as found:
        assert job(tmp_path, found, {"postdeploy": KILLED}, monkeypatch=monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "Export       not sent; the call does not change: Pushgateway: " in shown
    assert "GitHub commit status: " in shown
    assert main(["exit", "reports"]) == 30


@pytest.mark.exhaustive
def test_real_runs_send_their_own_calls_and_the_job_its_own_last(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with listening() as found:
        text = ENVIRONMENT.format(origin=found.origin, repository=REPOSITORY, exports="patience_s = 15")
        toy.environment(more=text.replace('[services.api]\nurl = "https://api.example.com"\n', ""))
        toy.items({"deploy.live": "core", "postdeploy.health": "core"})
        toy.check(
            "deploy/test_a.py", '@pytest.mark.item("deploy.live")\ndef test_live():\n    assert False, "away"'
        )
        well = f'def test_health(measure):\n    measure("commit", "{COMMIT}")'
        toy.check("postdeploy/test_b.py", f'@pytest.mark.item("postdeploy.health")\n{well}')
        monkeypatch.setenv("TOY_GITHUB_TOKEN", TOKEN)
        monkeypatch.chdir(toy.folder)
        reports = str(tmp_path / "reports")
        assert main(["verify", "--env=toy", f"--commit={COMMIT}", reports]) == 0
        states = [body["state"] for _, body in found.received("POST", STATUS)]
        code = main(["exit", reports])
    assert states == ["failure", "success", "failure"]
    assert code == 20
