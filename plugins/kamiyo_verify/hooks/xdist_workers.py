"""Pytest-xdist workers: send them the run's data, and stop them when the run is interrupted."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.hooks.run import WORKER_INPUT, Run


class WorkersPlugin:
    """Manages the workers, in the controller process.

    Args:
        run: the run.
        folder: the report folder.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = _folder(folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send the run's data to one worker."""
        self._folder.mkdir(exist_ok=True)
        node.workerinput[WORKER_INPUT] = self._run.worker_input()

    def interrupt(self) -> None:
        """Interrupt the workers, because xdist otherwise waits ten seconds for them before the report."""
        for path in self._folder.glob("*"):
            with contextlib.suppress(OSError):
                os.kill(int(path.name), signal.SIGTERM)

    def pytest_unconfigure(self) -> None:
        """Remove the folder of worker ids after all workers have ended."""
        shutil.rmtree(self._folder, ignore_errors=True)


class WorkerPlugin:
    """Registers a worker's process id in the report folder, so that the controller can interrupt it."""

    def __init__(self, folder: Path) -> None:
        self._sign = _folder(folder) / str(os.getpid())

    def pytest_sessionstart(self) -> None:
        """Register this worker."""
        self._sign.touch()

    def pytest_sessionfinish(self) -> None:
        """Unregister this worker."""
        self._sign.unlink(missing_ok=True)


def _folder(report_dir: Path) -> Path:
    return report_dir / ".workers"
