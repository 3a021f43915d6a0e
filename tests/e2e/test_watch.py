"""A watch of a running sandbox: a fault in the middle is called, and kill -9 loses nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.runs import CANARIES, CANARY, EXHAUSTIVE, brief_environment, ledger_in, variables
from tests.support.sandbox_process import HOUSE, Sandbox, request, started

pytestmark = EXHAUSTIVE

_PATIENCE_S = 300


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5", environment=CANARIES) as running:
        yield running


@contextmanager
def watching(
    sandbox: Sandbox, folder: Path, lasts: str, every: str, *more: str
) -> Iterator[subprocess.Popen[str]]:
    """A watch, for the length of the block."""
    path = brief_environment(folder, sandbox)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    words = [f"--env={path}", f"--for={lasts}", f"--every={every}", f"--report-dir={folder / 'watch'}", *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "kamiyo_verify.cli", "watch", *words, "--", "-p", "no:cacheprovider"],
        cwd=HOUSE,
        env={**clean, **variables(sandbox), "SANDBOX_LEDGER_URL": ledger_in(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def rounds_in(folder: Path) -> list[dict[str, Any]]:
    """The rounds of the journal."""
    path = folder / "watch" / "watch.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [json.loads(line)["round"] for line in lines[1:] if line.endswith("\n")]


def wait_until(happens: Any) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not happens():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=_PATIENCE_S)
    assert CANARY.casefold() not in output.casefold()
    return process.returncode, output


def leaks(folder: Path) -> list[str]:
    files = [path for path in (folder / "watch").rglob("*") if path.is_file()]
    return [path.name for path in files if CANARY.casefold().encode() in path.read_bytes().lower()]


@pytest.mark.parametrize("fault", ["auth-misconfigured", "errors-twenty-percent", "api-down"])
def test_a_fault_in_the_middle_is_called(fault: str, sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox, tmp_path, "120s", "5s") as process:
        wait_until(lambda: len(rounds_in(tmp_path)) >= 3)
        request("POST", f"{sandbox.control}/faults/{fault}").raise_for_status()
        broken_in = len(rounds_in(tmp_path)) + 1
        code, output = ended(process)

    assert code == 20, output
    rounds = rounds_in(tmp_path)
    # The round under way when it broke, and the first whole one after it, with one more for the proof.
    assert len(rounds) <= broken_in + 2, output
    assert "roll_back" not in {one["call"] for one in rounds[: broken_in - 1]}
    assert not leaks(tmp_path)


def test_an_outage_that_passes_is_no_call(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox, tmp_path, "30s", "5s") as process:
        wait_until(lambda: len(rounds_in(tmp_path)) >= 1)
        with sandbox.fault("one-bad-gateway"):
            wait_until(lambda: len(rounds_in(tmp_path)) >= 2)
        code, output = ended(process)

    assert code == 0, output


def test_the_live_state_is_served_until_the_watch_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    with watching(sandbox, tmp_path, "10m", "5s", "--serve", "--port=0") as process:
        assert process.stdout
        first = process.stdout.readline()
        found = re.fullmatch(
            r"watch at (http://127\.0\.0\.1:\d+/), metrics at \1metrics, until it ends\n", first
        )
        assert found, first
        wait_until(lambda: "kamiyo_verify_watch_recommendation{" in request("GET", f"{found[1]}metrics").text)
        wait_until(lambda: 'href="rounds/1"' in request("GET", found[1]).text)
        assert "WELL SO FAR" in request("GET", found[1]).text
        assert "PROCEED" in request("GET", f"{found[1]}rounds/1").text
        process.send_signal(signal.SIGINT)
        code, output = ended(process)

    assert (code, "INTERRUPTED  the watch is not over" in output) == (2, True), output
    with pytest.raises(httpx2.ConnectError):
        request("GET", found[1])
    assert not leaks(tmp_path)


def test_a_killed_watch_goes_on_and_loses_no_round(sandbox: Sandbox, tmp_path: Path) -> None:
    second = tmp_path / "watch" / "rounds" / "0002" / "evidence.jsonl"
    with watching(sandbox, tmp_path, "25s", "5s") as process:
        wait_until(second.exists)
        process.kill()
    kept = rounds_in(tmp_path)
    with watching(sandbox, tmp_path, "25s", "5s") as process:
        code, output = ended(process)

    rounds = rounds_in(tmp_path)
    assert code == 0, output
    assert "goes on after round 1" in output
    assert rounds[: len(kept)] == kept
    assert [one["number"] for one in rounds] == list(range(1, len(rounds) + 1))
    assert rounds[1]["call"] == "proceed", "the round that outlived the kill was read from its evidence"
    assert {path.name for path in second.parents[1].iterdir()} == {f"{one['number']:04}" for one in rounds}
