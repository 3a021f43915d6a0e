"""Let other systems read the verdict: files in the report folder, and requests to outside systems.

Nothing here changes the verdict or the exit code. What was not written or sent is printed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.hooks.session_end.notifications import report_link
from kamiyo_verify.hooks.session_end.publishing import ExportedVerdict, publish, systems, traces
from kamiyo_verify.model.settings import ExportFile, Exports
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting.exports.ctrf import ctrf_json
from kamiyo_verify.reporting.exports.junit import with_properties

_FILES = {ExportFile.CTRF: "ctrf.json", ExportFile.METRICS: "metrics.prom"}


class Exporting:
    """Exports the verdict of a run, in the controller process. No method raises an `Exception`."""

    def __init__(self, run: Run) -> None:
        self._table = run.configured.exports

    def complete_junit(self, run: ControllerRun, verdict: Verdict) -> str:
        """Add the verdict to the JUnit file that pytest has written; return the problem, or ""."""
        path = getattr(run.config.option, "xmlpath", None)
        if not path or not self._table.junit_properties:
            return ""
        file = Path(os.path.expandvars(path)).expanduser()
        if not file.is_file():
            return ""  # pytest was told not to write it, by -p no:junitxml
        return _problem(lambda: _complete(file, verdict))

    def finish(self, run: ControllerRun, verdict: Verdict) -> Iterator[str]:
        """Write the files and send the verdict; yield what was not written or sent, and why."""
        exported = _exported(run, verdict)
        for problem in write_files(self._table, run.folder, verdict, exported.metrics):
            yield f"not written; the verdict does not change: {problem}"
        sends = [*traces(os.environ, exported)]
        if run.selection is not None and _wanted(run.run, run.selection):
            sends += systems(run.run.configured, exported)
        for problem in publish(run.run.configured, sends):
            yield f"not sent; the verdict does not change: {problem}"


def is_sent(table: Exports, phases: Iterable[str], *, drill: bool, notify: bool | None) -> bool:
    """Return whether the verdict of these phases is sent to other systems.

    Args:
        table: the environment's [exports].
        phases: what was selected.
        drill: whether it is a run with --fault or with --baseline.
        notify: what the command line says; None if it leaves that to the environment.
    """
    if notify is not None:
        return notify
    return (table.drills or not drill) and any(phase in table.phases for phase in phases)


def _wanted(run: Run, selection: Selection) -> bool:
    drill = bool(run.options.faults) or run.options.baseline
    return is_sent(run.configured.exports, selection.phases, drill=drill, notify=run.options.notify)


def _exported(run: ControllerRun, verdict: Verdict) -> ExportedVerdict:
    link = report_link(run.run.configured, run.folder)
    url = link if link.startswith(("https://", "http://")) else ""
    started = {one.item: one.started_at for one in run.evidence.results} if run.evidence else {}
    return ExportedVerdict(verdict, run.run.masker.text(url), partial(_metrics, run, verdict), started)


def _complete(file: Path, verdict: Verdict) -> None:
    write_atomically(file, with_properties(file.read_text(encoding="utf-8"), verdict))


def write_files(table: Exports, folder: Path, verdict: Verdict, metrics: Callable[[], str]) -> Iterator[str]:
    """Write the files that the environment asks for; yield which was not written, and why.

    Args:
        table: the environment's [exports].
        folder: the report folder.
        verdict: without secrets.
        metrics: returns the verdict as Prometheus metrics.
    """
    texts: dict[ExportFile, Callable[[], str]]
    texts = {ExportFile.CTRF: partial(ctrf_json, verdict), ExportFile.METRICS: metrics}
    for name in table.files:
        if problem := _problem(partial(_write, folder / _FILES[name], texts[name])):
            yield f"{_FILES[name]}: {problem}"


def _write(file: Path, text: Callable[[], str]) -> None:
    write_atomically(file, text())


def _metrics(run: ControllerRun, verdict: Verdict) -> str:
    """Return the verdict as Prometheus metrics, with what the ledger knows."""
    # The Prometheus library is imported only by runs that need it.
    from kamiyo_verify.reporting.exports.prometheus import prometheus_text  # noqa: PLC0415

    history = run.evidence.history if run.evidence else None
    return prometheus_text(verdict, history.availability if history else None, run.ledger.dora())


def _problem(step: Callable[[], None]) -> str:
    """Run a step; return its error, or ""."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - a verdict does not depend on who reads it
        return f"{type(error).__name__}: {error}"
    return ""
