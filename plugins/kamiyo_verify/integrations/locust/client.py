"""Find Locust, run it, and read its result. It is never imported: it replaces the sockets of its process."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from kamiyo_verify.integrations.locust.settings import Load
from kamiyo_verify.integrations.locust.shapes import result_of
from kamiyo_verify.model.load.steps import LoadRun
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.writing.text import cut
from kamiyo_verify.processes.commands import past_proxies
from kamiyo_verify.processes.group import ProcessGroup

LOCUSTFILE = Path(__file__).with_name("locustfile.py")

GRACE_S = 45.0
"""Seconds for Locust besides the load itself: to start, to connect its workers, to gather the result."""

CONNECT_WITHIN_S = 25
"""Seconds within which every worker has to connect, those of other machines too."""

_POLL_S = 0.1
_WITHHELD = ("PYTEST_", "LOCUST_", "KAMIYO_LOAD_")
_GET_IT = "Locust is not installed: pip install 'kamiyo-verify[load]', or name one in [load] executable"


@dataclass(frozen=True, slots=True)
class Plan:
    """What Locust sends.

    Attributes:
        origin: scheme, host and port of the service.
        paths: asked in order, again and again, by each user.
        users: how many ask in each step.
        per_user_per_s: the requests per second of one user whose answers are quick.
        step_s: how long a step takes, in seconds.
        headers: sent with each request; no secrets.
        secret_headers: the same, with credentials; they never leave this machine.
        secret_params: query parameters with credentials.
    """

    origin: str
    paths: tuple[str, ...]
    users: tuple[int, ...]
    per_user_per_s: float
    step_s: float
    timeouts: Timeouts
    workers: int = 1
    remote_workers: int = 0
    bind: str = "127.0.0.1"
    port: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    secret_params: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long all steps take together."""
        return self.step_s * len(self.users)

    @property
    def all_workers(self) -> int:
        """The workers of this machine and of others."""
        return self.workers + self.remote_workers

    @property
    def offered_per_s(self) -> tuple[float, ...]:
        """The load of each step, in requests per second."""
        return tuple(users * self.per_user_per_s for users in self.users)


def plan_of(load: Load, origin: str, timeouts: Timeouts) -> Plan:
    """Return the plan that a table [load] describes, without credentials."""
    fewest = load.workers + load.remote_workers
    return Plan(
        origin=origin,
        paths=load.paths,
        users=tuple(max(fewest, round(load.users * step / load.steps)) for step in range(1, load.steps + 1)),
        per_user_per_s=load.requests_per_second / load.users,
        step_s=load.seconds / load.steps,
        timeouts=timeouts,
        workers=load.workers,
        remote_workers=load.remote_workers,
        bind=load.bind,
        port=load.port,
    )


def lacking(executable: str) -> str:
    """What is missing and how to get it, in one line; "" if Locust can be started. Starts nothing.

    Args:
        executable: of the environment's [load]; "" if it names none.
    """
    if executable and shutil.which(executable) is None:
        return f"[load] executable: there is no program {executable}"
    return "" if command_of(executable) else _GET_IT


def command_of(executable: str) -> tuple[str, ...]:
    """Return the words that start Locust; empty if there is none."""
    if executable:
        found = shutil.which(executable)
        return (found,) if found else ()
    installed = find_spec("locust")
    if installed is not None and installed.origin:  # a folder of that name has no origin
        return (sys.executable, "-m", "locust")
    found = shutil.which("locust")
    return (found,) if found else ()


