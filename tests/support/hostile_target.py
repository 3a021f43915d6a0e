"""A whole platform that means harm, with all that is around it, and a run against it, measured."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import psutil

from tests.e2e.runs import CANARIES, Ran, ledger_in
from tests.support.hostile_server import Behaviour, Peer, Server, answer, saying
from tests.support.sandbox_process import HOUSE, family

TRY_S = 3
DEADLINE_S = 90
_LOOK_EVERY_S = 0.02

ENVIRONMENT = """
title = "Target"
production = false
mutations = "allowed"

[services.api]
url = "{api}"
hosting_id = "srv-targetapi00000000000"
health_path = "/health"
commit = {{ header = "X-Commit" }}

[api]
key = "SANDBOX_API_KEY"
admin_key = "SANDBOX_ADMIN_KEY"
heartbeat_s = 0.5

[services.frontend]
url = "{frontend}"
hosting_id = "srv-targetfrontend000000"
commit = {{ path = "/version", field = "commit" }}

[sign_in]
providers = ["google", "credentials"]
secret = "SANDBOX_NEXTAUTH_SECRET"
session_token = "SANDBOX_SESSION_TOKEN"
email = "SANDBOX_EMAIL"
password = "SANDBOX_PASSWORD"

[payments]
webhook_secret = "SANDBOX_WEBHOOK_SECRET"

[render]
address = "{around}"
key = "SANDBOX_RENDER_API_KEY"
owner = "tea-target00000000000000"
postgres = "dpg-target000000000000-a"
deploy_timeout_s = 5
poll_s = 0.25

[sentry]
address = "{around}"
token = "SANDBOX_SENTRY_AUTH_TOKEN"
organization = "target"
projects = ["api"]

[stripe]
address = "{around}"
key = "SANDBOX_STRIPE_API_KEY"

[github]
address = "{around}"
token = "SANDBOX_GITHUB_TOKEN"
repository = "target/target"

[status_pages]
render = "{around}"
stripe = "{around}"
sentry = "{around}"
own_address = "{around}"
own_page_id = "target"
own_key = "SANDBOX_STATUSPAGE_API_KEY"

[pagerduty]
address = "{around}"
token = "SANDBOX_PAGERDUTY_TOKEN"
schedules = ["PTARGET"]

[sampling]
requests = 20
seconds = 1

[confirmation]
attempts = 1
final_after_s = 0.2
per_minute = 6000
at_most_s = 3

[control]
urls = ["{control}"]

[timeouts]
connect = 0.5
answer = 0.5
item = {try_s}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run that ended.

    Attributes:
        peak_bytes: the most memory that its processes held at once, each counted at its own highest so far.
    """

    ran: Ran
    peak_bytes: int


@contextmanager
def target(folder: Path, behaviour: Behaviour) -> Iterator[Path]:
    """The environment file of a platform where everything behaves so; only a control address is honest."""
    with ExitStack() as stack:
        api, frontend, around = (stack.enter_context(Server(behaviour)) for _ in range(3))
        honest = stack.enter_context(Server(saying(answer(b"", "204 No Content"))))
        path = folder / "target.toml"
        path.write_text(
            ENVIRONMENT.format(
                api=api.origin,
                frontend=frontend.origin,
                around=around.origin,
                control=honest.origin + "/",
                try_s=TRY_S,
            ),
            encoding="utf-8",
        )
        yield path


def by_turns(behaviours: Iterable[Behaviour]) -> Behaviour:
    """Each connection is treated by the next behaviour, round and round."""
    turns = cycle(behaviours)
    lock = threading.Lock()

    def behave(peer: Peer) -> None:
        with lock:
            turn = next(turns)
        turn(peer)

    return behave


def run(folder: Path, environment: Path, *arguments: str) -> Measured:
    """Run the suite, and watch its memory."""
    left_out = ("PYTEST_", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    report = folder / "report"
    command = [f"--env={environment}", f"--report-dir={report}", f"--deadline={DEADLINE_S}", *arguments]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *command, "-p", "no:cacheprovider", "-p", "no:anyio"],
        cwd=HOUSE,
        env={**clean, **CANARIES, "KAMIYO_LEDGER_URL": ledger_in(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peaks = [0]
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(process.pid, peaks, over))
    watching.start()
    try:
        output, _ = process.communicate(timeout=DEADLINE_S + 60)
    finally:
        over.set()
        process.kill()
        watching.join()
    return Measured(Ran(process.returncode, output.decode(errors="replace"), report), max(peaks))


def _watch(pid: int, peaks: list[int], over: threading.Event) -> None:
    while not over.wait(_LOOK_EVERY_S):
        # A process that ends while it is looked at is missing in this look alone.
        with contextlib.suppress(psutil.Error, OSError):
            peaks.append(sum(_peak_bytes(process) for process in family(pid)))


def _peak_bytes(process: psutil.Process) -> int:
    """The most that a process has held; where only the present is known, that."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return process.memory_info().rss
