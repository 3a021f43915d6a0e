"""What our sampling measures, beside hey, wrk and autocannon on the same server in the same run.

`make bench` prints it. Each tool meets the same laws of response times. The truth is what the server took for
clients that came at even distances, as users do who know nothing of each other. Everything lasts seconds, and
goes to 127.0.0.1 alone.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.sampling.sampler import sample
from tests.support.truth_server import LAWS, Truth, true_server

SECONDS = 4
PER_SECOND = {"stall": 15}
USUALLY = 80
CONNECTIONS = 8
SHARES = (0.50, 0.95, 0.99, 1.0)

Figures = dict[float, float]
"""Milliseconds by the share of requests that were faster; what a tool does not tell is missing."""

WRK_TELLS = """
done = function(summary, latency, requests)
  for _, p in ipairs({50, 95, 99}) do
    io.write(string.format("\\nat %d: %f", p, latency:percentile(p) / 1000))
  end
  io.write(string.format("\\nat 100: %f", latency.max / 1000))
end
"""


def main() -> None:
    """Measure and print."""
    print(f"\nresponse times in ms over {SECONDS} s, by tool; the truth is the server's own")
    for law in LAWS:
        print(f"\n{law:<12} {'p50':>8} {'p95':>8} {'p99':>8} {'slowest':>8}")
        with true_server(law) as truth:
            seen = ours(truth, PER_SECOND.get(law, USUALLY))
            print_row("truth", quantiles([one.took_ms for one in truth.served()]))
            print_row("ours", quantiles(seen))
            for name, run in TOOLS.items():
                truth.reset()
                print_row(name, run(truth.origin + "/", PER_SECOND.get(law, USUALLY)))


def ours(truth: Truth, per_second: int) -> Sequence[float]:
    """Response times by our sampling."""
    http = HttpClient(truth.origin, ClientContext.unrecorded(Timeouts(), lambda: 60.0))
    truth.reset()
    paths = (f"/{number}" for number in itertools.count())
    taken = sample(http, paths, per_second * SECONDS, 0, SECONDS, threading.Event())
    http.close()
    return taken.durations_ms


def hey(url: str, per_second: int) -> Figures | None:
    """Closed loops, each at most so fast."""
    pace = ["-c", str(CONNECTIONS), "-q", str(max(1, per_second // CONNECTIONS)), "-z", f"{SECONDS}s"]
    text = output("hey", *pace, url)
    if text is None:
        return None
    found = {int(share) / 100: float(s) * 1000 for share, s in re.findall(r"(\d+)%+ in ([\d.]+) secs", text)}
    slowest = re.search(r"Slowest:\s+([\d.]+)", text)
    return found | ({1.0: float(slowest[1]) * 1000} if slowest else {})


def wrk(url: str, _per_second: int) -> Figures | None:
    """Closed loops, as fast as they can."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "tell.lua"
        script.write_text(WRK_TELLS, encoding="utf-8")
        pace = ["-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "10s", "-s", str(script)]
        text = output("wrk", *pace, url)
    if text is None:
        return None
    return {int(share) / 100: float(ms) for share, ms in re.findall(r"at (\d+): ([\d.]+)", text)}


def autocannon(url: str, per_second: int) -> Figures | None:
    """Closed loops at an overall pace, with its own correction for it; tells no p95."""
    pace = ["-c", str(CONNECTIONS), "-R", str(per_second), "-d", str(SECONDS), "--json", "--no-progress"]
    text = output("npx", "--no-install", "autocannon", *pace, url)
    try:
        latency = json.loads(text or "")["latency"]
    except (ValueError, KeyError):
        return None
    return {0.50: latency["p50"], 0.99: latency["p99"], 1.0: latency["max"]}


TOOLS: dict[str, Callable[[str, int], Figures | None]] = {"hey": hey, "wrk": wrk, "autocannon": autocannon}


def output(tool: str, *arguments: str) -> str | None:
    """What it prints; None where it is not here, or does not end well."""
    found = shutil.which(tool)
    if found is None:
        return None
    try:
        done = subprocess.run(
            [found, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS + 30,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout


def quantiles(values: Sequence[float]) -> Figures:
    ordered = sorted(values)
    return {share: ordered[round(share * (len(ordered) - 1))] for share in SHARES}


def print_row(name: str, figures: Figures | None) -> None:
    """One line."""
    if figures is None:
        print(f"{name:<12} not installed")
        return
    cells = (f"{figures[share]:8.1f}" if share in figures else f"{'–':>8}" for share in SHARES)
    print(f"{name:<12} {' '.join(cells)}")


if __name__ == "__main__":
    main()
