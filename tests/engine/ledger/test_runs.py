"""A run and its ledger: kept at the end, found after kill -9, shared by runs at once, never in the way."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Ending, RecordedRun
from kamiyo_verify.model.words import Action
from tests.support.postgres_server import postgres
from tests.support.sandbox_process import is_gone, wait_until
from tests.support.toy_project import ROOT, WORKERS, Toy

pytest_plugins = ["pytester"]

KILLS = int(os.environ.get("KAMIYO_KILLS", "6"))
"""How many runs are killed; `make endurance` kills fifty."""

GOOD = """
@pytest.mark.item("postdeploy.health")
def test_health(measure):
    measure("latency", [1.0, 2.5], unit="ms")

@pytest.mark.item("postdeploy.data")
def test_data(): ...
"""


WAITING = """
import threading
from pathlib import Path

@pytest.mark.item("postdeploy.list")
def test_list():
    Path("waiting").touch()
    threading.Event().wait()
"""


def recorded(url: str) -> list[RecordedRun]:
    with Store.opened(url) as store:
        return [recording.run for recording in store.recordings()]


def ledger_of(toy: Toy) -> str:
    return f"sqlite:///{toy.folder / 'reports' / 'ledger.db'}"


@WORKERS
def test_a_run_is_kept(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("-m", "postdeploy", "--commit", "9c41d07", *workers)
    [run] = recorded(ledger_of(toy))

    assert run.verdict == ran.verdict
    assert run.folder == str(ran.report)
    assert (run.environment, run.commit, run.ending) == ("toy", "9c41d07", Ending.FINISHED)
    health = run.result("postdeploy.health")
    assert health is not None
    assert [taken.value for taken in health.measurements] == [(1.0, 2.5)]
    assert "Ledger" not in ran.out


@pytest.mark.parametrize(
    "url", ["postgresql://ledger:canary@127.0.0.1:1/ledger", "sqlite:///nowhere/ledger.db", "nonsense"]
)
def test_a_ledger_that_is_away_changes_nothing(toy: Toy, url: str) -> None:
    toy.check("postdeploy/test_a.py", GOOD)
    there = toy.run("-m", "postdeploy")
    away = toy.run("-m", "postdeploy", env={"KAMIYO_LEDGER_URL": url})

    assert (away.code, away.verdict.recommendation) == (there.code, there.verdict.recommendation)
    assert "Ledger       not written; the verdict does not change: " in away.out
    assert "canary" not in away.everything_written()
    assert not (toy.folder / "nowhere").exists(), "a ledger that is away is not made"

    toy.run("-m", "postdeploy")
    assert len(recorded(ledger_of(toy))) == 3, "the next run that finds the ledger brings what is missing"


def test_a_run_that_never_began_is_not_kept(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.unknown")\ndef test_it(): ...')
    ran = toy.run("-m", "postdeploy", "--report-dir", "here")
    assert ran.code == int(pytest.ExitCode.USAGE_ERROR)
    toy.check("postdeploy/test_a.py", GOOD)
    toy.run("-m", "postdeploy")
    assert len(recorded(ledger_of(toy))) == 1


def test_a_killed_run_is_found_wherever_it_wrote(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", GOOD)
    toy.check("postdeploy/test_b.py", WAITING)
    for folder in ("one", "one", "two"):
        process = toy.start("-m", "postdeploy", "--report-dir", folder, "--commit", "9c41d07")
        wait_until((toy.folder / "waiting").exists)
        (toy.folder / "waiting").unlink()
        process.kill()
        process.communicate()
    (toy.folder / "checks/postdeploy/test_b.py").unlink()
    toy.run("-m", "postdeploy", "--commit", "9c41d07")

    *killed, finished = recorded(ledger_of(toy))
    assert [run.ending for run in killed] == [Ending.INTERRUPTED] * 3
    assert finished.ending is Ending.FINISHED
    for run in killed:
        assert run.verdict.recommendation is Action.INCONCLUSIVE
        assert {result.item for result in run.results} == {"postdeploy.health", "postdeploy.data"}
    assert not [path for path in (toy.folder / "reports/.elsewhere").rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_runs_at_once_lose_nothing(
    toy: Toy, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = ledger_of(toy) if kind == "sqlite" else request.getfixturevalue("server")
    toy.check("postdeploy/test_a.py", GOOD)
    monkeypatch.setenv("KAMIYO_LEDGER_URL", url)
    processes = [toy.start("-m", "postdeploy") for _ in range(3)]
    outs = [process.communicate(timeout=60)[0].decode() for process in processes]

    assert not [out for out in outs if "Ledger       not written" in out]
    runs = recorded(url)
    assert len({run.id for run in runs}) == len(runs) == 3
    assert all(run.ending is Ending.FINISHED and len(run.results) == 2 for run in runs)
    assert {run.folder for run in runs} == {str(path) for path in (toy.folder / "reports/toy").iterdir()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """This project's own checks, environments and runbook, with reports of its own."""
    folder = tmp_path / "project"
    for name in ("checks", "environments"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("conftest.py", "pyproject.toml", "runbook.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_kill_9_at_any_moment_loses_no_run_and_leaves_no_process(project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "SANDBOX_LEDGER_URL": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "postdeploy and not performance"]

    def kill_one(seed: int) -> list[psutil.Process]:
        moment = random.Random(seed).uniform(0.5, 6.0)  # noqa: S311 - the same moments each time
        process = subprocess.Popen(
            command,
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        family: dict[int, psutil.Process] = {}
        ends = time.monotonic() + moment
        while time.monotonic() < ends and process.poll() is None:
            family |= _descendants(process.pid)
            time.sleep(0.02)
        family |= _descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return [*family.values()]

    with ThreadPoolExecutor(2) as pool:
        families = [*pool.map(kill_one, range(KILLS))]
    for family in families:
        wait_until(lambda family=family: all(is_gone(one) for one in family))  # type: ignore[misc]
    begun = _begun(project)
    subprocess.run(
        [*command[:-1], "postdeploy and not performance", "-k", "health"],
        cwd=project,
        env=environment,
        capture_output=True,
        check=False,
    )

    ledger = project / "reports" / "ledger.db"
    with sqlite3.connect(ledger) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    found = {run.id for run in recorded(f"sqlite:///{ledger}")}
    assert begun <= found
    assert len(found - begun) == 1, "and the last one, which nobody killed"


def _descendants(pid: int) -> dict[int, psutil.Process]:
    try:
        return {one.pid: one for one in psutil.Process(pid).children(recursive=True)}
    except psutil.NoSuchProcess:
        return {}


def _begun(project: Path) -> set[str]:
    """The ids of the runs whose first line is on the disk."""
    texts = (path.read_text() for path in project.glob("reports/sandbox/*/evidence.jsonl"))
    return {json.loads(text.partition("\n")[0])["id"] for text in texts if "\n" in text}


@pytest.mark.parametrize("way", ["breaks", "takes too long"])
def test_a_leftover_that_cannot_be_judged_is_set_aside_once(toy: Toy, way: str) -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
    toy.check("postdeploy/test_a.py", GOOD)
    assert toy.run("-m", "postdeploy").report is not None
    good = next(toy.folder.glob("reports/toy/*/evidence.jsonl")).read_text()
    poisoned = toy.write(
        "reports/toy/20260101T000000Z-poison/evidence.jsonl", good.replace('"id": "', '"id": "p', 1)
    )
    toy.write(
        "saboteur.py",
        "import time\nfrom kamiyo_verify.hooks.session_end import ledger\n\n"
        "ledger._LEFTOVER_S = 0.3\nread = ledger.read_recording\n\n"
        "def poisoned(path):\n    if 'poison' not in str(path):\n        return read(path)\n"
        + ("    raise RecursionError\n" if way == "breaks" else "    time.sleep(3600)\n")
        + "\nledger.read_recording = poisoned\n",
    )
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("conftest.py", conftest.replace('"toy_fixtures"', '"toy_fixtures", "saboteur"'))
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 0, ran.out
    assert "Ledger       not written" not in ran.out
    assert len(recorded(ledger_of(toy))) == 2
    assert not poisoned.exists()
    assert poisoned.with_suffix(".set-aside").read_text(), "evidence is never removed"
