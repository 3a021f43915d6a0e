"""Recorded evidence is judged again: the same by the same runbook, otherwise by another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kamiyo_verify.cli import replay
from kamiyo_verify.evidence.recording import judged, read_recording
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.words import Action, Status
from kamiyo_verify.reporting.json import verdict_json
from tests.support.evidence_for import LIVE, SIGN_IN, result
from tests.support.recorded_runs import recorded, written
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

CHECKS = """
@pytest.mark.item("postdeploy.health")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_health(service, measure, record):
    measure("latency", [1.0, 1e-17, 212], unit="ms")
    measure("whole", 3)
    measure("nothing", None)
    record(Exchange("GET", "http://x/health?token=canary-token", 200, 8.0, "req-1"))

@pytest.mark.item("postdeploy.data")
def test_data():
    raise NoAnswer(NoAnswerKind.TIMEOUT, "nothing came – not “even” a byte \\x1b[31m")

tries = []

@pytest.mark.item("postdeploy.list")
def test_list():
    tries.append(1)
    assert len(tries) == 3, "the password is s3cret-canary"
"""


def test_a_run_is_judged_again_to_the_byte(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    ran = toy.run("-m", "postdeploy", env={"TOY_PASSWORD": "s3cret-canary", "TOY_API_KEY": "Primary"})
    assert ran.report is not None

    assert replay.main([str(ran.report), "--output", str(toy.folder / "again.json")]) == replay.SAME
    assert "1 of 1 verdicts are identical to the byte" in capsys.readouterr().out
    assert (toy.folder / "again.json").read_bytes() == (ran.report / "verdict.json").read_bytes()
    assert "canary" not in ran.everything_written()


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "preflight"),
        ("-k", "health"),
        ("-m", "postdeploy", "--deadline", "0.01"),
        ("-m", "postdeploy", "--commit", "9c41d07", "-n", "2"),
        ("-m", "postdeploy", "-x"),
    ],
    ids=" ".join,
)
def test_every_kind_of_run_can_be_judged_again(toy: Toy, arguments: tuple[str, ...]) -> None:
    """The fixture itself judges them again."""
    toy.check("postdeploy/test_a.py", CHECKS)
    assert toy.run(*arguments).verdict


def test_a_run_whose_report_broke_can_be_judged_again(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    toy.write(
        "conftest.py",
        (toy.folder / "conftest.py").read_text()
        + "import kamiyo_verify.reporting.report\n"
        + "def breaks(verdict):\n"
        + "    if verdict.items: raise OSError('no space')\n"
        + "    return ''\n"
        + "kamiyo_verify.reporting.report.FILES['deployment.md'] = breaks\n",
    )
    ran = toy.run("-m", "postdeploy")
    assert ran.code == int(pytest.ExitCode.INTERNAL_ERROR)
    assert ran.verdict.headline == "no verdict: the report could not be made: OSError: no space"


def test_the_runs_of_a_ledger_are_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    monkeypatch.setenv("KAMIYO_LEDGER_URL", url)
    with Store.opened(url) as store:
        store.add(recorded(tmp_path, run="good", minute=0))
        store.add(recorded(tmp_path, result(LIVE, Status.FAILED), run="live-broken", minute=1))
        store.add(recorded(tmp_path, result(SIGN_IN, Status.FAILED), run="killed", minute=2, cut=2))

    assert replay.main(["--ledger"]) == replay.SAME
    out = capsys.readouterr().out
    assert "3 of 3 verdicts are identical to the byte" in out
    assert [line.split() for line in out.splitlines()[1:4]] == [
        ["good", "proceed", "proceed", "no"],
        ["live-broken", "fix_forward", "fix_forward", "no"],
        ["killed", "inconclusive", "inconclusive", "no"],
    ]


def test_another_policy_shows_what_it_would_have_said(
    toy: Toy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.check("postdeploy/test_a.py", CHECKS.replace("len(tries) == 3", "False"))
    ran = toy.run("-m", "postdeploy", "-k", "health or list")
    mild = (toy.folder / "runbook.toml").read_text()
    other = mild.replace('id = "postdeploy.list"', 'id = "postdeploy.listed"')
    toy.write("stranger.toml", other)
    listed = 'title = "postdeploy.list"\nimpact = '
    assert f'{listed}"feature"' in mild
    toy.write("strict.toml", mild.replace(f'{listed}"feature"', f'{listed}"core"'))
    monkeypatch.chdir(toy.folder)

    assert ran.verdict.recommendation is Action.INCONCLUSIVE
    assert replay.main([str(ran.report), "--policy", "strict.toml"]) == replay.SAME
    out = capsys.readouterr().out
    assert "inconclusive  roll_back     yes" in out
    assert "now:  core functionality is broken" in out
    assert "by strict.toml: another call for 1 of 1" in out

    assert replay.main(["--ledger", "--env", "toy", "--policy", "stranger.toml"]) == replay.SAME
    assert "another call for 0 of 1" in capsys.readouterr().out


def test_what_was_changed_afterwards_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, result(SIGN_IN, Status.FAILED))
    verdict = verdict_json(judged(read_recording(path)))
    (tmp_path / "verdict.json").write_text(verdict.replace('"roll_back"', '"proceed"'))
    assert replay.main([str(tmp_path)]) == replay.DIFFERENT
    assert "0 of 1 verdicts are identical" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a run's folder, or --ledger"),
        (["somewhere", "--ledger"], "name a run's folder, or --ledger"),
        (["nowhere"], "nowhere/evidence.jsonl"),
        (["old"], "begins with no run that can be judged again"),
        (["--ledger", "--env", "none"], "there are"),
        (["old", "--policy", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_mistakes_are_told(
    toy: Toy,
    arguments: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(toy.folder)
    toy.environment()
    toy.write("environments/second.toml", (toy.folder / "environments/toy.toml").read_text())
    toy.write("old/evidence.jsonl", json.dumps({"kind": "run", "environment": "toy"}) + "\n")
    assert replay.main(arguments) == replay.USAGE
    assert told in capsys.readouterr().err
