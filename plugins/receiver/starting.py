"""How a verification is started: by GitHub's repository_dispatch, or by a command on this machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from plugins.clients.github_control import GitHubControl

EVENT = "render-deploy"
"""What .github/workflows/verify-deploy.yml waits for."""


Start = Callable[[str], None]
"""Starts the verification of a commit; raises NoAnswer or OSError where it could not be started."""


class Dispatch:
    """Lets GitHub start it.

    Args:
        control: of the repository whose workflow it is.
        environment: its name.
    """

    def __init__(self, control: GitHubControl, environment: str) -> None:
        self._control = control
        self._environment = environment

    def __call__(self, commit: str) -> None:
        """Send the event."""
        self._control.dispatch(EVENT, {"commit": commit, "environment": self._environment})


class Command:
    """Runs a command here, one after the other: two runs at once would measure each other.

    Args:
        words: the command; {commit}, {environment} and {python} in it are replaced, and no shell reads it.
        environment: the environment's name.
        variables: of the command's process.
        say: is told how it ended.
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
        """Begin it, or let it wait for its turn."""
        known = {"{commit}": commit, "{environment}": self._environment, "{python}": sys.executable}
        words = [_replaced(word, known) for word in self._words]
        threading.Thread(target=self._run, args=(words,), name=f"verify {commit[:7]}", daemon=True).start()

    def _run(self, words: Sequence[str]) -> None:
        told = shlex.join(words)
        with self._turn:
            try:
                done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                    words, env=self._variables, stdin=subprocess.DEVNULL, check=False
                )
            except OSError as error:
                self._say(f"NOT VERIFIED: {told}: {error.strerror}")
                return
        self._say(f"ended with exit code {done.returncode}: {told}")


def _replaced(word: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(name, value)
    return word
