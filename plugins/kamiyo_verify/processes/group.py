"""Child processes that end together, whatever ends this process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class ProcessGroup:
    """Starts processes in one process group of their own, and kills the whole group at the end of the block.

    Ctrl-C at the terminal reaches only the foreground group, so that this process decides when they end.
    Each has a pipe as its standard input, which closes when this process dies, even of SIGKILL: a process
    that watches it can end then.

    Args:
        folder: the working directory of all of them.
        variables: their environment.
        output: the file that their standard output and error are written to.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str], output: IO[bytes]) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._output = output
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Begin without a process."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill all of them."""
        self.kill()

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process; the first one leads the group.

        Raises:
            OSError: it cannot be started, or the first one has ended already.
        """
        leader = self._processes[0].pid if self._processes else 0
        process = subprocess.Popen(  # noqa: S603 - the caller's own command
            command,
            cwd=self._folder,
            env=self._variables,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            process_group=leader,
        )
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """Kill every process of the group, with their children, and wait for ours."""
        if not self._processes:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._processes[0].pid, signal.SIGKILL)
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        self._processes.clear()
