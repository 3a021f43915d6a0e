"""How much time is left: for the whole run, and for the try at an item that is under way."""

from __future__ import annotations

import math
import time


class OutOfTime(BaseException):
    """A try was stopped because its time, or the run's, was over.

    It is no `Exception`, so that no check and no client can take it for a failure of its own.
    """


class Clock:
    """Counts the run down, and each try within it.

    Args:
        deadline_s: seconds for the whole run, told in messages.
        left_s: seconds that are left of them now.
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
        """A try at an item begins and may take this long."""
        self._try_ends = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left of the current try, or of the run if that is less; never negative."""
        return max(0.0, min(self._try_ends, self._run_ends) - time.monotonic())
