"""A round of runs on disk, its call, which follow-ups are due, and the log branch that several push to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.cli.ci import verifying
from kamiyo_verify.cli.ci.__main__ import main
from kamiyo_verify.cli.ci.rounds import RoundFile, read_round
from kamiyo_verify.cli.ci.verifying import Refused, planned, run_all
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.git.log_branch import LogBranch, NotPushed
from kamiyo_verify.integrations.github.control import GitHubControl
from kamiyo_verify.integrations.github.settings import GitHub as GitHubSettings
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.due import due
from kamiyo_verify.model.history.history import Deployed, PastRun
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.words import Action, Phase
from kamiyo_verify.reporting.json import verdict_json
from sandbox.outside.github import REPOSITORY
from tests.support.evidence_for import FAILED, SIGN_IN, evidence, result
from tests.support.github_runner import read_outputs
from tests.support.outside import COMMIT as DEPLOYED
from tests.support.outside import TIMEOUTS, Outside, credential, outside
from tests.support.sandbox_process import HOUSE

COMMIT = "9c41d07e5a3b2c1d0f9e8d7c6b5a493827160504"
LIVE = datetime.fromisoformat("2026-11-23T14:00:00+00:00")


def verdict_text(*results: Any, commit: str = COMMIT) -> str:
    return verdict_json(decide(evidence(*results, commit=commit, environment="prod")))


def round_in(folder: Path, *, codes: tuple[int | None, ...] = (0, 0), texts: tuple[str, ...] = ()) -> Path:
    """A round of deploy and postdeploy."""
    folder.mkdir(parents=True, exist_ok=True)
    told = planned("prod", COMMIT, "deploy postdeploy")
    for row, code in zip(told.turns, codes, strict=True):
        row.exit_code = code
    told.write(folder)
    for name, text in zip(("deploy", "postdeploy"), texts or (verdict_text(), verdict_text()), strict=False):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "verdict.json").write_text(text, encoding="utf-8")
    return folder


def test_all_well_is_proceed(tmp_path: Path) -> None:
    found = read_round(round_in(tmp_path))
    assert (found.recommendation, found.environment, found.commit) == (Action.PROCEED, "prod", COMMIT)


def test_the_worst_counts(tmp_path: Path) -> None:
    texts = (verdict_text(), verdict_text(result(SIGN_IN, FAILED)))
    assert read_round(round_in(tmp_path, codes=(0, 20), texts=texts)).recommendation is Action.ROLL_BACK


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "postdeploy" / "verdict.json").unlink(), "left no verdict (exit code 0)"),
        (lambda folder: (folder / "postdeploy" / "verdict.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "postdeploy" / "verdict.json").write_text("{}"), "cannot be read"),
        (lambda folder: (folder / "postdeploy" / "verdict.json").write_bytes(b"\xff"), "cannot be read"),
        (
            lambda folder: (folder / "postdeploy" / "verdict.json").write_text(
                verdict_text(commit="abcdef1")
            ),
            "another environment or commit",
        ),
        (
            lambda folder: (folder / "postdeploy" / "verdict.json").write_text(
                verdict_text().replace("kamiyo-verify/1", "kamiyo-verify/2")
            ),
            "of schema kamiyo-verify/2",
        ),
        (
            lambda folder: (folder / "postdeploy" / "verdict.json").write_text(
                verdict_text().replace('"exit_code": 0', '"exit_code": 10')
            ),
            "its verdict says 10",
        ),
        (lambda folder: round_in(folder, codes=(0, 3)), "ended with exit code 3"),
        (lambda folder: round_in(folder, codes=(0, None)), "was cut short"),
    ],
    ids=["gone", "torn", "empty", "binary", "another", "schema", "code", "crashed", "killed"],
)
def test_nothing_that_is_missing_or_strange_is_proceed(spoil: Any, why: str, tmp_path: Path) -> None:
    spoil(round_in(tmp_path))
    found = read_round(tmp_path)
    assert found.recommendation is Action.INCONCLUSIVE
    assert why in found.turns[1].why


@pytest.mark.parametrize("text", ["", "{", "[]", '{"environment": "prod"}'])
def test_a_round_that_cannot_be_read_is_inconclusive(text: str, tmp_path: Path) -> None:
    (tmp_path / "round.json").write_text(text)
    assert read_round(tmp_path).recommendation is Action.INCONCLUSIVE
    assert read_round(tmp_path / "nowhere").recommendation is Action.INCONCLUSIVE


def test_a_single_report_is_a_round_of_one(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(verdict_text())
    found = read_round(tmp_path)
    assert (found.recommendation, [turn.phase for turn in found.turns]) == (
        Action.PROCEED,
        ["postdeploy+performance"],
    )


def test_phases_come_in_the_runbooks_order_and_performance_once() -> None:
    told = planned("prod", COMMIT.upper(), "performance, postdeploy\ndeploy")
    assert [row.phase for row in told.turns] == ["deploy", "postdeploy"]
    assert told.commit == COMMIT
    assert [row.phase for row in planned("prod", "", "performance").turns] == ["performance"]


@pytest.mark.parametrize(
    ("environment", "commit", "phases", "told"),
    [
        ("../prod", "", "deploy", "no environment's name"),
        ("prod\n", "", "deploy", "no environment's name"),
        ("prod", "HEAD", "deploy", "no commit"),
        ("prod", "9c41d0", "deploy", "no commit"),
        ("prod", "", "deploy; ls", "no such phase"),
        ("prod", "", "", "no such phase"),
    ],
)
def test_words_from_outside_are_checked(environment: str, commit: str, phases: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        planned(environment, commit, phases)


@pytest.fixture
def imitation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """In place of pytest a program that does as the file says which is named like its phase."""
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\nimport runpy, sys\n"
        f"runpy.run_path({str(tmp_path)!r} + '/' + sys.argv[sys.argv.index('-m', 2) + 1] + '.py')\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path


def says(folder: Path, phase: str, script: str) -> None:
    (folder / f"{phase}.py").write_text(f"import os, sys, time, pathlib, signal\n{script}\n")


def test_each_phase_is_told_and_nothing_it_prints_is_a_command(
    imitation: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    says(
        imitation,
        "deploy",
        "print('::error::not ours', sys.argv, 'GITHUB_OUTPUT' in os.environ); sys.exit(20)",
    )
    says(imitation, "postdeploy", "sys.exit(0)")
    told = planned("prod", COMMIT, "deploy postdeploy")
    given = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": "x",
        "ACTIONS_RUNTIME_TOKEN": "y",
        "PATH": os.environ["PATH"],
    }
    run_all(told, imitation / "r", ["-q"], given)
    assert [row.exit_code for row in told.turns] == [20, 0]
    assert RoundFile.model_validate_json((imitation / "r" / "round.json").read_bytes()) == told
    stop, said, go, *_ = capfd.readouterr().out.splitlines()
    assert stop.removeprefix("::stop-commands::") == go.strip(":")
    assert len(go) > 30
    assert said.startswith("::error::not ours")
    assert said.endswith("False")
    assert f"--commit={COMMIT}" in said
    assert "'-q'" in said


def test_a_run_that_never_ends_is_ended(imitation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_LONGEST_S", 0.2)
    monkeypatch.setattr(verifying, "_GRACE_S", 0.2)
    says(imitation, "deploy", "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)")
    told = planned("prod", COMMIT, "deploy")
    run_all(told, imitation / "r", [], os.environ)
    assert told.turns[0].exit_code is None
    assert "cut short" in read_round(imitation / "r").turns[0].why


def test_a_job_that_is_cancelled_ends_the_run_and_says_so(imitation: Path) -> None:
    says(imitation, "deploy", "os.kill(os.getppid(), signal.SIGTERM); time.sleep(600)")
    with pytest.raises(KeyboardInterrupt):
        run_all(planned("prod", COMMIT, "deploy postdeploy"), imitation / "r", [], os.environ)
    found = read_round(imitation / "r")
    assert found.recommendation is Action.INCONCLUSIVE
    assert ["cut short" in turn.why for turn in found.turns] == [True, True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_old_report_never_passes_for_a_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verdict.json").write_text(verdict_text())
    assert main(["verify", "--env=prod", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err


@pytest.fixture
def github_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name, path in files.items():
        path.write_text("before\n" if name == "GITHUB_STEP_SUMMARY" else "")
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return files


def test_on_github_the_files_are_added_to(
    github_files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(round_in(tmp_path / "r"))
    assert [main([command, folder]) for command in ("outputs", "summary", "annotate", "exit")] == [0, 0, 0, 0]
    told = read_outputs(github_files["GITHUB_OUTPUT"].read_text())
    assert told == {"recommendation": "proceed", "exit-code": "0", "commit": COMMIT, "report": folder}
    assert github_files["GITHUB_STEP_SUMMARY"].read_text().startswith("before\n## ✅ PROCEED")
    assert "::notice title=PROCEED%3A prod" in capsys.readouterr().out


def test_elsewhere_it_is_plain_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    texts = (verdict_text(), verdict_text(result(SIGN_IN, FAILED)))
    folder = str(round_in(tmp_path / "r", codes=(0, 20), texts=texts))
    assert [main([command, folder]) for command in ("outputs", "summary", "annotate", "exit")] == [
        0,
        0,
        0,
        20,
    ]
    told = capsys.readouterr().out
    assert "recommendation=roll_back\n" in told
    assert "## ⛔ ROLL BACK" in told
    assert "ROLL BACK: prod, commit 9c41d07\n" in told
    assert "::" not in told


def past(minutes: float, *phases: Phase, commit: str = COMMIT, **more: Any) -> PastRun:
    at = (LIVE + timedelta(minutes=minutes)).isoformat()
    seen = Deployed(
        commit=commit,
        **{name: more.pop(name) for name in ("began_at", "duration_s", "failed") if name in more},
    )
    return PastRun(
        id=f"{at}-{commit}",
        phases=phases,
        started_at=at,
        recommendation=Action.PROCEED,
        blamed=False,
        deployed=seen,
        **more,
    )


DEPLOY = past(-5, Phase.DEPLOY, began_at=(LIVE - timedelta(minutes=5)).isoformat(), duration_s=300.0)
HOUR, DAY, WEEK = 60, 24 * 60, 7 * 24 * 60


@pytest.mark.parametrize(
    ("runs", "minutes", "names"),
    [
        ([], 100, ()),
        ([DEPLOY], 59, ()),
        ([DEPLOY], HOUR, ("+1 h",)),
        ([DEPLOY, past(HOUR + 20, Phase.FOLLOWUP)], HOUR + 30, ()),
        ([DEPLOY, past(30, Phase.FOLLOWUP)], HOUR, ("+1 h",)),
        ([DEPLOY], DAY, ("+1 h", "+24 h")),
        ([DEPLOY, past(HOUR + 20, Phase.FOLLOWUP)], DAY + 1, ("+24 h",)),
        ([DEPLOY, past(DAY + 20, Phase.FOLLOWUP)], WEEK, ("+1 week",)),
        ([DEPLOY, past(WEEK + 20, Phase.FOLLOWUP)], WEEK + 30, ()),
        ([DEPLOY], 2 * WEEK, ()),
        ([past(3, Phase.POSTDEPLOY)], HOUR + 2, ()),
        ([past(3, Phase.POSTDEPLOY)], HOUR + 3, ("+1 h",)),
        ([DEPLOY, past(30, Phase.DEPLOY, commit="abcdef1")], HOUR + 1, ()),
        ([DEPLOY, past(30, Phase.DEPLOY, commit="abcdef1", failed=True)], HOUR + 1, ("+1 h",)),
        ([DEPLOY, past(30, Phase.ROLLBACK)], HOUR + 1, ()),
    ],
    ids=[
        *("nothing", "early", "hour", "done", "done too early", "both", "day", "week", "all", "too old"),
        *("unwatched early", "unwatched", "superseded", "failed after", "taken back"),
    ],
)
def test_what_is_due(runs: list[PastRun], minutes: float, names: tuple[str, ...]) -> None:
    found = due(runs, now=(LIVE + timedelta(minutes=minutes)).timestamp())
    assert found.names == names, found.why
    assert bool(found.commit) is bool(names)
    assert found.why


def bare(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
    return folder


def shown(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", repository, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_log_is_added_to_once_for_each_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository, folder = bare(tmp_path / "log.git"), str(round_in(tmp_path / "r"))
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    for _ in range(2):
        assert main(["log", f"--remote={repository}", folder]) == 0
    assert shown(repository, "rev-list", "--count", "deployment-log").strip() == "1"
    assert shown(repository, "show", "deployment-log:DEPLOYMENTS.md").count("PROCEED") == 1
    kept = shown(repository, "ls-tree", "-r", "--name-only", "deployment-log").split()
    assert [path for path in kept if "-77/" in path and path.endswith("README.md")]


def test_a_folder_is_found_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare(tmp_path / "log.git")
    round_in(tmp_path / "r")
    monkeypatch.chdir(tmp_path)
    assert main(["log", "--remote=log.git", "r"]) == 0
    assert main(["log", "--remote=--upload-pack=x", "r"]) == 2
    assert main(["log", "--remote=log.git", "nowhere"]) == 2


def test_several_push_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    repository = bare(tmp_path / "log.git")

    def add(number: int) -> bool:
        def write(work: Path) -> str:
            table = work / "table"
            table.write_text((table.read_text() if table.exists() else "") + f"{number}\n")
            return f"number {number}"

        return LogBranch(str(repository), "log").add(write)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(add, range(4)))
    assert sorted(shown(repository, "show", "log:table").split()) == ["0", "1", "2", "3"]
    assert shown(repository, "rev-list", "--count", "log").strip() == "4"


def test_a_repository_that_refuses_is_told_at_once(tmp_path: Path) -> None:
    repository = bare(tmp_path / "log.git")
    hook = repository / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no pushes here >&2\nexit 1\n")
    hook.chmod(0o755)

    def write(work: Path) -> str:
        (work / "x").write_text("x")
        return "x"

    with pytest.raises(NotPushed, match="no pushes here"):
        LogBranch(str(repository), "log").add(write)
    with pytest.raises(NotPushed, match="does not appear to be a git repository"):
        LogBranch(str(tmp_path / "nowhere"), "log").add(write)


def test_the_token_is_in_no_command_line_and_for_no_other_address() -> None:
    there = LogBranch("https://github.com/o/r", "log", "ghs_CaNaRy7Q")._header()
    assert there["GIT_CONFIG_KEY_0"] == "http.https://github.com/o/r.extraheader"
    assert there["GIT_CONFIG_VALUE_0"].startswith("AUTHORIZATION: basic ")
    assert LogBranch("/somewhere", "log", "ghs_CaNaRy7Q")._header() == {}


@pytest.fixture
def github() -> Iterator[tuple[Outside, GitHubControl]]:
    with outside() as system:
        control = control_of(system)
        yield system, control
        control.close()


def control_of(system: Outside, token: str = "") -> GitHubControl:
    table = GitHubSettings(
        address=f"{system.clients.origin}/github",
        token=credential("JOB_TOKEN", token or system.secrets.github_token),
        repository=REPOSITORY,
    )
    return GitHubControl(table, ClientContext.unrecorded(TIMEOUTS, lambda: 20.0))


def test_a_comment_is_made_once_and_brought_up_to_date(github: tuple[Outside, GitHubControl]) -> None:
    _, control = github
    first = control.comment(DEPLOYED, "<!-- one -->\nfirst", mark="<!-- one -->")
    other = control.comment(DEPLOYED, "<!-- two -->\nother", mark="<!-- two -->")
    again = control.comment(DEPLOYED, "<!-- one -->\nagain", mark="<!-- one -->")
    assert (again.id, again.body) == (first.id, "<!-- one -->\nagain")
    assert other.id != first.id


def test_what_github_refuses_is_told_by_name(github: tuple[Outside, GitHubControl]) -> None:
    system, control = github
    with pytest.raises(NoAnswer, match="has no commit"):
        control.comment("ab" * 20, "x", mark="x")
    with pytest.raises(NoAnswer, match="422"):
        control.comment(DEPLOYED, "x" * 65_537, mark="x")
    stranger = control_of(system, "wrong")
    with pytest.raises(NoAnswer, match="JOB_TOKEN is not accepted"):
        stranger.comment(DEPLOYED, "x", mark="x")
    stranger.close()
    with pytest.raises(NoAnswer):
        control.dispatch("", {})
    control.dispatch("render-deploy", {"commit": DEPLOYED})
    sent = next(one for one in system.wire.seen if one.target.endswith("/dispatches") and one.status == 204)
    assert json.loads(sent.request_body) == {
        "event_type": "render-deploy",
        "client_payload": {"commit": DEPLOYED},
    }


def test_the_command_is_there_and_helps() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kamiyo_verify.cli", "ci", "--help"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("verify", "outputs", "summary", "annotate", "comment", "log", "due", "exit"):
        assert f"    {command}" in done.stdout
