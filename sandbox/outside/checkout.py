"""The checkout of the deployed project: a clone and its bare origin; faults rewrite its files."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from sandbox.faults import Faults
from sandbox.migrations import PROJECT
from sandbox.outside.checkout_faults import BACKUP, EDITS, Files
from sandbox.outside.render_services import BRANCH, blueprint

_README = "README.md"
_MESSAGE = "Alert on exploits by chain"
_DATE = "2025-11-03T09:00:00+00:00"  # fixed, so that the commit's id is always the same
_FRESH_S = 3600.0
_STALE_S = 4 * 86400.0


class Checkout:
    """A clone of the project. Git reads and writes nothing outside its folder.

    Args:
        folder: the folder to create; it must not exist.

    Attributes:
        path: the path of the clone.
        head: the commit that is checked out.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "kamiyo"
        self._origin = folder / "origin.git"
        self._files = _healthy()
        self._written: Files = {}
        self._behind = False
        folder.mkdir()
        self._write(self._files)
        self.head = self._commit()

    def apply(self, faults: Faults) -> None:
        """Rewrite the files for the active faults."""
        files = dict(self._files)
        for name, edit in EDITS.items():
            if name in faults:
                edit(files)
        self._write(files)
        self._age_backup(_STALE_S if "backup-too-old" in faults else _FRESH_S)
        self._stand("branch-behind" in faults)

    def _write(self, files: Files) -> None:
        """Write these files and remove all others; unchanged files are not touched."""
        for name in self._written.keys() - files.keys():
            path = self.path / name
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        for name, text in files.items():
            if self._written.get(name) != text:
                path = self.path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
                path.chmod(0o755 if text.startswith("#!") else 0o644)
        self._written = files

    def _commit(self) -> str:
        self._git("init", "--quiet", "--template=", f"--initial-branch={BRANCH}")
        self._git("add", "--all")
        self._git("commit", "--quiet", f"--message={_MESSAGE}")
        # The same as `git clone --bare` and `git remote add`, in a fifth of the time.
        own = self.path / ".git"
        shutil.copytree(own, self._origin, ignore=shutil.ignore_patterns("index", "logs", "COMMIT_EDITMSG"))
        (self._origin / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        with (own / "config").open("a") as config:
            config.write(
                f'[remote "origin"]\n\turl = {self._origin}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
            )
        # Faults rewrite tracked files, and only the check for each fault must see that: git treats these
        # files as unchanged whatever they contain, and ignores new files in these folders.
        tracked = sorted(self._files.keys() - {_README, BACKUP})
        self._git("update-index", "--skip-worktree", *tracked)
        (own / "info").mkdir(exist_ok=True)
        (own / "info" / "exclude").write_text("tests/\nwebsite/\n")
        return (own / "refs" / "heads" / BRANCH).read_text().strip()

    def _age_backup(self, seconds: float) -> None:
        path = self.path / BACKUP
        if path.exists():
            made = time.time() - seconds
            os.utime(path, (made, made))

    def _stand(self, behind: bool) -> None:  # noqa: FBT001 - the wanted state
        """Make the origin one commit ahead of the clone, or equal to it."""
        if behind == self._behind:
            return
        tip = self.head
        if behind:
            words = ("commit-tree", f"{self.head}^{{tree}}", "-p", self.head, "-m", "Somebody else's work")
            tip = self._git("--git-dir", str(self._origin), *words)
        self._git("--git-dir", str(self._origin), "update-ref", f"refs/heads/{BRANCH}", tip)
        self._behind = behind

    def _git(self, *words: str) -> str:
        person = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in {"NAME": "Dana Dev", "EMAIL": "dana@sandbox.invalid", "DATE": _DATE}.items()
        }
        ran = subprocess.run(  # noqa: S603 - fixed words
            [_git_program(), "-c", "core.autocrlf=false", "-c", "maintenance.auto=false", *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self.path),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                **person,
            },
        )
        if ran.returncode:
            raise OSError(f"git {' '.join(words[:2])} failed: {ran.stderr.strip()}")
        return ran.stdout.strip()


def _git_program() -> str:
    found = shutil.which("git")
    if found is None:
        raise OSError("the sandbox makes a checkout of the project, and there is no git on this machine")
    return found


def _healthy() -> Files:
    """Return every file of the checkout by its path."""
    files = {
        path.relative_to(PROJECT).as_posix(): path.read_bytes().decode()
        for path in PROJECT.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return files | {"render.yaml": blueprint(), BACKUP: "-- PostgreSQL database dump\n"}
