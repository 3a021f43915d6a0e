"""Three services and a worker at a host that is not Render, with the project that init writes for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.runs import ledger_in
from tests.support.strange_server import strange_server

OLD, NEW = "1" * 40, "2" * 40
SERVICES = ("accounts", "notes", "search")
WORKER = "indexer"

QUICK = """
[confirmation]
spacing_s = 0.1
final_after_s = 0.5
per_minute = 6000
at_most_s = 10
"""


@contextmanager
def hosted_project(tmp_path: Path, host: str, *options: str) -> Iterator[Path]:
    """Serve a healthy platform, all of it of commit NEW, until the block ends; yields its project's folder.

    Args:
        tmp_path: an empty folder.
        host: the host's table of the environment file.
        options: further options of init.
    """
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(strange_server(tmp_path / f"{name}.sqlite", commit=NEW))
            for name in SERVICES
        }
        folder = tmp_path / "verify"
        folder.mkdir()
        named = [word for name, url in urls.items() for word in ("--url", f"{name}={url}")]
        init = ["-m", "kamiyo_verify.cli", "init", *named, "--worker", WORKER, "--no-plan", *options]
        subprocess.run([sys.executable, *init], cwd=folder, check=True, capture_output=True)
        environment = folder / "environments" / "prod.toml"
        text = environment.read_text()
        for name in (*SERVICES, WORKER):
            text = text.replace(f"[services.{name}]", f'[services.{name}]\nhosting_id = "{name}"')
        environment.write_text(f"allow_rollback = true\n{text}\n{host}{QUICK}")
        yield folder


def break_notes(folder: Path) -> None:
    """Damage the database of the service "notes"."""
    (folder.parent / "notes.sqlite").write_bytes(b"this is no database" * 100)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in the project's folder."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        # A ledger of its own: what it knows of a rollback of another project's "prod" would forbid one here.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "KAMIYO_LEDGER_URL": ledger_in(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def verify(folder: Path) -> dict[str, Any]:
    """Verify the deployment of NEW; return verdict.json, with the output and the report's folder."""
    ran = run(folder, "pytest", "-p", "no:cacheprovider", "-m", "postdeploy", "--commit", NEW)
    newest = max(folder.glob("reports/prod/*/verdict.json"), key=lambda path: path.stat().st_mtime)
    verdict: dict[str, Any] = json.loads(newest.read_text())
    return {**verdict, "output": ran.stdout + ran.stderr, "folder": newest.parent}


def roll_back(folder: Path, verdict: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Carry out the rollback that a verdict asks for."""
    command = ["kamiyo_verify.cli", "rollback", "--env", "prod", "--from", str(verdict["folder"]), "--yes"]
    return run(folder, *command)
