"""Register the plugins of a verification: in the process that decides, and in an xdist worker."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import pytest

from kamiyo_verify.evidence.recorder import Recorder
from kamiyo_verify.hooks.allowance import describe_allowance, seconds_for_pace
from kamiyo_verify.hooks.background import BackgroundPlugin, seconds_to_wait, tasks_of
from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.collecting.collection import CollectionPlugin
from kamiyo_verify.hooks.confirmation.confirmer import Confirmer
from kamiyo_verify.hooks.evidence import RECORDER
from kamiyo_verify.hooks.identity import pass_configuration_on
from kamiyo_verify.hooks.masking import MaskingPlugin
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.hooks.run import RUN, Run
from kamiyo_verify.hooks.running.evidence_plugin import EvidencePlugin
from kamiyo_verify.hooks.running.rehearsals import RehearsalsPlugin
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.hooks.session_end.exports import Exporting
from kamiyo_verify.hooks.session_end.interruptions import Interruptions
from kamiyo_verify.hooks.session_end.notifications import Notifying
from kamiyo_verify.hooks.session_end.process_exit import ProcessExitPlugin
from kamiyo_verify.hooks.session_end.sequence import Parts, SequencePlugin
from kamiyo_verify.hooks.session_end.verdict import VerdictPlugin
from kamiyo_verify.hooks.timeouts import DeadlinePlugin, EndPlugin, seconds_of_try
from kamiyo_verify.hooks.xdist_workers import WorkerPlugin, WorkersPlugin

_USED_BY_THREADS = ("kamiyo_verify.http.sending.transport", "kamiyo_verify.model.hosting.port")
"""What a plan does without and threads use. They must not import it themselves: pytest rewrites our modules
by `ast.parse`, which two threads at once must not call (Python 3.11)."""

_USED_BY_TASKS = (
    "kamiyo_verify.integrations.websocket.client",
    "kamiyo_verify.judge.slo.settling",
    "kamiyo_verify.sampling.sampler",
    "kamiyo_verify.sampling.tally",
)
"""The same of background tasks, which most runs of a few checks do not have."""


def join(config: pytest.Config, run: Run) -> None:
    """Register what a worker needs, which only checks."""
    _import(_USED_BY_THREADS)
    config.stash[RUN] = run
    _register(config, MaskingPlugin(run.masker, config=config))
    _register(config, CollectionPlugin(run, distributes=False, on_selection=lambda *_: None))
    if run.report_dir is not None:
        _register(config, WorkerPlugin(run.report_dir))
    _register(config, EndPlugin(run, Interruptions()))
    _run_items(config, run)


def verify(config: pytest.Config, run: Run) -> None:
    """Register what a verification needs, from the collection to the end of the run."""
    _import(_USED_BY_THREADS)
    if run.report_dir is None:
        raise RuntimeError("a run that verifies has a folder for its report")
    if run.platform is not None:
        config.add_cleanup(run.platform.stop)
    distributes = config.getoption("dist", "no") != "no" and bool(config.getoption("tx", []))
    files = _files_of_others(config, run.report_dir)
    _register(config, MaskingPlugin(run.masker, files, config=config))
    controller = ControllerRun.begin(run, run.report_dir, config)
    background = BackgroundPlugin(run, controller.ledger.measured_before)
    notifying = Notifying(run)
    workers = WorkersPlugin(run, run.report_dir) if distributes else None
    interruptions = Interruptions()
    confirmer = Confirmer(run, config, background.start, controller.ledger.measured_before)

    def on_selection(selection: Selection, nodes: Sequence[pytest.Item]) -> None:
        controller.select(selection)
        notifying.begin(selection)
        _say_allowance(config, run, nodes)
        if selection.chosen:
            tasks = _tasks_needed(run, nodes)
            _import(_USED_BY_TASKS if tasks else ())
            background.start(tasks)

    _register(config, CollectionPlugin(run, distributes=distributes, on_selection=on_selection))
    _register(config, VerdictPlugin(controller, confirmer.saw))
    _register(config, background)
    _register(config, _PlatformPlugin(run))
    _register(config, EndPlugin(run, interruptions))
    if workers is not None:
        _register(config, workers)
        pass_configuration_on(config)
    # Also with workers, because rechecks run in this process.
    recorder = _run_items(config, run)
    if not distributes:
        _register(config, RehearsalsPlugin(run, recorder))
    parts = Parts(
        background, notifying, Exporting(run), interruptions, workers, confirm=confirmer.confirm_results
    )
    _register(config, SequencePlugin(controller, parts))
    if run.options.report_dir is None:
        config.add_cleanup(partial(_leave_nothing_behind, controller))


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _run_items(config: pytest.Config, run: Run) -> Recorder:
    recorder = Recorder()
    config.stash[RECORDER] = recorder

    def seconds_of(node: pytest.Item) -> float:
        own = seconds_of_try(node, run.environment.timeouts.item)
        if check := check_of(node):
            own += seconds_for_pace(run.environment, check.item.services)
        return max(own, seconds_to_wait(node, run.environment))

    _register(config, DeadlinePlugin(run, seconds_of))
    _register(config, EvidencePlugin(run, recorder))
    _register(config, ProcessExitPlugin())
    return recorder


def _say_allowance(config: pytest.Config, run: Run, nodes: Sequence[pytest.Item]) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and (received := describe_allowance(run.configured, nodes)):
        reporter.write_line(received, yellow=True)


class _PlatformPlugin:
    """Waits for the platform before the session prints or does anything, because this can fail."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_sessionstart(self) -> None:
        """Wait until the platform is ready."""
        self._run.environment  # noqa: B018 - the property waits


def _tasks_needed(run: Run, nodes: Sequence[pytest.Item]) -> list[str]:
    """Return the background tasks of the selected checks that can run in this environment."""
    return [
        name
        for node in nodes
        if (check := check_of(node))
        and not obstacle(check.item, check.needs, check.writes, run.environment, load=run.options.load)
        for name in tasks_of(node)
    ]


def _files_of_others(config: pytest.Config, folder: Path) -> list[Path]:
    """Make pytest-html and JUnit write to the report folder, unless the user chose other files."""
    option = config.option
    if not getattr(option, "htmlpath", None):
        option.htmlpath, option.self_contained_html = str(folder / "report.html"), True
    if not getattr(option, "xmlpath", None):
        option.xmlpath = str(folder / "junit.xml")
    written = [option.htmlpath, option.xmlpath]
    return [Path(os.path.expandvars(path)).expanduser().absolute() for path in written if path]


def _leave_nothing_behind(controller: ControllerRun) -> None:
    """Remove the report folder of a run that ended before its selection was known."""
    if controller.selection is None:
        shutil.rmtree(controller.folder, ignore_errors=True)


def _register(config: pytest.Config, plugin: object) -> None:
    config.pluginmanager.register(plugin, f"kamiyo-verify-{type(plugin).__name__}")
