"""Everything ends: each try at an item in its time, the whole run at its deadline, and both on request."""

from __future__ import annotations

import _thread
import gc
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

import pytest

from plugins.checklist import check_of
from plugins.clock import OutOfTime
from plugins.run import Run

_CLEAN_UP_S = 5.0
"""What a check has at least to clean up after itself, be its own time over or not."""

_LAST_RESORT_S = 15.0
"""So long after its deadline a run is ended from outside of its items: one of them does not react."""


class DeadlinePlugin:
    """Bounds the phases of each try, in the process that runs it.

    Args:
        run: with the clock.
        seconds_of: how long one try at a test may take.
    """

    def __init__(self, run: Run, seconds_of: Callable[[pytest.Item], float]) -> None:
        self._run = run
        self._seconds_of = seconds_of
        self._seconds = 0.0
        self._alarm = _Alarm()

    # pytest-timeout would bound all tries of an item and the pauses between them together, and dump the
    # stacks of all threads on the terminal. Its marker and its option say how long; this bounds try by try.
    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """Take pytest-timeout's place for checks."""
        return True if check_of(item) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """A try begins, if there is time for it."""
        if check_of(item) is None:
            return (yield)
        self._alarm.install()
        clock = self._run.clock
        if clock.run_left <= 0:
            raise OutOfTime(f"the run's deadline of {clock.deadline_s:g} s passed before it was tried")
        self._seconds = self._seconds_of(item)
        clock.begin_try(self._seconds)
        self._bound()
        try:
            return (yield)
        finally:
            self._alarm.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """The check itself has what its fixtures have left."""
        if check_of(item) is None:
            return (yield)
        self._bound()
        try:
            return (yield)
        finally:
            self._alarm.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        """Cleaning up has a few seconds of its own."""
        if check_of(item) is None:
            return (yield)
        self._alarm.start(max(self._run.clock.remaining(), _CLEAN_UP_S), "cleaning up took too long")
        try:
            return (yield)
        finally:
            self._alarm.stop()

    def pytest_unconfigure(self) -> None:
        """Nothing rings any more."""
        self._alarm.remove()

    def _bound(self) -> None:
        clock = self._run.clock
        left = clock.remaining()
        if clock.run_left <= left:
            message = f"stopped in the middle: the run's deadline of {clock.deadline_s:g} s passed"
        else:
            message = f"stopped in the middle: it took longer than its {self._seconds:g} s"
        self._alarm.start(left, message)


class EndPlugin:
    """Lets a process of the run end when it is told to, or has to."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._before: signal.Handlers | Callable[[int, FrameType | None], object] | int | None = None
        self._last_resort = threading.Timer(
            max(run.clock.run_left, 0.0) + _LAST_RESORT_S, _thread.interrupt_main
        )
        self._last_resort.daemon = True

    def pytest_sessionstart(self) -> None:
        """From here on SIGTERM ends the run as Ctrl-C does, with a report."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        self._last_resort.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """A report that is being written is not interrupted again."""
        self._last_resort.cancel()
        if self._before is not None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def pytest_unconfigure(self) -> None:
        """Give SIGTERM back."""
        self._last_resort.cancel()
        gc.freeze()  # The process ends: pytest need not search all that is left for garbage, twice.
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)


def seconds_of_try(item: pytest.Item, default: float) -> float:
    """How long one try may take: by the `timeout` marker, by --timeout, or by default."""
    mark = item.get_closest_marker("timeout")
    if mark is not None:
        asked = mark.args[0] if mark.args else mark.kwargs.get("timeout")
    else:
        asked = item.config.getoption("timeout", None)
    return float(asked) if asked else default


class _Alarm:
    """Raises `OutOfTime` in the main thread when the time is over; nothing else can be interrupted so.

    It is set and stopped thousands of times, and its handler stays: to change that takes longest.
    """

    def __init__(self) -> None:
        self._message = ""
        self._before: signal.Handlers | Callable[[int, FrameType | None], object] | int | None = None
        self._installed = False

    def install(self) -> None:
        """From here on it can ring; once more for each test, as another one may have taken the signal."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
            return
        before = signal.signal(signal.SIGALRM, self._ring)
        if not self._installed:
            self._before, self._installed = before, True

    def start(self, seconds: float, message: str) -> None:
        """Ring after so long, with these words."""
        self._message = message
        if self._installed:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))

    def stop(self) -> None:
        """Do not ring."""
        if self._installed:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def remove(self) -> None:
        """Give the signal back."""
        if self._installed:
            signal.signal(signal.SIGALRM, self._before)
            self._installed = False

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime(self._message)
