"""The end of a run, in fixed order: confirm, gather, judge, write, print and notify, export, record, act.

Each step has its own time limit and error handling. Only this module sets the exit code.
Evidence is on the disk before the run is judged, and the report is before anything waits for the ledger.
A full disk or a closed terminal is reported and does not change the verdict; any other error ends with
exit code 3.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from dataclasses import dataclass

import pytest

from kamiyo_verify.evidence.baselines import BASELINE, baseline_json
from kamiyo_verify.evidence.recording import masked
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.hooks.background import BackgroundPlugin
from kamiyo_verify.hooks.report_dir import point_latest_at, write_atomically
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.hooks.session_end.confirm import Confirm, keep_results
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.hooks.session_end.exports import Exporting
from kamiyo_verify.hooks.session_end.gathering import gathered
from kamiyo_verify.hooks.session_end.interruptions import Interruptions, StepTooLong, limited
from kamiyo_verify.hooks.session_end.no_verdict import NOTHING_RUN
from kamiyo_verify.hooks.session_end.notifications import Notifying
from kamiyo_verify.hooks.session_end.on_roll_back import act
from kamiyo_verify.hooks.xdist_workers import WorkersPlugin
from kamiyo_verify.judge.conclusion import broken, conclude
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.unwritable import unwritable
from kamiyo_verify.reporting import terminal
from kamiyo_verify.reporting.report import Report

_JUDGE_S = 60.0
_WRITE_S = 60.0
_TELL_S = 20.0
_HURRIED_S = 3.0
"""Seconds that an interrupted run waits for the ledger, because it may be killed soon after."""

_WIDE = 140
"""Columns of output to a file or CI log, which have no width."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects that the end of a run uses."""

    background: BackgroundPlugin
    notifying: Notifying
    exporting: Exporting
    interruptions: Interruptions
    workers: WorkersPlugin | None = None
    confirm: Confirm = keep_results


