"""What a run costs: beside plain pytest with httpx sending the same requests, and beside its longest wait.

`make bench` prints ratios of medians, all measured in one go on a quiet sandbox.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.sandbox_process import HOUSE, Sandbox, request, started
from tests.walks.runs import brief_environment, variables, verify

TIMES = 5
BEAT_S = 2.0
GOAL = 1.25
QUICK = ("-m", "postdeploy and not performance")

PLAIN = """
import httpx
import pytest

ITEMS = {items!r}


@pytest.fixture(scope="session")
def client():
    with httpx.Client(headers={headers!r}, timeout=15) as client:
        yield client


@pytest.mark.parametrize("item", ITEMS)
def test_item(item, client):
    for method, url in ITEMS[item]:
        assert client.request(method, url).status_code < 600
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, started("--heartbeat", str(BEAT_S)) as sandbox:
        place = Path(folder)
        environment = brief_environment(place, sandbox)
        select = (*QUICK, f"--env={environment}", "-k", "not heartbeat")
        ours = median(
            lambda: fresh(sandbox) and verify(place / "ours", *select, variables=variables(sandbox)).code
        )
        plain_test = plain(place, requests_sent(place / "ours"), sandbox)
        theirs = median(lambda: fresh(sandbox) and run_plain(plain_test))
        told(
            "our run against plain pytest and httpx, same requests",
            f"{ours:.2f} s against {theirs:.2f} s",
            ours / theirs,
            GOAL,
        )
        whole = (*QUICK, f"--env={environment}")
        waiting = median(
            lambda: fresh(sandbox) and verify(place / "all", *whole, variables=variables(sandbox)).code
        )
        told(
            "time to verdict against the longest wait",
            f"{waiting:.2f} s against {BEAT_S} s",
            waiting / BEAT_S,
        )
    with tempfile.TemporaryDirectory() as folder:
        whole = (*QUICK, "--env=sandbox")
        began = time.monotonic()
        code = verify(Path(folder) / "r", *whole).code
        print(
            f"from command to verdict, sandbox start included: {time.monotonic() - began:.1f} s (exit {code})"
        )


def median(run: Callable[[], object]) -> float:
    """Seconds, the median of a few runs after one that warms up."""
    run()
    taken = []
    for _ in range(TIMES):
        began = time.monotonic()
        run()
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def fresh(sandbox: Sandbox) -> bool:
    """Full allowances again."""
    return request("DELETE", f"{sandbox.control}/faults").is_success


def requests_sent(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Every HTTP request of a run, by item."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in (folder / "evidence.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for exchange in row.get("exchanges", ()):
            if urlsplit(exchange["url"]).scheme in {"http", "https"}:
                found.setdefault(row["item"], []).append((exchange["method"], exchange["url"]))
    return found


def plain(folder: Path, sent: dict[str, list[tuple[str, str]]], sandbox: Sandbox) -> Path:
    """A test file that does no more than send these requests."""
    path = folder / "plain" / "test_plain.py"
    path.parent.mkdir()
    headers = {"X-API-Key": sandbox.secret("API_KEY")}
    path.write_text(PLAIN.format(items=sent, headers=headers), encoding="utf-8")
    (path.parent / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return path


def run_plain(path: Path) -> int:
    """Run it as anybody would."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", str(path)]
    return subprocess.run(command, cwd=path.parent, env=clean, capture_output=True, check=True).returncode


def told(what: str, figures: str, ratio: float, goal: float | None = None) -> None:
    """One line."""
    aim = f" (goal: at most {goal})" if goal else ""
    print(f"{what}: {ratio:.2f}{aim}  [{figures}]")


if __name__ == "__main__":
    os.chdir(HOUSE)
    main()
