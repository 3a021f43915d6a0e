"""Remaining time of the whole run and of the current attempt at an item."""

from __future__ import annotations

import math
import time

import pytest


class OutOfTime(pytest.fail.Exception):  # type: ignore[name-defined, misc]
    """An attempt was stopped because its time limit or the run's deadline passed.

    It is not an `Exception`, so no check and no client can catch it as a failure of its own. It is one of
    pytest's outcomes, so that a teardown that takes too long still takes down the scopes above its test:
    otherwise the next test could not be set up ("previous item was not torn down properly").
    """


class NotTried(OutOfTime):
    """An attempt was never started, because the run's deadline had passed."""


class Clock:
    """Measures the time left until the run's deadline and until the end of the current attempt.

    Args:
        deadline_s: seconds for the whole run; messages show this number.
        left_s: seconds left until the deadline; None means all of `deadline_s`.
    """

    def __init__(self, deadline_s: float, left_s: float | None = None) -> None:
        self.deadline_s = deadline_s
        self._run_ends = time.monotonic() + (deadline_s if left_s is None else left_s)
        self._try_ends = math.inf

    @property
    def run_left(self) -> float:
        """Seconds until the run's deadline; negative after it."""
        return self._run_ends - time.monotonic()

    def begin_try(self, seconds: float) -> None:
        """Start an attempt at an item that may take this many seconds."""
        self._try_ends = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left for the current attempt, or for the run if that is less; never negative."""
        return max(0.0, min(self._try_ends, self._run_ends) - time.monotonic())
