"""Start a verification: by GitHub's repository_dispatch, or by a command on this machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from kamiyo_verify.integrations.github.control import GitHubControl

EVENT = "render-deploy"
"""The event type that starts .github/workflows/verify-deploy.yml."""


Start = Callable[[str], None]
"""Starts the verification of a commit; raises NoAnswer or OSError if that fails."""


class Dispatch:
    """Starts the verification by GitHub's repository_dispatch.

    Args:
        control: a client of the repository with the workflow.
        environment: the name of the environment.
    """

    def __init__(self, control: GitHubControl, environment: str) -> None:
        self._control = control
        self._environment = environment

    def __call__(self, commit: str) -> None:
        """Send the event."""
        self._control.dispatch(EVENT, {"commit": commit, "environment": self._environment})


class Command:
    """Runs a command on this machine, one at a time: parallel runs would distort each other's measurements.

    Args:
        words: the command, run without a shell; {commit}, {environment} and {python} in it are replaced.
        environment: the name of the environment.
        variables: the environment variables of the command.
        say: receives a line with the result.
    """

    def __init__(
        self, words: Sequence[str], environment: str, variables: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._words = tuple(words)
        self._environment = environment
        self._variables = dict(variables)
        self._say = say
        self._turn = threading.Lock()

    def __call__(self, commit: str) -> None:
        """Start the command, or queue it behind the running one."""
        known = {"{commit}": commit, "{environment}": self._environment, "{python}": sys.executable}
        words = [_replaced(word, known) for word in self._words]
        threading.Thread(target=self._run, args=(words,), name=f"verify {commit[:7]}", daemon=True).start()

    def _run(self, words: Sequence[str]) -> None:
        command_line = shlex.join(words)
        with self._turn:
            try:
                done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                    words, env=self._variables, stdin=subprocess.DEVNULL, check=False
                )
            except OSError as error:
                self._say(f"NOT VERIFIED: {command_line}: {error.strerror}")
                return
        self._say(f"ended with exit code {done.returncode}: {command_line}")


def _replaced(word: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(name, value)
    return word
