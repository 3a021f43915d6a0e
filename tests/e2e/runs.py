"""The suite as its users run it: a process of its own against a sandbox, judged by what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox_process import HOUSE, Sandbox

CANARY = "CaNaRy7Q"
CANARIES = {
    "SANDBOX_API_KEY": f"km_{CANARY}a81f22",
    "SANDBOX_ADMIN_KEY": f"{CANARY}b92c33",
    "SANDBOX_NEXTAUTH_SECRET": f"{CANARY}c03d44-of-thirty-two-characters",
    "SANDBOX_SESSION_TOKEN": f"{CANARY}d14e55",
    "SANDBOX_EMAIL": f"{CANARY}e25f66@sandbox.invalid",
    "SANDBOX_PASSWORD": f"{CANARY}f36a77 with/odd&characters%",
    "SANDBOX_WEBHOOK_SECRET": f"whsec_{CANARY}047b88",
    "SANDBOX_DATABASE_PASSWORD": f"{CANARY}158c99",
    "SANDBOX_RENDER_API_KEY": f"rnd_{CANARY}269daa",
    "SANDBOX_SENTRY_AUTH_TOKEN": f"sntryu_{CANARY}37aebb",
    "SANDBOX_STRIPE_API_KEY": f"sk_test_{CANARY}48bfcc",
    "SANDBOX_GITHUB_TOKEN": f"ghp_{CANARY}59c0dd",
    "SANDBOX_STATUSPAGE_API_KEY": f"{CANARY}6ad1ee",
    "SANDBOX_PAGERDUTY_TOKEN": f"u+{CANARY}7be2ff",
}
"""A secret for everything that the sandbox keeps secret; none of them may ever be seen."""


_LEAN = ("-p", "no:cacheprovider", "-p", "no:anyio")

EXHAUSTIVE = pytest.mark.exhaustive
"""For cases that `make test` leaves to `make exhaustive`: each is a run of the whole suite."""

WORKERS = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=EXHAUSTIVE)]
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that ended."""

    code: int
    output: str
    folder: Path

    @property
    def verdict(self) -> dict[str, Any]:
        path = self.folder / "verdict.json"
        assert path.exists(), self.output
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    @property
    def leaks(self) -> list[str]:
        """Where a canary was seen: on the terminal, or in files of the report."""
        seen = ["the terminal"] if CANARY.casefold() in self.output.casefold() else []
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        assert files, self.output
        return seen + [path.name for path in files if CANARY.casefold().encode() in path.read_bytes().lower()]

    @property
    def call(self) -> str:
        return str(self.verdict["recommendation"])

    @property
    def statuses(self) -> dict[str, str]:
        return {item["id"]: item["status"] for item in self.verdict["items"]}

    @property
    def red(self) -> set[str]:
        return {item for item, status in self.statuses.items() if status in {"failed", "error"}}

    @property
    def impacts(self) -> set[str]:
        return {reason["impact"] for reason in self.verdict["reasons"]}


def verify(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, patience_s: float = 120
) -> Ran:
    """Run pytest on the checks; the report goes into the folder."""
    with begun(folder, *arguments, variables=variables) as process:
        output, _ = process.communicate(timeout=patience_s)
    return Ran(process.returncode, output, folder)


@contextmanager
def begun(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Begin such a run, for the length of the block."""
    left_out = ("PYTEST_", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            f"--report-dir={folder}",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:anyio",
            *arguments,
        ],
        cwd=HOUSE,
        env={**clean, "SANDBOX_LEDGER_URL": ledger_in(folder), **(variables or {})},
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


def ledger_in(folder: Path) -> str:
    """The address of a ledger in that folder: runs that share no ledger do not compare themselves."""
    return f"sqlite:///{folder}/ledger.db"


def brief_environment(folder: Path, sandbox: Sandbox, *, browser: bool = False) -> Path:
    """An environment file for a sandbox that is running already, in which nothing takes long.

    Unless it is about the browser, it is a platform without pages: its items do not apply, and cost nothing.
    """
    settings, launch = sandbox.launched["settings"], (HOUSE / "environments" / "sandbox.toml").read_text()
    before, _, rest = launch.partition("[launch]")
    text = before + "[" + rest.partition("\n[")[2]
    text = _with_settings(text, settings)
    if not browser:
        text = f'absent = ["browser"]\n{text}'
    for key, value in {
        "patience_s = 3": "patience_s = 1.5\nloads = 3",
        "requests = 600": "requests = 120",
        "seconds = 30": "seconds = 4",
        "spacing_s = 0.1": "spacing_s = 0.01",
        "final_after_s = 2": "final_after_s = 0.5",
        "urls = []": f'urls = ["{sandbox.control}"]',
    }.items():
        assert key in text, f"environments/sandbox.toml has no {key!r} any more"
        text = text.replace(key, value)
    path = folder / "brief.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _with_settings(text: str, settings: Mapping[str, Any]) -> str:
    """The file with what the running sandbox tells in place of what the file says."""
    lines, table = [], ""
    for line in text.splitlines():
        header, key = re.fullmatch(r"\[([\w.-]+)\]", line), re.match(r"(\w+) = ", line)
        if key and f"{table}.{key[1]}" in settings:
            continue
        lines.append(line)
        if header:
            table = header[1]
            own = {key.rpartition(".")[2]: value for key, value in settings.items() if _table(key) == table}
            lines += [f"{key} = {json.dumps(value)}" for key, value in own.items()]
    return "\n".join(lines) + "\n"


def _table(key: str) -> str:
    """The table of a setting such as "services.api.url"."""
    return key.rpartition(".")[0]


def variables(sandbox: Sandbox) -> dict[str, str]:
    """The credentials of a running sandbox, as the process environment would hold them."""
    return dict(sandbox.launched["credentials"])
