"""The confirmation step between the tests and the judge: recheck what failed."""

from __future__ import annotations

from typing import Protocol

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun


class Confirm(Protocol):
    """Rechecks what failed, before the run is judged.

    The controller calls it after pytest's test loop and before `pytest_sessionfinish`, so it can rerun tests:
    `run.session.items` holds them, and their reports reach `run.results` through the usual hooks.
    """

    def __call__(self, run: ControllerRun, results: Results) -> Results:
        """Return the results to judge."""


def keep_results(run: ControllerRun, results: Results) -> Results:  # noqa: ARG001 - the protocol's
    """Confirm nothing, and return the results unchanged."""
    return results
