"""The sandbox as the tests use it: a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

COMMAND = (sys.executable, "-m", "sandbox")
HOUSE = Path(__file__).parents[2]


_TLS = ssl.create_default_context()  # never used here; making one for each request would cost 20 ms


def request(method: str, url: str, **options: Any) -> httpx2.Response:
    """One request on a connection of its own, past any proxy."""
    return httpx2.request(method, url, trust_env=False, timeout=20, verify=_TLS, **options)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running one."""

    process: subprocess.Popen[str]
    launched: dict[str, Any]

    @property
    def api(self) -> str:
        return str(self.launched["settings"]["services.api.url"])

    @property
    def frontend(self) -> str:
        return str(self.launched["settings"]["services.frontend.url"])

    @property
    def control(self) -> str:
        return str(self.launched["control_url"])

    def secret(self, name: str) -> str:
        return str(self.launched["credentials"][f"SANDBOX_{name}"])

    def get(self, path: str, *, key: str | None = None, **headers: str) -> httpx2.Response:
        """GET of the API with its enterprise key, or with another; headers with _ for -."""
        return self.ask("GET", path, **{"X_API_Key": key or self.secret("API_KEY"), **headers})

    def get_anonymously(self, path: str, **headers: str) -> httpx2.Response:
        """GET of the API without a key, from an address that has not asked before."""
        return self.ask("GET", path, **{"X_Forwarded_For": f"stranger-{uuid.uuid4()}", **headers})

    def ask(self, method: str, path: str, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return request(method, self.api + path, headers=named)

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Switched on for the length of the block."""
        request("POST", f"{self.control}/faults/{name}").raise_for_status()
        try:
            yield
        finally:
            request("DELETE", f"{self.control}/faults/{name}").raise_for_status()


@contextmanager
def started(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """A sandbox that is ready; ended by closing its standard input."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HOUSE,
        env={**os.environ, **(environment or {})},
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the sandbox ended before it was ready"
        yield Sandbox(process, json.loads(line))


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descends from it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def folder_of(processes: list[psutil.Process]) -> Path:
    """The temporary folder of a sandbox, as its PostgreSQL was told."""
    commands = [command_of(process) for process in processes]
    [data] = {
        command[command.index("-D") + 1]
        for command in commands
        if "-D" in command and command[0].endswith("/postgres")
    }
    return Path(data).parent


def command_of(process: psutil.Process) -> list[str]:
    """Its command line; [] if it has ended meanwhile, as helpers of PostgreSQL do at any time."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def is_gone(process: psutil.Process) -> bool:
    """It ended; a zombie that nobody reaped has ended too."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], within_s: float = 15) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come about.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not so within {within_s:.0f} s"
        time.sleep(0.02)
