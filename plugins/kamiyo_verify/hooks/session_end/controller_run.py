"""The state of a run in its controller process; each step of the run reads and updates it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from kamiyo_verify.evidence.log import EvidenceLog
from kamiyo_verify.evidence.recording import masked_runbook
from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.report_dir import remove_old_verdict
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.hooks.session_end.header import header
from kamiyo_verify.hooks.session_end.ledger import RunLedger
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.writing.text import visible
from kamiyo_verify.reporting import terminal
from kamiyo_verify.reporting.report import Report


@dataclass
class ControllerRun:
    """A run in its controller process.

    Attributes:
        folder: the report folder.
        config: this pytest's configuration.
        log: the log evidence.jsonl.
        runbook: the runbook to judge by, with secrets masked.
        session: this pytest's session; None before it starts.
        results: the results of the tests so far.
        selection: the selection of the run; None before collection ends.
        evidence: the evidence that is judged; None before it is gathered.
        report: the verdict and its texts; None before the run is judged.
        failed_checks: the number of reports of failed checks, which pytest counts as failures too.
        interrupted: whether the run was interrupted.
        pid: the controller's process id; it differs from the id of a process that a check forks.
    """

    run: Run
    folder: Path
    config: pytest.Config
    log: EvidenceLog
    runbook: Runbook
    ledger: RunLedger
    session: pytest.Session | None = None
    results: Results = field(default_factory=Results)
    selection: Selection | None = None
    evidence: Evidence | None = None
    report: Report | None = None
    failed_checks: int = 0
    interrupted: bool = False
    pid: int = field(default_factory=os.getpid)

    @classmethod
    def begin(cls, run: Run, folder: Path, config: pytest.Config) -> Self:
        """Open the evidence and the ledger.

        Raises:
            pytest.UsageError: another run is writing to this folder.
        """
        log = EvidenceLog(folder / "evidence.jsonl", run.masker)
        remove_old_verdict(folder)
        runbook = masked_runbook(run.runbook, run.masker)
        line = header(run, runbook)
        ledger = RunLedger(run.configured, config.rootpath / "reports", folder, line)
        log.append("run", **line)
        return cls(run, folder, config, log, runbook, ledger)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, without secrets; None before the run is judged."""
        return self.report.verdict if self.report else None

    @property
    def is_controller(self) -> bool:
        """Whether this is the process that began the run."""
        return os.getpid() == self.pid

    def select(self, selection: Selection) -> None:
        """Store the selection and log it."""
        self.selection = selection
        self.log.append(
            "selection",
            phases=selection.phases,
            expected=selection.expected,
            no_check=selection.no_check,
            not_run=dict(selection.not_run),
        )

    def say(self, text: str) -> None:
        """Print a line without secrets; do nothing if pytest has no terminal."""
        if self.config.pluginmanager.getplugin("terminalreporter") is not None:
            self.config.get_terminal_writer().line(self.run.masker.text(text))

    def say_spans(self, line: terminal.Line) -> None:
        """Print a line of styled parts; do nothing if pytest has no terminal."""
        if self.config.pluginmanager.getplugin("terminalreporter") is None:
            return
        writer = self.config.get_terminal_writer()
        for span in line:
            writer.write(visible(span.text), **span.style.markup)
        writer.line()

    def close(self) -> None:
        """Close the evidence log, and delete it if the run ended before its selection was known."""
        self.log.close()
        if self.selection is None:
            self.log.path.unlink(missing_ok=True)
