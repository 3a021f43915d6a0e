"""Locust for tests: a stand-in that sends nothing, its results, and the processes that it leaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.support.sandbox_process import is_gone

FAKE = Path(__file__).with_name("fake_locust.py")


def fake_locust(folder: Path) -> Path:
    """A program to name as the `executable` of [load]."""
    program = folder / "fake-locust"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (folder / "pids").mkdir(exist_ok=True)
    return program


def variables(folder: Path, does: str) -> dict[str, str]:
    """The variables of the stand-in: it writes the result of a file, or does what is said."""
    return {"FAKE_LOCUST": does, "FAKE_LOCUST_PIDS": str(folder / "pids")}


def left(folder: Path) -> list[psutil.Process]:
    """The processes of the stand-in that still run."""
    found = []
    for path in (folder / "pids").glob("*"):
        try:
            process = psutil.Process(int(path.name))
            if not is_gone(process) and str(FAKE) in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            pass
    return found


def counts(
    step: int, durations_ms: Sequence[float], *, limited: int = 0, late_ms: float = 0.1, **failures: int
) -> dict[str, object]:
    """What one worker counted in one step."""
    return {
        "step": step,
        "durations_ms": list(durations_ms),
        "late_ms": [late_ms] * 20,
        "limited": limited,
        "failures": {name.removeprefix("of_"): count for name, count in failures.items()},
    }


def result(path: Path, *steps: Sequence[dict[str, object]], seconds: float = 2.0) -> Path:
    """Write a result: for each step, the counts of its workers."""
    written = [
        {"step": step, "seconds": seconds, "workers": [*workers]} for step, workers in enumerate(steps)
    ]
    path.write_text(json.dumps({"steps": written}), encoding="utf-8")
    return path