def run_load(
    plan: Plan,
    command: Sequence[str],
    *,
    hidden: Collection[str],
    stop: threading.Event,
    say: Callable[[str], object],
) -> LoadRun:
    """Run Locust to its end: a master and its workers, each a process; none of them is left behind.

    Args:
        plan: what it sends.
        command: the words that start it, of `command_of`.
        hidden: names of environment variables to remove: our credentials.
        stop: when it is set, the load ends at once.
        say: called with the progress, in a few words.

    Raises:
        NoAnswer: UNUSABLE: Locust did not start, ended early, or lost a worker; TIMEOUT.
    """
    with tempfile.TemporaryDirectory(prefix="kamiyo-load-") as name, tempfile.TemporaryFile() as output:
        folder = Path(name)
        result = folder / "result.json"
        port = plan.port or _free_port(plan.bind)
        variables = _variables(plan, result, hidden)
        with ProcessGroup(folder, variables, output) as group:
            try:
                master = group.start([*command, *_master_words(plan, port)])
                for _ in range(plan.workers):
                    group.start([*command, *_worker_words(plan, port)])
            except OSError as error:
                raise _unusable(f"it cannot be started: {error.strerror}", output) from None
            _wait(master, result, plan, stop, say, output)
        return result_of(result.read_bytes(), plan.users, plan.offered_per_s, plan.all_workers)


def _wait(
    master: subprocess.Popen[bytes],
    result: Path,
    plan: Plan,
    stop: threading.Event,
    say: Callable[[str], object],
    output: IO[bytes],
) -> None:
    began = time.monotonic()
    until = began + plan.seconds + GRACE_S
    say(f"up to {plan.offered_per_s[-1]:.0f} requests a second to {plan.origin}")
    while not result.exists():
        if master.poll() is not None and not result.exists():
            raise _unusable("it ended before the load was over", output)
        if time.monotonic() > until:
            message = f"Locust gave no result within {until - began:.0f} s, so it was stopped"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message)
        if stop.wait(_POLL_S):
            raise NoAnswer(NoAnswerKind.UNUSABLE, "the load was stopped, because the run ended")


def _master_words(plan: Plan, port: int) -> list[str]:
    return [
        *("-f", str(LOCUSTFILE), "--headless", "--master"),
        *("--master-bind-host", plan.bind, "--master-bind-port", str(port)),
        *("--expect-workers", str(plan.all_workers), "--expect-workers-max-wait", str(CONNECT_WITHIN_S)),
        *("-H", plan.origin, "--only-summary", "--loglevel", "WARNING"),
    ]


def _worker_words(plan: Plan, port: int) -> list[str]:
    return [
        *("-f", str(LOCUSTFILE), "--worker", "--loglevel", "WARNING"),
        *("--master-host", plan.bind if plan.bind not in _EVERY else "127.0.0.1", "--master-port", str(port)),
    ]


_EVERY = {"0.0.0.0", "*"}  # noqa: S104 - what a team may write as `bind`


def _variables(plan: Plan, result: Path, hidden: Collection[str]) -> dict[str, str]:
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in hidden and not name.startswith(_WITHHELD)
    }
    if not variables.get("SSL_CERT_FILE") and not variables.get("SSL_CERT_DIR"):
        import certifi  # noqa: PLC0415 - only here

        variables["SSL_CERT_FILE"] = certifi.where()
    wire = {
        "paths": plan.paths,
        "users": plan.users,
        "per_user_per_s": plan.per_user_per_s,
        "step_s": plan.step_s,
        "workers": plan.all_workers,
        "headers": dict(plan.headers),
        "connect_s": plan.timeouts.connect,
        "answer_s": plan.timeouts.answer,
        "end_after_s": plan.seconds + GRACE_S,
    }
    carried = {"headers": dict(plan.secret_headers), "params": dict(plan.secret_params)}
    return (
        variables
        | past_proxies(variables)
        | {
            "KAMIYO_LOAD_PLAN": json.dumps(wire),
            "KAMIYO_LOAD_CREDENTIALS": json.dumps(carried),
            "KAMIYO_LOAD_RESULT": str(result),
            "KAMIYO_LOAD_ENDS_WITH_STDIN": "1",
        }
    )


def _free_port(host: str) -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1" if host in _EVERY else host, 0))
        return int(taken.getsockname()[1])


def _unusable(what: str, output: IO[bytes]) -> NoAnswer:
    output.seek(0)
    lines = [line.strip() for line in output.read().decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if "/ERROR/" in line] or lines
    says = f"; it says: {cut(telling[-1], 200)}" if telling else ""
    return NoAnswer(NoAnswerKind.UNUSABLE, f"Locust gave no result: {what}{says}")
