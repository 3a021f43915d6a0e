"""The exit code of a run that judges nothing: --plan and --collect-only."""

from __future__ import annotations

from typing import Any

import pytest

from kamiyo_verify.hooks.options import Mode
from kamiyo_verify.model.exit_codes import ExitCode

NOTHING_RUN = frozenset({int(pytest.ExitCode.OK), int(pytest.ExitCode.NO_TESTS_COLLECTED)})
"""pytest's exit codes of a run without a problem of its own."""


class NoVerdictPlugin:
    """Sets the exit code of a run without a verdict: --plan or --collect-only."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Set the exit code: a printed plan is a success; --collect-only is inconclusive."""
        if self._mode is Mode.PLAN and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = int(ExitCode.PROCEED)
        elif self._mode is Mode.COLLECT and session.exitstatus in NOTHING_RUN:
            session.exitstatus = int(ExitCode.INCONCLUSIVE)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print why the exit code of --collect-only is not a success."""
        if self._mode is Mode.COLLECT:
            terminalreporter.write_line("INCONCLUSIVE nothing was verified: --collect-only runs no check")
