"""Workers join a run and never begin one; one run writes to one folder."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from kamiyo_verify.evidence.lock import FolderLock
from tests.support.sandbox_process import wait_until
from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]

FAILING = """
import os, pathlib

@pytest.mark.item("postdeploy.health")
def test_health():
    with pathlib.Path("tried").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    assert False, "down"

@pytest.mark.item("postdeploy.data")
def test_data(): ...
"""


@pytest.fixture
def failing(toy: Toy) -> Toy:
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
    toy.check("postdeploy/test_a.py", FAILING)
    return toy


@WORKERS
@pytest.mark.parametrize("state", ["new", pytest.param("there", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(
    "place",
    [
        "outside",
        *(pytest.param(one, marks=pytest.mark.exhaustive) for one in ("above", "nested", "relative")),
    ],
)
def test_a_run_is_one_run_wherever_its_report_goes(
    failing: Toy, tmp_path: Path, workers: tuple[str, ...], place: str, state: str
) -> None:
    folder = {
        "outside": tmp_path / "elsewhere" / "report",
        "above": failing.folder.parent / f"{failing.folder.name}-report",
        "nested": failing.folder / "checks" / "report",
        "relative": Path("../") / f"{failing.folder.name}-beside",
    }[place]
    if state == "there":
        (failing.folder / folder).mkdir(parents=True)
    ran = failing.run("-m", "postdeploy", "--report-dir", str(folder), "--on-roll-back=execute", *workers)
    report = failing.folder / folder

    assert ran.code == 20, ran.out
    assert len(re.findall(r"ROLL BACK (?!likely)", ran.out)) == 1, "one verdict"
    assert ran.out.count("NOT DONE") == 1, "the controller alone acts, and says here why it does not"
    lines = [json.loads(line) for line in (report / "evidence.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines].count("run") == 1
    assert not (failing.folder / "reports" / "toy").exists(), "no worker has a report of its own"
    tries = [line for line in lines if line["kind"] == "result" and line["item"] == "postdeploy.health"]
    [concluded] = [line["evidence"]["results"] for line in lines if line["kind"] == "conclusion"]
    [health] = [found for found in concluded if found["item"] == "postdeploy.health"]
    looks = len(tries) + len(health["confirmation"]["rechecks"])
    assert len(tries) == 3
    assert len((failing.folder / "tried").read_text().split()) == looks, "no process tries on its own"


def test_a_pytest_that_is_started_within_a_worker_begins_no_run(failing: Toy) -> None:
    failing.check(
        "postdeploy/test_b.py",
        '@pytest.mark.item("postdeploy.list")\n'
        "def test_again():\n"
        '    pytest.main(["-m", "postdeploy", "--env", "toy", "checks/postdeploy/test_a.py"])\n',
    )
    failing.items({"postdeploy.health": "core", "postdeploy.data": "data", "postdeploy.list": "feature"})
    failing.run("-m", "postdeploy", "-n", "2")

    assert len(list((failing.folder / "reports/toy").iterdir())) == 1


def test_two_runs_do_not_write_to_one_folder(failing: Toy, tmp_path: Path) -> None:
    failing.check(
        "postdeploy/test_a.py",
        FAILING.replace("@pytest.mark.item", "@pytest.mark.timeout(60)\n@pytest.mark.item", 1).replace(
            'assert False, "down"', 'import time\n    while not pathlib.Path("go").exists(): time.sleep(0.01)'
        ),
    )
    first = failing.start("-m", "postdeploy", "--report-dir", str(tmp_path / "report"))
    wait_until((failing.folder / "tried").exists)
    second = failing.run("-m", "postdeploy", "--report-dir", str(tmp_path / "report"))
    (failing.folder / "go").touch()
    ended = failing.finished(first)

    assert second.code == 4
    assert "another run writes its report there" in second.out
    assert ended.code == 0, ended.out
    assert json.loads((tmp_path / "report/verdict.json").read_text())["recommendation"] == "proceed"


def test_a_second_run_leaves_no_verdict_of_the_first_and_keeps_its_evidence(
    failing: Toy, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    assert failing.run("-m", "postdeploy", "--report-dir", str(report)).code == 20
    failing.check(
        "postdeploy/test_a.py", FAILING.replace("assert False", "os.kill(os.getpid(), 9); assert True")
    )
    failing.run("-m", "postdeploy", "--report-dir", str(report))

    assert not (report / "verdict.json").exists(), "a run that was killed has no verdict"
    assert len(list(report.glob("evidence*.jsonl"))) == 2


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert (first.held, second.held) == (True, False)
    first.release()
    assert FolderLock(tmp_path).held
    assert list(os.scandir(tmp_path)) == []
