"""Time limits for each attempt at an item and for the whole run, and the handling of signals."""

from __future__ import annotations

import _thread
import gc
import signal
import sys
import threading
from collections.abc import Callable, Generator
from types import FrameType

import pytest

from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.clock import NotTried, OutOfTime
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.session_end.interruptions import Interruptions

_CLEAN_UP_S = 5.0
"""Minimum seconds for a check's teardown, even if the attempt's time has passed."""

_AGAIN_S = 5.0
"""Seconds until a stopped attempt is stopped again, because its own clean-up (`with`, `finally`) hangs."""

_LAST_RESORT_S = 15.0
"""Seconds after the deadline when a timer interrupts the run, because an item does not respond."""


class DeadlinePlugin:
    """Limits the duration of each attempt's phases, in the process that runs it.

    Args:
        run: the run, which holds the clock.
        seconds_of: returns the time limit of one attempt at a test, in seconds.
    """

    def __init__(self, run: Run, seconds_of: Callable[[pytest.Item], float]) -> None:
        self._run = run
        self._seconds_of = seconds_of
        self._seconds = 0.0
        self._alarm = _Alarm()

    # pytest-timeout limits all attempts of an item and the pauses between them together, and prints the
    # stacks of all threads. We use its marker and option for the duration, but limit each attempt separately.
    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """Disable pytest-timeout's own timer for checks."""
        return True if check_of(item) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """Start the attempt's time limit; raise `OutOfTime` if the run's deadline has passed."""
        if check_of(item) is None:
            return (yield)
        self._alarm.install()
        clock = self._run.clock
        if clock.run_left <= 0:
            raise NotTried(f"the run's deadline of {clock.deadline_s:g} s passed before it was tried")
        self._seconds = self._seconds_of(item)
        clock.begin_try(self._seconds)
        self._bound()
        try:
            return (yield)
        finally:
            self._alarm.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Limit the check to the time that its fixtures have left."""
        if check_of(item) is None:
            return (yield)
        self._bound()
        try:
            return (yield)
        finally:
            self._alarm.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        """Limit the teardown to the remaining time, but at least five seconds."""
        if check_of(item) is None:
            return (yield)
        self._alarm.start(max(self._run.clock.remaining(), _CLEAN_UP_S), "cleaning up took too long")
        try:
            return (yield)
        finally:
            self._alarm.stop()

    def pytest_unconfigure(self) -> None:
        """Remove the alarm."""
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
    """Ends a process of the run on a signal, or after its deadline."""

    def __init__(self, run: Run, interruptions: Interruptions) -> None:
        self._interruptions = interruptions
        self._last_resort = threading.Timer(max(run.clock.run_left, 0.0) + _LAST_RESORT_S, _interrupt_main)
        self._last_resort.daemon = True

    def pytest_sessionstart(self) -> None:
        """Make SIGTERM end the run like Ctrl-C, with a report, and start the last-resort timer."""
        self._interruptions.install()
        self._last_resort.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Cancel the timer after the tests: the conclusion has its own limits."""
        self._last_resort.cancel()
        self._interruptions.conclude()

    def pytest_unconfigure(self) -> None:
        """Restore the signal handlers."""
        self._last_resort.cancel()
        gc.freeze()  # The process ends: this avoids two full garbage collections by pytest.
        self._interruptions.release()


def seconds_of_try(item: pytest.Item, default: float) -> float:
    """Return the seconds for one attempt: from the `timeout` marker, from --timeout, or the default."""
    mark = item.get_closest_marker("timeout")
    if mark is not None:
        wanted = mark.args[0] if mark.args else mark.kwargs.get("timeout")
    else:
        wanted = item.config.getoption("timeout", None)
    return float(wanted) if wanted else default


def _interrupt_main() -> None:
    """Send SIGINT to the main thread: `interrupt_main` alone does not end its wait for a lock."""
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


class _Alarm:
    """Raises `OutOfTime` in the main thread when the time is over; other threads cannot be interrupted.

    The alarm starts and stops thousands of times. The handler stays installed, because changing it is slow.
    """

    def __init__(self) -> None:
        self._message = ""
        self._before: signal.Handlers | Callable[[int, FrameType | None], object] | int | None = None
        self._installed = False

    def install(self) -> None:
        """Install the signal handler; repeated for each test, because a test may replace the handler."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
            return
        before = signal.getsignal(signal.SIGALRM)
        if before == self._ring:
            return
        signal.signal(signal.SIGALRM, self._ring)
        if not self._installed:
            self._before, self._installed = before, True

    def start(self, seconds: float, message: str) -> None:
        """Raise `OutOfTime` with this message after this many seconds, and again while that does not help."""
        self._message = message
        if self._installed:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), _AGAIN_S)

    def stop(self) -> None:
        """Cancel the alarm."""
        if self._installed:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def remove(self) -> None:
        """Restore the previous signal handler."""
        if self._installed:
            signal.signal(signal.SIGALRM, self._before)
            self._installed = False

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime(self._message)
