"""Run external commands with limits on time and output, without our credentials; kill all children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kamiyo_verify.model.outcomes import CommandTooSlow, NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.times import utc_now
from kamiyo_verify.model.writing.text import cut

KEPT_BYTES = 8 * 1024

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

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
"""A subset of `git rev-parse --local-env-vars`; set in a hook, they point git at the hook's repository."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of a command that ended by itself.

    Attributes:
        tail: the end of its combined standard output and error, undecodable bytes replaced; 8 KiB by default.
    """

    command: str
    code: int
    tail: str
    duration_s: float

    @property
    def last_line(self) -> str:
        """The last non-empty line of output, shortened; most tools print their summary there."""
        lines = [line.strip() for line in self.tail.splitlines() if line.strip()]
        return cut(lines[-1], 200) if lines else "it printed nothing"


class Commands:
    """Runs commands in one folder.

    Args:
        folder: the working directory.
        hidden: names of environment variables to remove: our credentials.
        record: called with an exchange for each run.
    """

    def __init__(self, folder: Path, *, hidden: Collection[str], record: Callable[[Exchange], None]) -> None:
        self._folder = folder
        self._hidden = frozenset(hidden)
        self._record = record

    def run(self, command: Sequence[str], *, within_s: float, kept_bytes: int = KEPT_BYTES) -> Ran:
        """Run a command to its end.

        Args:
            command: the program and its arguments; no shell reads them.
            within_s: seconds after which the command is killed.
            kept_bytes: how many bytes of the end of its output are kept.

        Raises:
            NoAnswer: it could not be started.
            CommandTooSlow: it did not finish in time (it and its children are killed).
        """
        command_line = " ".join(command)
        variables = {name: value for name, value in os.environ.items() if not self._withheld(name)}
        variables |= past_proxies(variables)
        variables |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "CI": "true", "NO_COLOR": "1"}
        at, began, late = utc_now(), time.monotonic(), ""
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
                raise NoAnswer(
                    NoAnswerKind.UNUSABLE, f"{command_line}: cannot be run: {error.strerror}"
                ) from error
            try:
                code = process.wait(timeout=max(within_s, 0.1))
            except subprocess.TimeoutExpired as error:
                late = f"was not done after {within_s:.0f} s, so it was stopped"
                raise CommandTooSlow(f"`{command_line}` {late}") from error
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                duration = time.monotonic() - began
                problem = late or _ending(process.returncode)
                self._record(Exchange("RUN", command_line, None, duration * 1000, problem=problem, at=at))
            return Ran(command_line, code, _tail(output, kept_bytes), duration)

    def _withheld(self, name: str) -> bool:
        """Return whether to remove a variable: our credentials, and variables of this run or repository."""
        return name in self._hidden or name in _OF_ONE_REPOSITORY or name.startswith(_PYTEST)


def _ending(code: int) -> str:
    """Return how a command that failed ended; "" if it succeeded."""
    if code >= 0:
        return f"ended with exit code {code}" if code else ""
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def past_proxies(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables that let a command reach this machine directly, despite its proxy variables."""
    named = [variables.get("no_proxy") or variables.get("NO_PROXY") or "", *_THIS_MACHINE]
    direct = ",".join(name for name in named if name)
    return {"no_proxy": direct, "NO_PROXY": direct}


def _tail(output: IO[bytes], kept_bytes: int) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - kept_bytes))
    return output.read().decode("utf-8", "replace")
