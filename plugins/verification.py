"""The plugin's beginning and end: decides whether this is a verification, and registers what that takes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from plugins.background import BackgroundPlugin, seconds_to_wait, tasks_of
from plugins.checklist import check_of
from plugins.collection import CollectionPlugin
from plugins.deadline import DeadlinePlugin, EndPlugin, seconds_of_try
from plugins.evidence import RECORDER, EvidencePlugin
from plugins.masked_reports import MaskingPlugin
from plugins.notifying import NotifyingPlugin
from plugins.obstacles import obstacle
from plugins.on_roll_back import OnRollBackPlugin
from plugins.options import Mode, mode_of
from plugins.plan import PlanPlugin
from plugins.recorder import Recorder
from plugins.run import RUN, WORKER_INPUT, Run
from plugins.selection import Selection
from plugins.verdict import VerdictPlugin
from plugins.workers import WorkerPlugin, WorkersPlugin


# First of all, so that pytest's reporters meet the streams and the options as they will stay.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin a verification, or join one as a worker; stay away from any other run.

    Raises:
        pytest.UsageError: the environment, the runbook or the options are not right.
    """
    if hasattr(config, "workerinput"):
        told = config.workerinput.get(WORKER_INPUT)
        if told is not None:
            _join(config, Run.join(config, told))
        return
    mode = mode_of(config)
    if mode is not Mode.OFF:
        run = Run.begin(config, mode)
        config.stash[RUN] = run
        _drop_hypothesis(config)
        if mode is Mode.VERIFY:
            _verify(config, run)
        else:
            _look(config, run)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What a file of objectives says and nothing comes of: nobody should believe that it counts."""
    run = config.stash.get(RUN, None)
    return [f"objectives: not used: {note}" for note in run.not_used] if run else []


def _join(config: pytest.Config, run: Run) -> None:
    config.stash[RUN] = run
    _register(config, MaskingPlugin(run.masker))
    _register(config, CollectionPlugin(run, distributes=False, on_selection=lambda *_: None))
    if run.report_dir is not None:
        _register(config, WorkerPlugin(run.report_dir))
    _register(config, EndPlugin(run))
    _run_items(config, run)


def _verify(config: pytest.Config, run: Run) -> None:
    if run.report_dir is None:
        raise RuntimeError("a run that verifies has a folder for its report")
    if run.platform is not None:
        config.add_cleanup(run.platform.stop)
    distributes = config.getoption("dist", "no") != "no" and bool(config.getoption("tx", []))
    _register(config, MaskingPlugin(run.masker, _files_of_others(config, run.report_dir)))
    verdict = VerdictPlugin(run, run.report_dir, config)
    background = BackgroundPlugin(run, verdict.ledger.measured_before)
    notifying = NotifyingPlugin(run, lambda: verdict.verdict)

    def on_selection(selection: Selection, nodes: Sequence[pytest.Item]) -> None:
        verdict.begin(selection)
        notifying.begin(selection)
        if selection.chosen:
            background.start(_tasks_needed(run, nodes))

    _register(config, CollectionPlugin(run, distributes=distributes, on_selection=on_selection))
    _register(config, verdict)
    _register(config, notifying)
    if run.options.executes:
        _register(config, OnRollBackPlugin(run, run.report_dir, config))
    _register(config, background)
    _register(config, _PlatformPlugin(run))
    _register(config, EndPlugin(run))
    if distributes:
        _register(config, WorkersPlugin(run, run.report_dir))
    else:
        _run_items(config, run)
    if run.options.report_dir is None:
        config.add_cleanup(partial(_leave_nothing_behind, verdict, run.report_dir))


def _look(config: pytest.Config, run: Run) -> None:
    """Collect, and perhaps tell a plan, in this process alone."""
    if config.pluginmanager.hasplugin("xdist"):
        config.option.dist, config.option.tx = "no", []
    _register(config, MaskingPlugin(run.masker))
    plan = PlanPlugin(run)
    _register(config, CollectionPlugin(run, distributes=False, on_selection=plan.begin))
    if run.mode is Mode.PLAN:
        _register(config, plan)


def _run_items(config: pytest.Config, run: Run) -> None:
    recorder = Recorder()
    config.stash[RECORDER] = recorder

    def seconds_of(node: pytest.Item) -> float:
        own = seconds_of_try(node, run.environment.timeouts.item)
        return max(own, seconds_to_wait(node, run.environment))

    _register(config, DeadlinePlugin(run, seconds_of))
    _register(config, EvidencePlugin(run, recorder))


class _PlatformPlugin:
    """Waits for the platform before anything is said or done, as this can fail."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_sessionstart(self) -> None:
        """Wait."""
        self._run.environment  # noqa: B018 - asking for it waits


def _tasks_needed(run: Run, nodes: Sequence[pytest.Item]) -> list[str]:
    """The background tasks of the chosen checks that nothing stands before."""
    return [
        name
        for node in nodes
        if (check := check_of(node)) and not obstacle(check.item, check.needs, check.writes, run.environment)
        for name in tasks_of(node)
    ]


def _files_of_others(config: pytest.Config, folder: Path) -> list[Path]:
    """Let pytest-html and JUnit write into the report's folder, unless the user wants them elsewhere."""
    option = config.option
    if not getattr(option, "htmlpath", None):
        option.htmlpath, option.self_contained_html = str(folder / "report.html"), True
    if not option.xmlpath:
        option.xmlpath = str(folder / "junit.xml")
    written = [option.htmlpath, option.xmlpath, getattr(option, "log_file", None)]
    return [Path(os.path.expandvars(path)).expanduser().absolute() for path in written if path]


def _drop_hypothesis(config: pytest.Config) -> None:
    """Where it is installed for the project's own tests, its plugin takes a second at the end of any run."""
    plugin = config.pluginmanager.getplugin("hypothesispytest")
    if plugin is not None:
        config.pluginmanager.unregister(plugin)


def _leave_nothing_behind(verdict: VerdictPlugin, folder: Path) -> None:
    """A run that never began, by a mistake in its configuration, has no report."""
    if verdict.verdict is None:
        shutil.rmtree(folder, ignore_errors=True)


def _register(config: pytest.Config, plugin: object) -> None:
    config.pluginmanager.register(plugin, f"kamiyo-verify-{type(plugin).__name__}")
