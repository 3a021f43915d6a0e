"""Start a platform for the run, and stop it when the run ends."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from kamiyo_verify.config.draft import ConfigurationError, shown
from kamiyo_verify.config.mistakes import did_you_mean
from kamiyo_verify.model.settings import Launch

_CHOICE = re.compile(
    r"argument (?P<option>--[\w-]+): invalid choice: '(?P<value>[^']*)' \(choose from (?P<choices>.*)\)"
)
"""How argparse reports an argument of the platform that it does not know, such as a fault."""

_PATIENCE_S = 5.0
"""How long a platform may take to stop after the request."""


class LaunchError(Exception):
    """The platform did not start; the message gives the reason and the platform's last error line."""


def ready_line(path: Path) -> dict[str, Any]:
    """Read the ready line of a platform that is already running from a file.

    Raises:
        ConfigurationError: the file holds no ready line.
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
    """One running platform. It ends when its standard input closes, so it cannot outlive this process.

    Args:
        launch: the command and its time limit.
        arguments: further command-line arguments, such as the initial faults.
        folder: the working directory.
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
                # Ctrl-C must not reach the platform: it has to run until the last request.
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise LaunchError(f"{command[0]} cannot be started: {error.strerror}") from error
        self._reader = threading.Thread(target=self._read, name="launched-platform", daemon=True)
        self._reader.start()

    @property
    def is_known(self) -> bool:
        """Whether the platform has sent its ready line."""
        return self._ready is not None

    def ready(self) -> dict[str, Any]:
        """Return the platform's ready line; the first call waits for it.

        Raises:
            LaunchError: the platform ended, printed something else, or took too long.
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
        """Stop the platform: close its input, then terminate, then kill it. May be called repeatedly."""
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
        """Read the ready line, then discard all output, so that the platform never blocks on a full pipe."""
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
        if (wrong := _CHOICE.search(own)) is not None:
            choices = re.findall(r"[\w.-]+", wrong["choices"])
            return LaunchError(
                f"{wrong['option']} {wrong['value']}: unknown{did_you_mean(wrong['value'], choices)}"
            )
        return LaunchError(f"the platform ({' '.join(self._launch.command)}) {what}: {own}")
