"""A copy of the project as a reader has it after `git clone` and `make setup`; it asks nobody outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.documents import ROOT, Command

COMMIT = "9c41d07"
"""The commit that the pages speak of; in the copy it is the one that is released."""

# A page teaches what to do, not how fast a machine is: nothing is too slow here, and little is waited for.
_PATIENT = {
    "runbook.toml": {"objective = 500\n": "objective = 50000\n", "objective = 2000\n": "objective = 90000\n"},
    "environments/sandbox.toml": {
        "production = false\n": 'production = false\nabsent = ["browser"]\n',
        "requests = 600": "requests = 100",
        "seconds = 30\n": "seconds = 5\n",
        "answer = 5": "answer = 15",
    },
}
# How prod and staging start it, too: with the pages' commit released.
_SERVED = '"-m", "sandbox"]'
_LIMIT_S = 400
"""Seconds for a page."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run. `code` is None where the one before it ended everything."""

    command: Command
    code: int | None
    output: str


@dataclass(frozen=True, slots=True)
class Clone:
    """The copy."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of a fresh shell."""

    @classmethod
    def in_(cls, parent: Path) -> Clone:
        """Copy what git has and what it does not ignore; every environment is the sandbox."""
        folder = parent / "kamiyo-verify"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            source, target = ROOT / name, folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        clone = cls(folder)
        clone._be_patient()
        clone._ask_nobody()
        clone._be_set_up()
        clone._commit()
        return clone

    def follow(self, commands: list[Command]) -> list[Ran]:
        """Run them in one shell, one after the other, until one ends in another way than its page tells."""
        activates = ". .venv/bin/activate"
        done_before = not any(command.text == activates for command in commands)
        script = ["unset HISTFILE", *([activates] if done_before else [])]
        for number, command in enumerate(commands):
            script += [
                *([command.first] if command.first else []),
                f"printf '\\n@@begin {number}\\n'",
                command.text,
                f"code=$?; printf '\\n@@end {number} %s\\n' $code; [ $code = {command.exit} ] || exit 0",
            ]
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", "\n".join(script)],
            cwd=self.folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
        return [self._ran(command, number, output) for number, command in enumerate(commands)]

    def _ran(self, command: Command, number: int, output: str) -> Ran:
        _, begun, rest = output.partition(f"\n@@begin {number}\n")
        said, ended, code = rest.partition(f"\n@@end {number} ")
        told = said if begun else output[-3000:]
        return Ran(command, int(code.split()[0]) if ended else None, told[-6000:])

    def _variables(self) -> dict[str, str]:
        """Those of a fresh shell, without credentials; nobody is asked for a name, a password or a page."""
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - as the system has it
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            # As `make setup` would have it: the installed package is the copy, not what it was copied from.
            "PYTHONPATH": str(self.folder),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "Ada Lovelace",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada Lovelace",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            # Whoever asks the network all the same is answered at once that there is none.
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
            "NO_PROXY": "127.0.0.1,localhost",
            **self.more,
        }

    def _be_patient(self) -> None:
        for name, changes in _PATIENT.items():
            path = self.folder / name
            text = path.read_text(encoding="utf-8")
            for old, new in changes.items():
                assert old in text, f"{name} has no {old!r} any more"
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")

    def _ask_nobody(self) -> None:
        """The environments of a real platform become sandboxes that have released the pages' commit."""
        text = (self.folder / "environments" / "sandbox.toml").read_text(encoding="utf-8")
        assert _SERVED in text
        served = text.replace(_SERVED, f'"-m", "sandbox", "--commit", "{COMMIT}"]')
        served = served.replace("SANDBOX_LEDGER_URL", "KAMIYO_LEDGER_URL")
        for name in ("prod", "staging"):
            (self.folder / "environments" / f"{name}.toml").write_text(served, encoding="utf-8")

    def _be_set_up(self) -> None:
        """A .venv of links: whatever clears it clears the links."""
        own = self.folder / ".venv"
        own.mkdir()
        for entry in Path(sys.prefix).iterdir():
            if not entry.name.startswith("."):
                (own / entry.name).symlink_to(entry)
        (own / ".run").touch()
        (own / ".ready").touch()

    def _commit(self) -> None:
        for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "As it is"]):
            subprocess.run(
                ["git", *arguments], cwd=self.folder, env=self._variables(), check=True, capture_output=True
            )
