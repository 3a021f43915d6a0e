"""`--on-roll-back=execute`: a verdict that calls for a rollback is carried out at the end of the run.

Only after the verdict is written and told, and only where the run ends with exit code 20. Whatever becomes of
it, the exit code stays 20: it says what was found, and the last lines say what was done about it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from plugins.run import Run

_ROLL_BACK = 20


class OnRollBackPlugin:
    """Carries a rollback out, in the process that began the run.

    Args:
        run: the run.
        folder: of its report.
        config: of this pytest.
    """

    def __init__(self, run: Run, folder: Path, config: pytest.Config) -> None:
        self._run = run
        self._folder = folder
        self._config = config

    # Registered after the verdict's own plugin, so that this is around it: all is written and told by now.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Act on the verdict, or say why not."""
        result = yield
        if session.exitstatus == _ROLL_BACK:
            try:
                self._act()
            except KeyboardInterrupt:
                self._say("INTERRUPTED  before anything was sent: nothing was done")
            except Exception as error:  # noqa: BLE001 - what was found stays found
                self._say(f"NOT DONE     {type(error).__name__}: {error}")
            session.exitstatus = _ROLL_BACK
        return result

    def _act(self) -> None:
        from plugins.model.rollback import CannotRollBack  # noqa: PLC0415 - seldom needed

        self._say("")
        why = self._why_not()
        try:
            if not why:
                self._roll_back()
        except CannotRollBack as refused:
            why = str(refused)
        if why:
            self._say(f"NOT DONE     --on-roll-back=execute: {why}")
            self._say("             the platform is as it was: roll back by hand, as told above")

    def _why_not(self) -> str:
        """What stands against acting on this run, whatever Render says."""
        options = self._run.options
        if options.baseline:
            return "a baseline tells how things were before a deployment, and takes none back"
        if options.overrides:
            return f"{', '.join(options.overrides)} was given: what was seen may not be what Render serves"
        return ""

    def _roll_back(self) -> None:
        # What carries it out is imported only where there is something to carry out.
        from plugins.rollback.actor import actor  # noqa: PLC0415
        from plugins.rollback.command import Wish, roll_back  # noqa: PLC0415
        from plugins.rollback.drill import kept  # noqa: PLC0415
        from plugins.rollback.narrator import Narrator  # noqa: PLC0415
        from plugins.rollback.processes import run_child  # noqa: PLC0415
        from plugins.rollback.scene import Scene  # noqa: PLC0415

        run, root = self._run, self._config.rootpath
        launched = kept(run.platform.ready()) if run.platform else nullcontext(run.options.launched)
        with launched as file:
            scene = Scene(
                environment=run.environment,
                named=run.options.environment,
                root=root,
                runbook=run.runbook,
                masker=run.masker,
                narrator=Narrator(self._write, live=False),
                launched=file,
                by=actor("", root),
                how="--on-roll-back=execute",
                run_child=lambda words: run_child(words, root, self._say),
            )
            roll_back(scene, Wish(subject=self._folder, yes=True, to={}))

    def _say(self, text: str) -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        terminal: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if terminal is not None:
            terminal.write(self._run.masker.text(text), flush=True)
