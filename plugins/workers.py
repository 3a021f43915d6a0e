"""The workers of pytest-xdist: told what the run is about, and ended when it is interrupted."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from plugins.run import WORKER_INPUT, Run


class WorkersPlugin:
    """Looks after the workers, in the process that hands the tests out.

    Args:
        run: the run.
        folder: of the report.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = _folder(folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell one worker."""
        self._folder.mkdir(exist_ok=True)
        node.workerinput[WORKER_INPUT] = self._run.told_to_workers()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, exitstatus: int) -> Generator[None]:
        """Interrupt the workers too: xdist would wait ten seconds for them, and the report with it."""
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            for path in self._folder.glob("*"):
                with contextlib.suppress(OSError):
                    os.kill(int(path.name), signal.SIGTERM)
        try:
            return (yield)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


class WorkerPlugin:
    """Signs a worker in and out, so that its controller can reach it."""

    def __init__(self, folder: Path) -> None:
        self._sign = _folder(folder) / str(os.getpid())

    def pytest_sessionstart(self) -> None:
        """Here I am."""
        self._sign.touch()

    def pytest_sessionfinish(self) -> None:
        """I am leaving by myself."""
        self._sign.unlink(missing_ok=True)


def _folder(report_dir: Path) -> Path:
    return report_dir / ".workers"
