"""Running somebody else's command: bounded in time and output, without our credentials, never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.result import Exchange

KEPT_BYTES = 8 * 1024

_PYTEST = "PYTEST_"
_OF_ONE_REPOSITORY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)
"""Of those that `git rev-parse --local-env-vars` lists; a hook's would lead git to its own repository."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended by itself.

    Attributes:
        tail: the end of its standard output and error together, undecodable bytes replaced; 8 KiB of it
            unless more was asked for.
    """

    command: str
    code: int
    tail: str
    duration_s: float

    @property
    def last_line(self) -> str:
        """Its last line that says anything, shortened: what most tools sum up in."""
        lines = [line.strip() for line in self.tail.splitlines() if line.strip()]
        return lines[-1][:200] if lines else "it printed nothing"


class Commands:
    """Runs commands in one folder.

    Args:
        folder: where they run.
        hidden: names of environment variables that they must not see: our credentials.
        record: is told of each run.
    """

    def __init__(self, folder: Path, *, hidden: Collection[str], record: Callable[[Exchange], None]) -> None:
        self._folder = folder
        self._hidden = frozenset(hidden)
        self._record = record

    def run(self, command: Sequence[str], *, within_s: float, kept_bytes: int = KEPT_BYTES) -> Ran:
        """Run one to its end.

        Args:
            command: the program and its arguments; no shell reads them.
            within_s: seconds after which it is stopped.
            kept_bytes: how much of the end of its output is kept.

        Raises:
            NoAnswer: it could not be started, or was not done in time (it and its children are killed).
        """
        told = " ".join(command)
        variables = {name: value for name, value in os.environ.items() if not self._withheld(name)}
        variables |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "CI": "true", "NO_COLOR": "1"}
        began = time.monotonic()
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(  # noqa: S603 - the environment file's own command
                    command,
                    cwd=self._folder,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise NoAnswer(NoAnswerKind.UNUSABLE, f"{told}: cannot be run: {error.strerror}") from error
            try:
                code = process.wait(timeout=max(within_s, 0.1))
            except subprocess.TimeoutExpired as error:
                raise NoAnswer(
                    NoAnswerKind.TIMEOUT, f"{told}: not done after {within_s:.0f} s, so it was stopped"
                ) from error
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                duration = time.monotonic() - began
                self._tell(told, process.returncode, duration)
            return Ran(told, code, _tail(output, kept_bytes), duration)

    def _withheld(self, name: str) -> bool:
        """Our credentials, and what belongs to this very run or repository."""
        return name in self._hidden or name in _OF_ONE_REPOSITORY or name.startswith(_PYTEST)

    def _tell(self, told: str, code: int, duration_s: float) -> None:
        self._record(Exchange("RUN", told, None, duration_s * 1000, problem=f"exit {code}" if code else ""))


def _tail(output: IO[bytes], kept_bytes: int) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - kept_bytes))
    return output.read().decode("utf-8", "replace")
