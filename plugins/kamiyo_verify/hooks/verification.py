"""Decide whether this pytest run is a verification, and register the plugins that it needs."""

from __future__ import annotations

import pytest

from kamiyo_verify.hooks.collecting.collection import CollectionPlugin
from kamiyo_verify.hooks.collecting.mistakes import refuse_mistakes
from kamiyo_verify.hooks.collecting.plan import PlanPlugin
from kamiyo_verify.hooks.collecting.retention import describe_retention
from kamiyo_verify.hooks.identity import is_worker, worker_input
from kamiyo_verify.hooks.masking import MaskingPlugin
from kamiyo_verify.hooks.options import Mode, asks_only, mode_of
from kamiyo_verify.hooks.preconditions import check_preconditions, refuse_without_assertions
from kamiyo_verify.hooks.run import RUN, WORKER_INPUT, Run
from kamiyo_verify.hooks.selection import phases_of_expression
from kamiyo_verify.hooks.session_end.no_verdict import NoVerdictPlugin


# First of all, so that pytest's reporters use the masked streams and the changed options.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin a verification, or join one as a worker; do nothing in any other run.

    Raises:
        pytest.UsageError: the environment, the runbook or the options are not valid.
    """
    if is_worker(config):
        refuse_without_assertions()
        received = worker_input(config).get(WORKER_INPUT)
        if received is not None:
            # The judge and the reports take longer to import than a plan may take.
            from kamiyo_verify.hooks.running.start import join  # noqa: PLC0415

            join(config, Run.join(config, received))
        return
    check_preconditions(config)
    mode = mode_of(config)
    if not asks_only(config):
        refuse_mistakes(config, mode)
    if mode is not Mode.OFF:
        run = Run.begin(config, mode)
        config.stash[RUN] = run
        _drop_hypothesis(config)
        if mode is Mode.VERIFY:
            from kamiyo_verify.hooks.running.start import verify  # noqa: PLC0415 - as above

            verify(config, run)
        else:
            _look(config, run)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """List what to know before the run: objectives without effect, and whether there is no way back."""
    run = config.stash.get(RUN, None)
    if run is None:
        return []
    retention = describe_retention(run.configured, phases_of_expression(config.option.markexpr))
    unused = [f"objectives: not used: {note}" for note in run.not_used]
    return [*unused, retention] if retention else unused


def _look(config: pytest.Config, run: Run) -> None:
    """Collect, and print the plan if requested, without workers."""
    if config.pluginmanager.hasplugin("xdist"):
        config.option.dist, config.option.tx = "no", []
    _register(config, MaskingPlugin(run.masker, config=config))
    plan = PlanPlugin(run)
    _register(config, CollectionPlugin(run, distributes=False, on_selection=plan.begin))
    _register(config, NoVerdictPlugin(run.mode))
    if run.mode is Mode.PLAN:
        _register(config, plan)


def _drop_hypothesis(config: pytest.Config) -> None:
    """Unregister hypothesis's pytest plugin, which adds a second to the end of every run."""
    plugin = config.pluginmanager.getplugin("hypothesispytest")
    if plugin is not None:
        config.pluginmanager.unregister(plugin)


def _register(config: pytest.Config, plugin: object) -> None:
    config.pluginmanager.register(plugin, f"kamiyo-verify-{type(plugin).__name__}")