class SequencePlugin:
    """Runs the steps at the end of a run, in the controller process."""

    def __init__(self, run: ControllerRun, parts: Parts) -> None:
        self._run = run
        self._parts = parts
        self._notes: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Confirm failures right after the tests, also if -x or --maxfail ended them."""
        self._run.session = session
        try:
            done = yield
        except session.Failed:
            self._confirm()
            raise
        self._confirm()
        return done

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None]:
        """Run the steps; pytest's own reporters write their files at the `yield`."""
        self._parts.interruptions.conclude()
        self._run.interrupted = int(exitstatus) == ExitCode.INTERRUPTED
        self._stop(interrupted=self._run.interrupted)
        selection = self._run.selection
        if selection is None:
            yield
            self._set_exit_status(session)
            return
        if exitstatus == pytest.ExitCode.TESTS_FAILED and session.testsfailed == self._run.failed_checks:
            exitstatus = pytest.ExitCode.OK  # only checks failed, and the verdict weighs them
        self._run.report = report = self._conclude(selection, int(exitstatus))
        self._set_exit_status(session)
        try:
            with limited("writing report.html and junit.xml", _WRITE_S):
                yield
                if problem := self._parts.exporting.complete_junit(self._run, report.verdict):
                    self._notes.append(f"Report       no verdict in the JUnit file: {problem}")
        except StepTooLong as late:
            self._notes.append(f"Report       not complete: {late}")
        except Exception as error:  # noqa: BLE001 - a missing report must not look like a report
            report = self._unwritten(selection, report, error)
        self._run.report = report = self._tell(selection, report)
        self._remember()
        self._act(session)
        self._set_exit_status(session)

    def _set_exit_status(self, session: pytest.Session) -> None:
        """Set the exit code of the process; no other code does."""
        verdict = self._run.verdict
        if verdict is not None:
            session.exitstatus = verdict.exit_code
        elif session.exitstatus in NOTHING_RUN:
            session.exitstatus = int(ExitCode.INCONCLUSIVE)  # nothing was selected or judged

    def _confirm(self) -> None:
        if self._run.selection is not None:
            self._run.results = self._parts.confirm(self._run, self._run.results)

    def _stop(self, *, interrupted: bool) -> None:
        """Stop all background tasks, and after an interruption all workers."""
        self._parts.background.stop()
        if interrupted:
            self._run.ledger.hurry(_HURRIED_S)
            if self._parts.workers is not None:
                self._parts.workers.interrupt()

    def _conclude(self, selection: Selection, exitstatus: int) -> Report:
        """Gather the evidence, judge it and write the report."""
        run = self._run
        try:
            evidence = gathered(run, selection, exitstatus, self._parts.interruptions, self._notes.append)
            run.evidence = evidence
            with limited("judging the run", _JUDGE_S):
                verdict = masked(conclude(evidence, exitstatus), run.run.masker)
                report = Report.of(verdict, evidence, run.folder)
        except (Exception, StepTooLong) as error:  # noqa: BLE001 - an error must not look like a verdict
            return self._broken(selection, error)
        try:
            with limited("writing the report", _WRITE_S):
                self._write(report)
        except (Exception, StepTooLong) as error:  # noqa: BLE001 - as above
            return self._unwritten(selection, report, error)
        return report

    def _broken(self, selection: Selection, error: BaseException) -> Report:
        """Return, log and write a report that says only that judging or writing failed."""
        run = self._run
        problem = f"the report could not be made: {type(error).__name__}: {error}"
        environment = run.run.configured
        verdict = broken(
            project=environment.title,
            environment=environment.name,
            phases=selection.phases,
            commit=run.run.options.commit,
            started_at=run.run.started_at,
            finished_at=now(),
            problem=run.run.masker.text(problem),
            place=run.run.options.place,
        )
        report = Report(masked(verdict, run.run.masker))
        try:
            run.log.append("broken", problem=problem, finished_at=verdict.finished_at)
            report = Report.of(report.verdict, None, run.folder)
            self._write(report)
        except Exception:  # noqa: BLE001, S110 - the terminal and the exit code still report it
            pass
        return report

    def _unwritten(self, selection: Selection, report: Report, error: BaseException) -> Report:
        """Return the report unchanged after a disk or terminal error, else a broken report."""
        if not unwritable(error):
            return self._broken(selection, error)
        self._notes.append(f"Report       not written; the verdict does not change: {error}")
        return report

    def _write(self, report: Report) -> None:
        run, verdict = self._run, report.verdict
        run.log.append(
            "verdict",
            recommendation=verdict.recommendation,
            exit_code=verdict.exit_code,
            finished_at=verdict.finished_at,
        )
        if run.run.options.baseline:
            write_atomically(run.folder / BASELINE, baseline_json(verdict, run.folder.name))
        for name, text in report.texts.items():
            write_atomically(run.folder / name, text)
        if run.run.options.report_dir is None:
            point_latest_at(run.folder)

    def _tell(self, selection: Selection, report: Report) -> Report:
        """Print the result on the terminal and notify the team's channels."""
        run = self._run
        try:
            with limited("printing the result", _TELL_S):
                self._print(report)
                if run.log.problem:
                    self._notes.append(f"Evidence     not complete on the disk: {run.log.problem}")
                for note in self._notes:
                    run.say(note)
        except (Exception, StepTooLong) as error:  # noqa: BLE001 - a verdict must be visible
            report = self._unwritten(selection, report, error)
            if report.verdict.exit_code == ExitCode.INTERNAL_ERROR:
                run.say(report.verdict.headline)
        with self._parts.interruptions.waiting():
            if problem := self._parts.notifying.finish(report.verdict):
                run.say(f"Notify       not sent; the verdict does not change: {problem}")
            for problem in self._parts.exporting.finish(run, report.verdict):
                run.say(f"Export       {problem}")
        return report

    def _print(self, report: Report) -> None:
        run = self._run
        page = run.folder / "report.html"
        path = os.path.relpath(page if page.exists() else run.folder, run.config.invocation_params.dir)
        writer = run.config.get_terminal_writer()
        width = writer.fullwidth if sys.stdout.isatty() else _WIDE
        for line in terminal.lines(report.verdict, report_path=path, width=width):
            run.say_spans(line)

    def _remember(self) -> None:
        with self._parts.interruptions.waiting():
            if problem := self._run.ledger.keep(self._run.log.path):
                self._run.say(f"Ledger       not written; the verdict does not change: {problem}")

    def _act(self, session: pytest.Session) -> None:
        if self._run.run.options.executes and session.exitstatus == ExitCode.ROLL_BACK:
            with self._parts.interruptions.as_usual():
                act(self._run)
