"""An append-only branch of a git repository; several processes may append at once."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

from kamiyo_verify.http.readable import masked_url, readable

_TRIES = 8
_AT_MOST_S = 120.0
_APART_S = 0.3
"""Seconds between two tries, times their number, randomized: so that processes do not collide again."""

_WHO = ("-c", "user.name=kamiyo-verify", "-c", "user.email=kamiyo-verify@localhost")


class NotPushed(Exception):
    """The branch is unchanged; the message says why."""


class LogBranch:
    """One branch that only this class writes.

    Args:
        remote: the repository, as git names it: an address or a folder.
        branch: its name; created if it does not exist, without any other history.
        token: for an https address; "" if git needs none, or has its own.
    """

    def __init__(self, remote: str, branch: str, token: str = "") -> None:
        self._remote = remote
        self._branch = branch
        self._token = token

    def add(self, write: Callable[[Path], str]) -> bool:
        """Commit and push; return whether there was anything to commit.

        Args:
            write: changes the files of the given folder, and returns the commit's message. It is called
                again, on the branch's new content, if another process has pushed meanwhile.

        Raises:
            NotPushed: git failed, or another process pushed first in every try.
        """
        for tries in range(_TRIES):
            time.sleep(random.uniform(0, tries * _APART_S))  # noqa: S311 - no secret
            with tempfile.TemporaryDirectory(prefix="kamiyo-log-") as folder:
                work = Path(folder)
                self._check_out(work)
                message = write(work)
                self._git(work, "add", "--all")
                if not self._git(work, "status", "--porcelain"):
                    return False
                self._git(work, *_WHO, "commit", "--quiet", "--no-gpg-sign", "-m", message)
                if self._pushed(work):
                    return True
        raise NotPushed(f"{self._name}: somebody else pushed first, {_TRIES} times")

    @property
    def _name(self) -> str:
        return f"{self._branch} of {masked_url(self._remote) if '://' in self._remote else self._remote}"

    def _check_out(self, work: Path) -> None:
        self._git(work, "init", "--quiet", "--initial-branch", self._branch)
        self._git(work, "remote", "add", "origin", self._remote)
        reference = f"refs/heads/{self._branch}"
        if self._git(work, "ls-remote", "origin", reference):
            self._git(work, "fetch", "--quiet", "--depth=1", "--no-tags", "origin", reference)
            self._git(work, "reset", "--quiet", "--hard", "FETCH_HEAD")

    def _pushed(self, work: Path) -> bool:
        done = self._run(work, "push", "--quiet", "origin", f"HEAD:refs/heads/{self._branch}")
        if done.returncode == 0:
            return True
        # Another push came first, or is being processed at this moment.
        if any(word in done.stderr for word in ("rejected", "cannot lock ref", "failed to update ref")) and (
            "protected branch" not in done.stderr and "hook declined" not in done.stderr
        ):
            return False
        raise NotPushed(self._describe(done))

    def _git(self, work: Path, *arguments: str) -> str:
        done = self._run(work, *arguments)
        if done.returncode:
            raise NotPushed(self._describe(done))
        return done.stdout.strip()

    def _run(self, work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(work), *arguments]
        try:
            return subprocess.run(  # noqa: S603 - no shell; the branch's name is checked by git itself
                command,
                env={**_without_git(os.environ), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **self._header()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_AT_MOST_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotPushed(f"git {arguments[0]}: {type(error).__name__}") from None

    def _header(self) -> dict[str, str]:
        """The token as a header in the environment, hidden from process lists, like actions/checkout."""
        if not self._token or not self._remote.startswith("https://"):
            return {}
        basic = b64encode(f"x-access-token:{self._token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{self._remote}.extraheader",
            "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
        }

    def _describe(self, done: subprocess.CompletedProcess[str]) -> str:
        said = readable(done.stderr or done.stdout, longest=400)
        return f"{self._name}: {said}"


def _without_git(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables without git's own: those of a hook or an outer git would select its repository."""
    return {name: value for name, value in variables.items() if not name.startswith("GIT_")}
