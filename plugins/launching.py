"""A platform that is started for the run and ends with it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from plugins.draft import ConfigurationError, shown
from plugins.model.environment import Launch

_PATIENCE_S = 5.0
"""How long a platform may take to end once it is asked to."""


class LaunchError(Exception):
    """The platform did not start; the message says why, in its own words where it left any."""


def ready_line(path: Path) -> dict[str, Any]:
    """What a platform that is running already tells of itself, from the file that its line was kept in.

    Raises:
        ConfigurationError: there is no such line.
    """
    try:
        ready = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise ConfigurationError(f"--launched {shown(path)}: holds no ready line: {said}") from None
    if not isinstance(ready, dict):
        raise ConfigurationError(f"--launched {shown(path)}: holds no ready line, which is one JSON object")
    return ready


class LaunchedPlatform:
    """One running platform. It ends when its standard input does, so it cannot outlive this process.

    Args:
        launch: the command, and how long it may take.
        arguments: more of them, such as the faults to begin with.
        folder: where to start it.
    """

    def __init__(self, launch: Launch, arguments: Sequence[str], folder: Path) -> None:
        self._launch = launch
        self._ready: dict[str, Any] | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the platform
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        command = [sys.executable if word == "{python}" else word for word in launch.command]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the environment file's
                [*command, *arguments],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                # Ctrl-C is for us: the platform has to stay until the last answer.
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise LaunchError(f"{command[0]} cannot be started: {error.strerror}") from error
        self._reader = threading.Thread(target=self._read, name="launched-platform", daemon=True)
        self._reader.start()

    @property
    def is_known(self) -> bool:
        """It has told of itself."""
        return self._ready is not None

    def ready(self) -> dict[str, Any]:
        """What the platform tells of itself; waits for it the first time.

        Raises:
            LaunchError: it ended, said something else, or took too long.
        """
        if self._ready is None:
            try:
                line = self._lines.get(timeout=self._launch.ready_within_s)
            except queue.Empty:
                raise self._failure(f"was not ready within {self._launch.ready_within_s:g} s") from None
            if not line:
                code = self._process.wait(_PATIENCE_S)
                raise self._failure(f"ended with exit code {code} before it was ready")
            try:
                ready = json.loads(line)
            except ValueError:
                ready = None
            if not isinstance(ready, dict):
                raise self._failure("said something other than one line of JSON")
            self._ready = ready
        return self._ready

    def stop(self) -> None:
        """End it, gently if it lets us; to be called once or more."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        for harder in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                harder()
        self._process.wait()
        self._reader.join(_PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _read(self) -> None:
        """Take the ready line, then whatever else comes, so that the platform never blocks on a full pipe."""
        output = self._process.stdout
        if output is None:
            return
        with contextlib.suppress(OSError, ValueError):
            self._lines.put(output.readline())
            while output.read(65536):
                pass

    def _failure(self, what: str) -> LaunchError:
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        own = words[-1].strip() if words else "it said nothing"
        return LaunchError(f"the platform ({' '.join(self._launch.command)}) {what}: {own}")
