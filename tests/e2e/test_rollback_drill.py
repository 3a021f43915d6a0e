"""A rollback in the whole sandbox: a bad release is judged, taken back, verified and recorded at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import DecisionKind
from tests.e2e.runs import CANARIES, CANARY
from tests.support.sandbox_process import HOUSE

pytestmark = pytest.mark.exhaustive


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what a run needs, so that reports and ledger go elsewhere."""
    for name in ("checks", "environments"):
        shutil.copytree(HOUSE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("runbook.toml", "conftest.py", "pyproject.toml"):
        shutil.copy(HOUSE / name, tmp_path)
    return tmp_path


def run(house: Path, *words: str) -> tuple[int, str]:
    left_out = ("PYTEST_", "SANDBOX_LEDGER", "GITHUB_", "CI")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=house,
        env={**clean, **CANARIES, "PYTHONPATH": str(HOUSE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout


def the_record(house: Path) -> dict[str, Any]:
    [path] = house.glob("reports/sandbox/*/rollback.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def leaks(house: Path) -> list[Path]:
    files = [path for path in (house / "reports").rglob("*") if path.is_file()]
    return [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_drill_restores_both_services(house: Path) -> None:
    code, out = run(house, "kamiyo_verify.cli", "rollback", "--env", "sandbox", "--yes", "--by", "Ada")

    assert code == 0, out
    record = the_record(house)
    assert record["end"] == "done"
    assert [one["name"] for one in record["services"]] == ["kamiyo-frontend", "kamiyo-api"]
    assert all(one["back"] and one["auto_deploy"] is False for one in record["services"])
    assert (record["verified"], record["recorded"]) == (0, "")
    with Store.opened(f"sqlite:///{house / 'reports' / 'ledger.db'}") as store:
        [decision] = store.decisions("sandbox")
        phases = [(recording.run.phases, recording.run.drill) for recording in store.recordings()]
    assert (decision.deed, decision.who) == (DecisionKind.ROLLED_BACK, "Ada")
    assert [drill for _, drill in phases] == [True, True], "practice says nothing of how we deploy"
    assert CANARY not in out
    assert leaks(house) == []


def test_pytest_takes_its_own_sandbox_back(house: Path) -> None:
    words = ("pytest", "-m", "postdeploy", "-k", "sign_in and not browser", "--env", "sandbox", "-n", "2")
    code, out = run(house, *words, "--fault", "auth-misconfigured", "--on-roll-back=execute")

    assert code == 20, out
    record = the_record(house)
    assert (record["end"], record["how"]) == ("done", "--on-roll-back=execute"), out
    assert "ROLLED BACK" in out
    assert CANARY not in out
    assert leaks(house) == []
