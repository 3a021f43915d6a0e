"""The verdict of a run: judged once, written everywhere, told at the end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.baselines import BASELINE, baseline_json, with_before
from plugins.circumstances import with_circumstances
from plugins.conclusion import BROKEN, broken, conclude, gather
from plugins.evidence import verification_in
from plugins.evidence_log import EvidenceLog
from plugins.judge.evidence import Evidence
from plugins.model.runbook import Item
from plugins.model.verdict import Verdict
from plugins.model.words import Status
from plugins.record import LedgerOfRun, header
from plugins.recording import evidence_data, evidence_from, masked, masked_runbook
from plugins.report import Report
from plugins.report_dir import point_latest_at, write_atomically
from plugins.results import Results, line_of
from plugins.run import Run, now
from plugins.selection import Selection
from plugins.writers import terminal

_WIDE = 140
"""Columns of a file or a CI's log, which tell no width of their own."""

_Shown = tuple[str, str, tuple[str, dict[str, bool]]]

_STATUSES: dict[Status, _Shown] = {
    Status.FAILED: ("failed", "F", ("FAILED", {"red": True})),
    Status.ERROR: ("error", "E", ("ERROR", {"red": True})),
    Status.UNVERIFIED: ("unverified", "u", ("UNVERIFIED", {"yellow": True})),
    Status.NOT_APPLICABLE: ("not applicable", "n", ("NOT APPLICABLE", {"light": True})),
}
"""Category, letter and word of each status; a passed check looks as pytest shows it."""


class VerdictPlugin:
    """Collects results and concludes, in the process that began the run.

    Args:
        run: the run.
        folder: where the report goes.
        config: of this pytest.
    """

    def __init__(self, run: Run, folder: Path, config: pytest.Config) -> None:
        self._run = run
        self._folder = folder
        self._config = config
        self._evidence = folder / "evidence.jsonl"
        self._log = EvidenceLog(self._evidence, run.masker)
        self._runbook = masked_runbook(run.runbook, run.masker)
        line = header(run, self._runbook)
        self.ledger = LedgerOfRun(run.configured, config.rootpath / "reports", folder, line)
        self._log.append("run", **line)
        self._results = Results()
        self._selection: Selection | None = None
        self._report: Report | None = None
        self._html: Any = None

    @property
    def verdict(self) -> Verdict | None:
        """What the run concluded, without secrets; None before that."""
        return self._report.verdict if self._report else None

    def begin(self, selection: Selection) -> None:
        """What the run is about is known."""
        self._selection = selection
        self._log.append(
            "selection",
            phases=selection.phases,
            expected=selection.expected,
            no_check=selection.no_check,
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report, from this process or from a worker."""
        item = self._item_of(report)
        result = self._results.take(report, item) if item is not None else None
        if result is not None:
            self._log.append("result", **line_of(result))

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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None]:
        """Conclude before anybody writes a report, and tell it after everybody has."""
        selection = self._selection
        if selection is None:
            return (yield)
        self._report = self._conclude(selection, int(exitstatus))
        session.exitstatus = self._report.verdict.exit_code
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a report that was not written must not pass for one
            self._report = self._broken(selection, error)
        try:
            self._tell(self._report.verdict)
        except Exception as error:  # noqa: BLE001 - nor one that could not be told
            self._report = self._broken(selection, error)
            self._say(self._report.verdict.headline)
        if problem := self.ledger.keep(self._evidence):
            self._say(
                self._run.masker.text(f"Ledger       not written, which changes nothing above: {problem}")
            )
        if self._report.verdict.exit_code == BROKEN:
            session.exitstatus = BROKEN
        return None

    def pytest_unconfigure(self) -> None:
        """Nothing is found any more; a run that never began leaves nothing to be found."""
        self._log.close()
        if self.verdict is None:
            self._evidence.unlink(missing_ok=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """The title will be the call, when there is one."""
        self._html = report
        report.title = f"{self._run.configured.title} {self._run.configured.name}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """The call, the objectives and the checklist come first in the HTML report."""
        if self._report is not None:
            prefix.extend(self._report.fragments)
            self._html.title = self._report.title or self._html.title

    def _item_of(self, report: pytest.TestReport) -> Item | None:
        data = verification_in(report)
        if data is not None:
            return self._run.runbook.item(data["item"])
        return self._selection.item_of(report.nodeid) if self._selection else None

    def _conclude(self, selection: Selection, exitstatus: int) -> Report:
        try:
            evidence = self._gather(selection, exitstatus)
            verdict = masked(conclude(evidence, exitstatus), self._run.masker)
            report = Report.of(verdict, evidence, self._folder)
            self._write(report)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not pass for a verdict
            return self._broken(selection, error)
        return report

    def _broken(self, selection: Selection, error: Exception) -> Report:
        """Say that judging or writing broke, and nothing else, wherever that is still possible."""
        problem = f"the report could not be made: {type(error).__name__}: {error}"
        environment = self._run.configured
        verdict = broken(
            project=environment.title,
            environment=environment.name,
            phases=selection.phases,
            commit=self._run.options.commit,
            started_at=self._run.started_at,
            finished_at=now(),
            problem=self._run.masker.text(problem),
        )
        report = Report(masked(verdict, self._run.masker))
        try:
            self._log.append("broken", problem=problem, finished_at=verdict.finished_at)
            report = Report.of(report.verdict, None, self._folder)
            self._write(report)
        except Exception:  # noqa: BLE001, S110 - the terminal and the exit code still say it
            pass
        return report

    def _gather(self, selection: Selection, exitstatus: int) -> Evidence:
        """What the judge is given: written down first, and read back, so that it can be judged again."""
        evidence = gather(self._run, self._runbook, selection, self._results, exitstatus=exitstatus)
        evidence = replace(evidence, history=self.ledger.history(evidence))
        evidence = with_before(evidence, self.ledger.before(evidence))
        evidence = with_circumstances(
            self._run.configured, self._config.rootpath, evidence, self.ledger.bad_commits
        )
        line = self._log.append("conclusion", exitstatus=exitstatus, evidence=evidence_data(evidence))
        return evidence_from(json.loads(line)["evidence"], self._runbook)

    def _write(self, report: Report) -> None:
        verdict = report.verdict
        self._log.append(
            "verdict",
            recommendation=verdict.recommendation,
            exit_code=verdict.exit_code,
            finished_at=verdict.finished_at,
        )
        if self._run.options.baseline:
            write_atomically(self._folder / BASELINE, baseline_json(verdict, self._folder.name))
        for name, text in report.texts.items():
            write_atomically(self._folder / name, text)
        if self._run.options.report_dir is None:
            point_latest_at(self._folder)

    def _tell(self, verdict: Verdict) -> None:
        """The last lines on the terminal."""
        page = self._folder / "report.html"
        path = os.path.relpath(page if page.exists() else self._folder, self._config.invocation_params.dir)
        width = self._config.get_terminal_writer().fullwidth if sys.stdout.isatty() else _WIDE
        for line in terminal.lines(verdict, report_path=path, width=width):
            self._say(*line)

    def _say(self, *spans: terminal.Span | str) -> None:
        if self._config.pluginmanager.getplugin("terminalreporter") is None:
            return
        writer = self._config.get_terminal_writer()
        for span in spans:
            if isinstance(span, str):
                writer.write(span)
            else:
                writer.write(span.text, **span.style.markup)
        writer.line()
