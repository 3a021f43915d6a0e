"""Collect results from pytest's reports, and show statuses and verdict in pytest's own output."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import pytest

from kamiyo_verify.evidence.on_report import verification_in
from kamiyo_verify.evidence.results import line_of
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Status
from kamiyo_verify.reporting.inert import one_line

_RERUN: object = "rerun"
"""The outcome that pytest-rerunfailures adds to pytest's."""

_Shown = tuple[str, str, tuple[str, dict[str, bool]]]

_STATUSES: dict[Status, _Shown] = {
    Status.FAILED: ("failed", "F", ("FAILED", {"red": True})),
    Status.ERROR: ("error", "E", ("ERROR", {"red": True})),
    Status.UNVERIFIED: ("unverified", "u", ("UNVERIFIED", {"yellow": True})),
    Status.NOT_APPLICABLE: ("not applicable", "n", ("NOT APPLICABLE", {"light": True})),
}
"""Category, letter and word of each status; pytest shows passed checks as usual."""


class VerdictPlugin:
    """Collects results in the controller process, and adds the verdict to the HTML report.

    Args:
        run: the run.
        saw: called with the item and result of each finished attempt.
    """

    def __init__(self, run: ControllerRun, saw: Callable[[Item, Result], None]) -> None:
        self._run = run
        self._saw = saw
        self._html: Any = None
        self._tries: dict[str, list[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test was started: one that an interruption then ends was not left untried."""
        self._run.results.begun.add(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a report from this process or from a worker to the results."""
        item = self._item_of(report)
        result = self._run.results.take(report, item) if item is not None else None
        self._run.failed_checks += report.failed and item is not None
        if result is not None and item is not None:
            self._run.log.append("result", **line_of(result))
            self._saw(item, result)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> _Shown | None:
        """Show our statuses in pytest's progress."""
        outcome: str = report.outcome
        if outcome == "rerun":
            return None
        data = verification_in(report)
        if data is None:
            return _STATUSES[Status.ERROR] if report.failed and self._item_of(report) else None
        return _STATUSES.get(data["status"])

    def pytest_unconfigure(self) -> None:
        """Close the evidence log."""
        self._run.close()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Set a preliminary title; the summary hook replaces it with the verdict."""
        environment = self._run.run.configured
        self._html = report
        report.title = f"{environment.title} {environment.name}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Leave out the row of a try that is repeated: each test has one row, for its last try."""
        if report.outcome == _RERUN:
            lines = report.longreprtext.strip().splitlines()
            self._tries.setdefault(report.nodeid, []).append(lines[-1] if lines else "failed")
            cells.clear()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Put the earlier tries of a test into its row."""
        if report.when != "call" and not report.failed:
            return  # set-up and teardown that passed have no row
        for number, try_text in enumerate(self._tries.pop(report.nodeid, ()), 1):
            data.insert(number - 1, f"try {number}: {escape(one_line(try_text))}\n")

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the verdict, the objectives and the checklist first in the HTML report."""
        report = self._run.report
        if report is not None:
            prefix.extend(report.fragments)
            self._html.title = report.title or self._html.title

    def _item_of(self, report: pytest.TestReport) -> Item | None:
        data = verification_in(report)
        if data is not None:
            return self._run.run.runbook.item(data["item"])
        return self._run.selection.item_of(report.nodeid) if self._run.selection else None
