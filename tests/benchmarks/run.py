"""What a run costs: beside plain pytest sending the same requests, and beside its longest wait.

`make bench` prints ratios of medians, all measured in one go on a quiet sandbox, the two sides by turns.
The plain side is what anybody would write first: one httpx2.Client, one psycopg connection, websockets, no
waiting, no evidence, no report. It sends the requests and starts the commands that our run did, and does
without our plugins. The comparison is given by the clock and by processor time, which other work on the
machine changes less.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.runs import brief_environment, variables, verify
from tests.support.sandbox_process import HOUSE, Sandbox, request, started

TIMES = 7
BEAT_S = 2.0
GOAL = 1.4
QUICK = ("-m", "postdeploy and not performance")
# Both would have to wait for a heartbeat, and for a script of the project's own.
COMPARED = ("-k", "not heartbeat and not status_script")
LEFT_OUT = ("kamiyo_verify", "anyio", "cacheprovider")

PLAIN = """
import shlex
import subprocess

import httpx2
import psycopg
import pytest
from websockets.sync.client import connect

ITEMS = {items!r}


@pytest.fixture(scope="session")
def client():
    with httpx2.Client(headers={headers!r}, timeout=15) as client:
        yield client


@pytest.fixture(scope="session")
def database():
    with psycopg.connect({database!r}) as database:
        yield database


@pytest.mark.parametrize("item", ITEMS)
def test_item(item, client, database):
    for method, url in ITEMS[item]:
        if method == "RUN":
            subprocess.run(shlex.split(url), cwd={folder!r}, capture_output=True, check=False)
        elif method == "SQL":
            assert database.execute("SELECT 1").fetchone() == (1,)
        elif method == "WS":
            with connect(url.replace("***", {key!r})) as stream:
                assert stream.recv()
        else:
            assert client.request(method, url).status_code < 600
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, started("--heartbeat", str(BEAT_S)) as sandbox:
        place = Path(folder)
        environment = brief_environment(place, sandbox)
        select = (*QUICK, *COMPARED, f"--env={environment}")

        def run_ours() -> int:
            fresh(sandbox)
            return verify(place / "ours", *select, variables=variables(sandbox)).code

        run_ours()
        plain_test = plain(place, requests_sent(place / "ours"), sandbox)

        def run_theirs() -> int:
            fresh(sandbox)
            return run_plain(plain_test)

        ours, theirs = medians(run_ours, run_theirs)
        print_row(
            "our run against plain pytest, same requests",
            f"{ours.seconds:.2f} s against {theirs.seconds:.2f} s",
            ours.seconds / theirs.seconds,
            GOAL,
        )
        print_row(
            "the same by processor time",
            f"{ours.cpu_s:.2f} s against {theirs.cpu_s:.2f} s",
            ours.cpu_s / theirs.cpu_s,
        )
        whole = (*QUICK, f"--env={environment}")
        (waiting,) = medians(
            lambda: fresh(sandbox) and verify(place / "all", *whole, variables=variables(sandbox)).code
        )
        print_row(
            "time to verdict against the longest wait",
            f"{waiting.seconds:.2f} s against {BEAT_S} s",
            waiting.seconds / BEAT_S,
        )
    with tempfile.TemporaryDirectory() as folder:
        whole = (*QUICK, "--env=sandbox")
        began = time.monotonic()
        code = verify(Path(folder) / "r", *whole).code
        print(
            f"from command to verdict, sandbox start included: {time.monotonic() - began:.1f} s (exit {code})"
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that a run takes: by the clock, and of the processor, with the processes that it started."""

    seconds: float
    cpu_s: float


def medians(*runs: Callable[[], object], times: int = TIMES) -> list[Cost]:
    """What each costs, the medians of a few runs by turns, after one that warms up."""
    taken: list[list[Cost]] = [[] for _ in runs]
    for _ in range(1 + times):
        for run, costs in zip(runs, taken, strict=True):
            began, before = time.monotonic(), children_cpu_s()
            run()
            costs.append(Cost(time.monotonic() - began, children_cpu_s() - before))
    return [
        Cost(
            statistics.median(cost.seconds for cost in costs[1:]),
            statistics.median(cost.cpu_s for cost in costs[1:]),
        )
        for costs in taken
    ]


def children_cpu_s() -> float:
    """Processor time of all processes that ended and were waited for; the sandbox still runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fresh(sandbox: Sandbox) -> bool:
    """Full allowances again."""
    return request("DELETE", f"{sandbox.control}/faults").is_success


def requests_sent(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Every request and command of a run, by item: HTTP, SQL, WS and RUN."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in (folder / "evidence.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for exchange in row.get("exchanges", ()):
            found.setdefault(row["item"], []).append((exchange["method"], exchange["url"]))
    return found


def plain(folder: Path, sent: dict[str, list[tuple[str, str]]], sandbox: Sandbox) -> Path:
    """A test file that does no more than send these requests."""
    path = folder / "plain" / "test_plain.py"
    path.parent.mkdir()
    key = sandbox.secret("API_KEY")
    given = {
        "items": sent,
        "key": key,
        "headers": {"X-API-Key": key},
        "database": sandbox.secret("DATABASE_URL"),
        "folder": str(HOUSE),
    }
    path.write_text(PLAIN.format(**given), encoding="utf-8")
    (path.parent / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return path


def run_plain(path: Path) -> int:
    """Run it as anybody would, without what this project registers with pytest."""
    left_out = ("PYTEST_", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    without = [word for name in LEFT_OUT for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-q", *without, str(path)]
    done = subprocess.run(command, cwd=path.parent, env=clean, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    return done.returncode


def print_row(what: str, figures: str, ratio: float, goal: float | None = None) -> None:
    """One line."""
    aim = f" (goal: at most {goal})" if goal else ""
    print(f"{what}: {ratio:.2f}{aim}  [{figures}]")


if __name__ == "__main__":
    os.chdir(HOUSE)
    main()
