"""What a run costs where every answer takes 300 ms: beside plain pytest and newman with the same requests.

`make bench` prints ratios of medians by the clock, by turns. In one process, a run asks ahead; with `-n`,
checks wait side by side. newman is the one on the PATH, or npm installs it for this measurement; it sends the
HTTP requests only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.run import COMPARED, fresh, medians, plain, print_row, requests_sent, run_plain
from tests.e2e.stage import QUICK, Stage, staged
from tests.support.misbehaving_proxy import Fate
from tests.support.sandbox_process import Sandbox, started

ANSWER_S = 0.3
WORKERS = "6"
TIMES = 3
GOAL_PLAIN = 0.5
GOAL_NEWMAN = 1.0

Requests = dict[str, list[tuple[str, str]]]
"""Method and address of each request, by item."""


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as name,
        started("--heartbeat", "2") as sandbox,
        staged(sandbox, Path(name)) as stage,
    ):
        folder = Path(name)
        for proxy in (stage.api, stage.frontend):
            proxy.breaks(Fate.SLOW, delay_s=ANSWER_S)
        stage.verify(*COMPARED)
        sent = requests_sent(stage.report)
        plain_test = plain(folder, sent, sandbox)
        newman = newman_in(folder)
        runs = [
            lambda: run_ours(stage),
            lambda: run_ours(stage, "-n", WORKERS),
            lambda: fresh(sandbox) and run_plain(plain_test),
        ]
        if newman:
            collection = written_collection(folder, sent, sandbox)
            runs.append(lambda: run_newman(newman, collection))
        alone, beside, theirs, *postman = medians(*runs, times=TIMES)
    requests = sum(map(len, sent.values()))
    print(f"\nevery answer of the platform takes {ANSWER_S * 1000:.0f} ms; {requests} requests")
    for what, cost, goal in (("in one process", alone, GOAL_PLAIN), (f"with -n {WORKERS}", beside, None)):
        figures = f"{cost.seconds:.1f} s against {theirs.seconds:.1f} s"
        print_row(f"our run, {what}, against plain pytest", figures, cost.seconds / theirs.seconds, goal)
    for cost in postman:
        figures = f"{alone.seconds:.1f} s against {cost.seconds:.1f} s"
        print_row(
            "our run, in one process, against newman", figures, alone.seconds / cost.seconds, GOAL_NEWMAN
        )
    if not postman:
        print("newman is not here, and npm could not install it")


def run_ours(stage: Stage, *arguments: str) -> int:
    """Run the suite on the slow platform."""
    fresh(stage.sandbox)
    ran = stage.verify(*COMPARED, *arguments, mark=QUICK)
    assert not ran.red, ran.output
    return ran.code


def newman_in(folder: Path) -> Sequence[str]:
    """Return the command of newman; () where there is none and npm cannot install it."""
    if found := shutil.which("newman"):
        return (found,)
    npm = shutil.which("npm")
    if npm is None:
        return ()
    wanted = [
        npm,
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(folder / "npm"),
        "newman",
    ]
    done = subprocess.run(wanted, capture_output=True, check=False)
    return (str(folder / "npm" / "node_modules" / ".bin" / "newman"),) if done.returncode == 0 else ()


def written_collection(folder: Path, sent: Requests, sandbox: Sandbox) -> Path:
    """Write the HTTP requests as a collection of Postman's format 2.1; return the file."""
    header = [{"key": "X-API-Key", "value": sandbox.secret("API_KEY")}]
    items = [
        {"name": item, "request": {"method": method, "url": url, "header": header}}
        for item, requests in sent.items()
        for method, url in requests
        if url.startswith("http")
    ]
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    path = folder / "collection.json"
    path.write_text(json.dumps({"info": {"name": "same requests", "schema": schema}, "item": items}))
    return path


def run_newman(command: Sequence[str], collection: Path) -> bool:
    """Send the collection once."""
    done = subprocess.run(
        [*command, "run", str(collection), "--reporters", "cli", "--insecure"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "iterations" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0


if __name__ == "__main__":
    main()
