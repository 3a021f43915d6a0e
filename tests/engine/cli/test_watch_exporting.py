"""The final call of a watch reaches other systems once; its rounds reach none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.cli.export import main as export
from kamiyo_verify.cli.watch.command import main
from kamiyo_verify.cli.watch.exporting import watch_exported
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.watch import WatchState
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting.json import verdict_json
from tests.engine.judge.watch.journals import plan
from tests.support.channels import PATIENT_S, received_messages
from tests.support.channels import listening as channel
from tests.support.evidence_for import FAILED, SIGN_IN, evidence, result
from tests.support.listeners import COMMIT, REPOSITORY, Listeners, listening
from tests.support.toy_project import ROOT, Toy

pytest_plugins = ["pytester"]

TABLES = """
[exports]
files = ["ctrf", "metrics"]
patience_s = 15
{exports}
[github]
address = "{origin}"
token = "TOY_GITHUB_TOKEN"
repository = "{repository}"
status_context = "watch"
[prometheus]
pushgateway = "{origin}/push"
"""
TOKEN = "kanarienT0ken4711"
STATUS = f"/repos/{REPOSITORY}/statuses/{COMMIT}"
WELL, BROKEN, KILLED = "well", "broken", "killed"


def environment(
    folder: Path, found: Listeners, exports: str = "", *, channel_url: str = "", notifications: str = ""
) -> Environment:
    tables = TABLES.format(origin=found.origin, repository=REPOSITORY, exports=exports)
    (folder / "environments").mkdir()
    text = f'[services.api]\nurl = "https://api.example.com"\n{tables}'
    if channel_url:
        text += f'[notifications]\nchannels = ["TEAM_URL"]\npatience_s = {PATIENT_S}\n{notifications}\n'
    variables = {"TOY_GITHUB_TOKEN": TOKEN, "TEAM_URL": channel_url}
    (folder / "environments" / "test.toml").write_text(text, encoding="utf-8")
    return load_environment("test", folder / "environments", overrides={}, variables=variables, dotenv=None)


def final(call: Action, rounds: int) -> WatchState:
    return WatchState(
        call=call,
        final=call,
        why=f"sign-in fails for {TOKEN}",
        grounds=(),
        events=(),
        open="",
        rounds=rounds,
        requests=0,
        failed=0,
        covered_s=0.0,
    )


def watched(
    folder: Path, here: Environment, call: Action, *rounds: str, words: tuple[str, ...] = ()
) -> list[str]:
    """Export the call of a watch with these rounds."""
    for number, how in enumerate(rounds, start=1):
        report = folder / "rounds" / f"{number:04}"
        report.mkdir(parents=True, exist_ok=True)
        results = [result(SIGN_IN, FAILED, "sign-in answers 500")] if how == BROKEN else []
        verdict = decide(evidence(*results, commit=COMMIT, environment="test"))
        if how != KILLED:
            (report / "verdict.json").write_text(verdict_json(verdict), encoding="utf-8")
    masker = Masker()
    masker.learn(here)
    known = replace(plan(), environment="test", commit=COMMIT, arguments=("-m", "postdeploy"))
    state, runbook = final(call, len(rounds)), ROOT / "runbook.toml"
    return [*watch_exported(here, folder, known, state, words, masker, runbook)]


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


CALLS = [
    (Action.PROCEED, (WELL, WELL), "success"),
    (Action.ROLL_BACK, (WELL, BROKEN), "failure"),
    (Action.FIX_FORWARD, (WELL, WELL), "failure"),
    (Action.INCONCLUSIVE, (WELL, BROKEN, KILLED), "error"),
    (Action.INCONCLUSIVE, (KILLED,), "error"),
]


@pytest.mark.parametrize(("call", "rounds", "state"), CALLS, ids=str)
def test_the_final_call_is_sent_once_and_written(
    call: Action, rounds: tuple[str, ...], state: str, tmp_path: Path
) -> None:
    with listening() as found:
        here = environment(tmp_path, found)
        assert watched(tmp_path, here, call, *rounds) == []
        assert watched(tmp_path, here, call, *rounds) == []
        sent = found.received("POST", STATUS)
        pushed = found.pushed
    assert [body["state"] for _, body in sent] == [state]
    assert len(pushed) == 1
    verdict = read(tmp_path / "verdict.json")
    assert (verdict["recommendation"], verdict["exit_code"]) == (call, call.exit_code)
    assert verdict["started_at"] == plan().started_at
    assert bool(verdict["rollback"]["services"]) <= (call is Action.ROLL_BACK)
    assert read(tmp_path / "ctrf.json")["extra"]["recommendation"] == call
    assert f'kamiyo_verify_exit_code{{environment="test",place=""}} {float(call.exit_code)}' in (
        tmp_path / "metrics.prom"
    ).read_text(encoding="utf-8")
    written = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir() if path.is_file()]
    assert TOKEN not in "".join(written) + str(sent)


@pytest.mark.parametrize(
    ("words", "notifications", "call", "titles"),
    [
        ((), "", Action.ROLL_BACK, ["[DEPLOYMENT] ✗ ROLL BACK: "]),
        ((), "", Action.PROCEED, ["[DEPLOYMENT] ✓ "]),
        ((), 'tell = ["failure"]', Action.PROCEED, []),
        ((), 'phases = ["deploy"]', Action.ROLL_BACK, []),
        (("--notify",), 'phases = ["deploy"]', Action.ROLL_BACK, ["[DEPLOYMENT] ✗ ROLL BACK: "]),
        (("--no-notify",), "", Action.ROLL_BACK, []),
        (("--fault=gone",), "", Action.ROLL_BACK, []),
    ],
    ids=str,
)
def test_the_final_call_is_announced_once(
    words: tuple[str, ...], notifications: str, call: Action, titles: list[str], tmp_path: Path
) -> None:
    with listening() as found, channel() as (server, address):
        here = environment(tmp_path, found, channel_url=address, notifications=notifications)
        for _ in range(2):
            assert watched(tmp_path, here, call, WELL, BROKEN, words=words) == []
        heard = received_messages(server)
    assert len(heard) == len(titles)
    assert all(title in one["title"] for title, one in zip(titles, heard, strict=True))
    assert TOKEN not in str(heard)


def test_a_channel_that_does_not_take_the_call_changes_nothing(tmp_path: Path) -> None:
    with listening() as found:
        here = environment(tmp_path, found, channel_url="json://127.0.0.1:9/x")
        [line] = watched(tmp_path, here, Action.ROLL_BACK, BROKEN)
    assert line == ("Notify       not sent; the call does not change: TEAM_URL (json) could not be reached")


@pytest.mark.parametrize(
    ("words", "exports", "is_sent"),
    [
        (("--no-notify",), "", False),
        (("--fault", "gone"), "", False),
        (("--fault=gone",), "drills = true", True),
        ((), 'phases = ["deploy"]', False),
        (("--notify",), 'phases = ["deploy"]', True),
    ],
    ids=str,
)
def test_the_options_of_a_run_hold_for_the_watch(
    words: tuple[str, ...],
    exports: str,
    is_sent: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    with listening() as found:
        here = environment(tmp_path, found, exports)
        watched(tmp_path, here, Action.PROCEED, WELL, words=words)
        assert bool(found.wire.seen) is is_sent
    assert (tmp_path / "ctrf.json").exists()


def test_a_system_that_refuses_is_named_and_can_be_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_GITHUB_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    with listening(refusing=403) as found:
        here = environment(tmp_path, found)
        lines = watched(tmp_path, here, Action.ROLL_BACK, BROKEN)
        assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
            "Pushgateway",
            "GitHub commit status",
        ]
        found.refusing = 0
        found.wire.seen.clear()
        assert export([str(tmp_path), "--env=test"]) == 0
        assert [body["state"] for _, body in found.received("POST", STATUS)][-1] == "failure"


@pytest.mark.exhaustive
def test_a_real_watch_sends_its_own_call_alone(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    well = f'def test_health(measure):\n    measure("commit", "{COMMIT}")'
    with listening() as found:
        toy.environment(more=TABLES.format(origin=found.origin, repository=REPOSITORY, exports=""))
        toy.items({"postdeploy.health": "core"})
        toy.check("postdeploy/test_a.py", f'@pytest.mark.item("postdeploy.health")\n{well}')
        monkeypatch.setenv("TOY_GITHUB_TOKEN", TOKEN)
        monkeypatch.chdir(toy.folder)
        words = ["--env=toy", "--for=2s", f"--commit={COMMIT}", "--report-dir=watched"]
        assert main(words) == 0
        assert main(words) == 0
        assert [body["state"] for _, body in found.received("POST", STATUS)] == ["success"]
        assert len(found.pushed) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize(("words", "states"), [((), ["success", "success"]), (("--no-notify",), [])])
def test_a_run_and_its_watch_send_a_call_each(words: tuple[str, ...], states: list[str], toy: Toy) -> None:
    well = f'def test_health(measure):\n    measure("commit", "{COMMIT}")'
    with listening() as found:
        toy.environment(more=TABLES.format(origin=found.origin, repository=REPOSITORY, exports=""))
        toy.items({"postdeploy.health": "core"})
        toy.check("postdeploy/test_a.py", f'@pytest.mark.item("postdeploy.health")\n{well}')
        run = ("-m", "postdeploy", "--commit", COMMIT, "--watch", "1s", *words)
        ran = toy.run(*run, env={"TOY_GITHUB_TOKEN": TOKEN})
        assert ran.code == 0, ran.out
        assert [body["state"] for _, body in found.received("POST", STATUS)] == states
