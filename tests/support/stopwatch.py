"""Measure how long something took, fairly: on a machine that other tests keep busy at the same time."""

from __future__ import annotations

import time
from pathlib import Path

_PRESSURE = Path("/proc/pressure/cpu")
"""Linux's own account of the time in which a process that could have run had to wait for a processor."""
_SLOWEST = 4.0


class Stopwatch:
    """Measures from its creation on.

    A limit of a test holds for a quiet machine. Time in which processes queued for a processor is taken off,
    so that a limit does not measure the neighbours; at most three quarters of all: it remains a limit.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stalled = _stalled_s()

    @property
    def seconds(self) -> float:
        """Seconds since the start, less those that this machine had no processor for."""
        passed = time.monotonic() - self._began
        return max(passed - (_stalled_s() - self._stalled), passed / _SLOWEST)


def _stalled_s() -> float:
    """Seconds of the kernel's account since it started; 0 where it keeps none."""
    try:
        some = _PRESSURE.read_text().splitlines()[0]
    except (OSError, IndexError):
        return 0.0
    return float(some.rpartition("total=")[2] or 0) / 1e6
