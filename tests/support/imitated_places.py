"""Places without a network: a program `ssh` on the PATH, and a script in place of Python."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kamiyo_verify.cli.places.identity import identity_of
from kamiyo_verify.cli.places.protocol import Ending, Greeting, Identity, line_of
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.result import Result
from kamiyo_verify.reporting.json import verdict_json
from tests.support.evidence_for import evidence

COMMIT = "9c41d07"

SSH = """#!/bin/sh
printf '%s\\n' "$*" >> "$PLACES_HOME/ssh.log"
env > "$PLACES_HOME/ssh.env"
while [ "$1" != "--" ]; do shift; done
case "$2" in
  refusing) echo "ssh: connect to host refusing port 22: Connection refused" >&2; exit 255 ;;
  silent) exec sleep 600 ;;
esac
cd "$PLACES_HOME" || exit 255
exec sh -c "$3"
"""
"""Runs the command in the home folder of the places, or fails as ssh does, by the name of the host."""

PLACE = """#!/bin/sh
for word; do
  case "$word" in --report-dir=*) folder=${word#*=} ;; esac
done
cat before greeting
read -r answer || exit 2
[ "$answer" = go ] || exit 2
echo "$$" > pid.new && mv pid.new pid
. ./during
mkdir -p "$folder"
cp verdict.json "$folder" 2> /dev/null
cat ending
"""
"""Stands for `python -m kamiyo_verify.cli places here` where the run has ended before."""

ENVIRONMENT = """
[services.api]
url = "https://api.example.com"
[api]
key = "PLACES_API_KEY"
"""


@dataclass
class Places:
    """A project and its places, each in a folder of its own below one home folder.

    Attributes:
        home: the home folder, where `ssh` begins.
        tables: the table of each place, by its name.
    """

    home: Path
    tables: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.home / "project"

    @property
    def output(self) -> Path:
        return self.home / "output"

    @property
    def ssh_calls(self) -> list[str]:
        log = self.home / "ssh.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def add(
        self,
        name: str,
        *results: Result,
        table: str = "",
        identity: Identity | None = None,
        missing: tuple[str, ...] = (),
        code: int | None = None,
        during: str = "",
    ) -> Path:
        """Add a place whose run ends with these results; return its folder.

        Args:
            name: its name.
            results: of its run.
            table: its table in the environment file; that of a host with its name if none is given.
            identity: what it has; that of the project if none is given.
            missing: names of variables that it lacks.
            code: the exit code of its run; that of its verdict if none is given.
            during: shell commands of its run.
        """
        folder = self.home / name
        folder.mkdir()
        ended = datetime.now(UTC).isoformat()
        verdict = decide(evidence(*results, place=name, commit=COMMIT, finished_at=ended, environment="test"))
        greeting = Greeting(identity=identity or identity_of(self.project), missing=missing)
        ending = Ending(exit_code=verdict.exit_code if code is None else code, last_line="1 failed")
        for file, text in {
            "verdict.json": verdict_json(verdict),
            "before": "",
            "greeting": f"{line_of(greeting)}\n",
            "ending": f"{line_of(ending)}\n",
            "during": during,
        }.items():
            (folder / file).write_text(text, encoding="utf-8")
        program = folder / "python"
        program.write_text(PLACE, encoding="utf-8")
        program.chmod(0o755)
        self.tables[name] = table or f'ssh = "{name}"\nfolder = "{name}"\npython = "./python"'
        self.write()
        return folder

    def write(self) -> None:
        """Write the environment file."""
        tables = [f"[places.{name}]\n{table}\n" for name, table in self.tables.items()]
        (self.project / "environments").mkdir(parents=True, exist_ok=True)
        text = "\n".join([ENVIRONMENT, *tables])
        (self.project / "environments" / "test.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A project without places yet, which is the working directory, and the program `ssh`."""
    found = Places(tmp_path / "home with a space")
    found.project.mkdir(parents=True)
    found.write()
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(SSH, encoding="utf-8")
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLACES_HOME", str(found.home))
    monkeypatch.chdir(found.project)
    return found


def command(*words: str) -> list[str]:
    """The command in a process of its own."""
    return [sys.executable, "-m", "kamiyo_verify.cli", "places", "run", "--env=test", *words]
