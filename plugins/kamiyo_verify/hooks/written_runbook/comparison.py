"""Compare the checkboxes of a Markdown runbook with the collected checks."""

from __future__ import annotations

from typing import Any

import pytest

from kamiyo_verify.hooks.run import Run
from kamiyo_verify.judge.preflight.drift import Box, Drift, compare


class DriftPlugin:
    """Compares the checkboxes with the items and checks after collection, in the controller process.

    Args:
        run: the run, which holds the items.
        name: the file name of the Markdown runbook.
        boxes: the checkboxes of the Markdown runbook.
    """

    def __init__(self, run: Run, name: str, boxes: tuple[Box, ...]) -> None:
        self._run = run
        self._name = name
        self._boxes = boxes
        self._checked: set[str] = set()
        self._drift: Drift | None = None

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Record which items have a check, before deselection."""
        self._checked |= {mark.args[0] for mark in item.iter_markers("item") if mark.args}

    # First of all, so that nothing starts if there is a gap.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare checkboxes, items and checks.

        Raises:
            pytest.UsageError: they do not match.
        """
        if session.testsfailed:
            return
        drift = compare(self._boxes, self._run.runbook.items, self._checked)
        if drift.gap:
            raise pytest.UsageError("\n  ".join([f"{self._name}: {drift.description}", *drift.lines()]))
        self._drift = drift

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print that runbook and checks match."""
        if self._drift is not None:
            terminalreporter.write_line(f"{self._name}: {self._drift.description}")
