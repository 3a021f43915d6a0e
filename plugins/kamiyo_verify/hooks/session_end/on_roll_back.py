"""`--on-roll-back=execute`: carry out the rollback that the verdict calls for, at the end of the run.

Runs only in the controller, only after the final verdict is written and printed, and only if that verdict
is to roll back (exit code 20). The exit code stays 20 whatever the result of the rollback: it reports the
verdict, and the last lines report the rollback.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.words import Action


def act(run: ControllerRun) -> None:
    """Carry out the rollback, or print why it was not done."""
    try:
        _act(run)
    except KeyboardInterrupt:
        _say(run, "INTERRUPTED  before anything was sent: nothing was done")
    except Exception as error:  # noqa: BLE001 - the verdict must not change
        _say(run, f"NOT DONE     {type(error).__name__}: {error}")


def _act(run: ControllerRun) -> None:
    from kamiyo_verify.model.hosting.rollback import CannotRollBack  # noqa: PLC0415 - seldom needed

    _say(run, "")
    why = why_not(run)
    try:
        if not why:
            _roll_back(run)
    except CannotRollBack as refused:
        why = str(refused)
    if why:
        _say(run, f"NOT DONE     --on-roll-back=execute: {why}")
        _say(run, "             the platform is as it was: roll back by hand, as told above")


def why_not(run: ControllerRun) -> str:
    """Return why this run must not roll back, regardless of the host's state; "" if it may."""
    options, verdict = run.run.options, run.verdict
    if not run.is_controller or run.run.is_worker:
        return "this process did not begin the run"
    if verdict is None or verdict.recommendation is not Action.ROLL_BACK:
        return "the run's own verdict does not call for a rollback"
    if verdict.exit_code != ExitCode.ROLL_BACK:
        return f"the verdict's exit code is {verdict.exit_code}, not {int(ExitCode.ROLL_BACK)}"
    if run.interrupted:
        return "the run was interrupted, so whoever interrupted it decides"
    if options.baseline:
        return "a baseline tells how things were before a deployment, and takes none back"
    if options.overrides:
        return f"{', '.join(options.overrides)} was given: what was seen may not be what the host serves"
    return ""


def _roll_back(run: ControllerRun) -> None:
    # Imported here, because only a rollback needs these modules.
    from kamiyo_verify.processes.child import run_child  # noqa: PLC0415
    from kamiyo_verify.rollback.actor import actor  # noqa: PLC0415
    from kamiyo_verify.rollback.command import RollbackRequest, roll_back  # noqa: PLC0415
    from kamiyo_verify.rollback.console import ConsoleReporter  # noqa: PLC0415
    from kamiyo_verify.rollback.context import RollbackContext  # noqa: PLC0415
    from kamiyo_verify.rollback.drill import kept  # noqa: PLC0415

    began, root = run.run, run.config.rootpath
    launched = kept(began.platform.ready()) if began.platform else nullcontext(began.options.launched)
    with launched as file:
        context = RollbackContext(
            environment=began.environment,
            named=began.options.environment,
            root=root,
            runbook=began.runbook,
            masker=began.masker,
            console=ConsoleReporter(lambda text: _write(run, text), live=False),
            launched=file,
            by=actor("", root),
            how="--on-roll-back=execute",
            run_child=lambda words: run_child(words, root, lambda text: _say(run, text)),
        )
        roll_back(context, RollbackRequest(subject=run.folder, yes=True, to={}))


def _say(run: ControllerRun, text: str) -> None:
    _write(run, f"{text}\n")


def _write(run: ControllerRun, text: str) -> None:
    terminal: Any = run.config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        terminal.write(run.run.masker.text(text), flush=True)
