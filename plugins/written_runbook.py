"""Reads a written runbook, and compares its checkboxes with the checks once these are collected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.checkboxes import boxes_in
from plugins.judge.drift import Box, Drift, compare
from plugins.run import Run


def boxes_of(path: Path) -> tuple[Box, ...]:
    """The checkboxes of a written runbook.

    Raises:
        pytest.UsageError: it cannot be read.
    """
    try:
        return tuple(boxes_in(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise pytest.UsageError(f"--runbook {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise pytest.UsageError(f"--runbook {path}: is not UTF-8 text") from None


class DriftPlugin:
    """Compares once all checks are collected, in the process that began the run.

    Args:
        run: with the items.
        name: of the written runbook's file.
        boxes: its checkboxes.
    """

    def __init__(self, run: Run, name: str, boxes: tuple[Box, ...]) -> None:
        self._run = run
        self._name = name
        self._boxes = boxes
        self._checked: set[str] = set()
        self._drift: Drift | None = None

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note what has a check, whether it will be chosen or not."""
        self._checked |= {mark.args[0] for mark in item.iter_markers("item") if mark.args}

    # First of all: nothing begins where there is a gap.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare.

        Raises:
            pytest.UsageError: the two have come apart.
        """
        if session.testsfailed:
            return
        drift = compare(self._boxes, self._run.runbook.items, self._checked)
        if drift.gap:
            raise pytest.UsageError("\n  ".join([f"{self._name}: {drift.told}", *drift.lines()]))
        self._drift = drift

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say that all is well."""
        if self._drift is not None:
            terminalreporter.write_line(f"{self._name}: {self._drift.told}")
