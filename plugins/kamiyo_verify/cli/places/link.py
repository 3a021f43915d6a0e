"""One process that talks to a place: its lines, its standard input, and the last of its errors."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_LINE_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 4_096
_END_S = 5.0
"""Seconds that a process whose output has closed may take to end."""


class Link:
    """Starts a process for the length of the block; whatever ends the block ends the process.

    Its standard input is a pipe, which closes when this process dies, even of SIGKILL. Ctrl-C at the terminal
    does not reach it, so that this process decides when it ends.

    Args:
        command: the program and its arguments; no shell reads them.
        folder: the working directory.
        variables: the environment.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the environment file's own place
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._errors = b""
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its input, and kill it unless it ends at once."""
        self.leave()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.kill()
        self._process.wait()
        self._reader.join(_END_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def output(self) -> IO[bytes]:
        """What it writes to its standard output."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        return self._process.stdout

    def line(self) -> str | None:
        """Return the next line of its output, without its end; None once there is no more."""
        try:
            line = self.output.readline(_LINE_BYTES)
        except (OSError, ValueError):
            return None
        return line.decode("utf-8", "replace").rstrip("\r\n") if line else None

    def send(self, line: str) -> None:
        """Send it a line; one that has ended does not receive it, and its output says so."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None  # noqa: S101 - it is a pipe
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def leave(self) -> None:
        """Close its standard input, which ends a run at the place."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None  # noqa: S101 - it is a pipe
            self._process.stdin.close()

    def kill(self) -> None:
        """Kill it, with its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self) -> tuple[int, str]:
        """Return its exit code and the last line of its errors, once its output has closed."""
        try:
            code = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait()
        self._reader.join(_END_S)
        lines = self._errors.decode("utf-8", "replace").splitlines()
        return code, next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(OSError, ValueError):
            while read := os.read(self._process.stderr.fileno(), _TAIL_BYTES):
                self._errors = (self._errors + read)[-_TAIL_BYTES:]
