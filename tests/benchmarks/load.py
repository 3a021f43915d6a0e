"""What Locust measures, with one worker and with four, beside wrk on the same sandbox in the same run.

`make bench` prints it. Each sends as fast as its eight connections allow: closed loops, without a pause. On
the saturated website the platform is what limits them, so that they have to agree; on the quick one each of
them also shows what it costs itself, where they share the cores of this machine with the sandbox.
"""

from __future__ import annotations

import re
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.integrations.locust.client import Plan, command_of, run_load
from kamiyo_verify.judge.statistics.exact import sample_quantile
from kamiyo_verify.model.settings import Timeouts
from tests.benchmarks.latency import WRK_TELLS, output
from tests.support.sandbox_process import started

CONNECTIONS = 8
SECONDS = 5
SATURATED = "frontend-saturated"

_WITHOUT_A_PAUSE = 10_000.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Requests per second, and milliseconds."""

    per_s: float
    p50_ms: float
    p95_ms: float


def main() -> None:
    """Measure and print."""
    print(f"\nclosed loops of {CONNECTIONS} connections for {SECONDS} s, by tool")
    with started() as sandbox:
        url = sandbox.frontend + "/"
        for title, fault in (("quick", ""), ("saturated: 25 ms, one after the other", SATURATED)):
            print(f"\n{title:<40} {'per s':>8} {'p50 ms':>8} {'p95 ms':>8}")
            if fault:
                with sandbox.fault(fault):
                    print_rows(url)
            else:
                print_rows(url)


def print_rows(url: str) -> None:
    """One line for each tool."""
    rows = {"wrk": wrk(url), "Locust, 1 worker": locust(url, 1), "Locust, 4 workers": locust(url, 4)}
    for name, found in rows.items():
        cells = (
            f"{found.per_s:8.1f} {found.p50_ms:8.1f} {found.p95_ms:8.1f}"
            if found
            else "not installed: apt-get install wrk"
        )
        print(f"{name:<40} {cells}")


def wrk(url: str) -> Figures | None:
    """By wrk; None where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "tell.lua"
        script.write_text(WRK_TELLS, encoding="utf-8")
        pace = ("-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "10s", "-s", str(script))
        text = output("wrk", *pace, url)
    if text is None:
        return None
    at = {int(share): float(ms) for share, ms in re.findall(r"at (\d+): ([\d.]+)", text)}
    per_s = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return Figures(float(per_s[1]), at[50], at[95]) if per_s else None


def locust(url: str, workers: int) -> Figures:
    """By Locust, as the suite runs it."""
    origin, path = url.rpartition("/")[0], "/"
    plan = Plan(
        origin=origin,
        paths=(path,),
        users=(CONNECTIONS,),
        per_user_per_s=_WITHOUT_A_PAUSE,
        step_s=SECONDS + 1,
        timeouts=Timeouts(),
        workers=workers,
    )
    run = run_load(plan, command_of(""), hidden=(), stop=threading.Event(), say=lambda _: None)
    (step,) = run.steps
    assert not step.failed, step.failures
    return Figures(
        step.throughput_per_s,
        sample_quantile(step.durations_ms, 0.5),
        sample_quantile(step.durations_ms, 0.95),
    )


if __name__ == "__main__":
    main()
