"""Signals and time limits of the controller process.

The first SIGINT or SIGTERM ends the tests. After that, and during the whole conclusion, a further signal only
shortens waits of the conclusion; it never prevents the verdict or the evidence.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_AGAIN_S = 5.0
"""Seconds after which the limit is raised again, in case some code caught the exception."""

_SIGNALS = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)

_Handler = signal.Handlers | Callable[[int, FrameType | None], object] | int | None


class Skipped(BaseException):
    """A signal ended a wait of the conclusion. Not an `Exception`, so no code handles it as a failure."""


class StepTooLong(BaseException):
    """A step of the conclusion exceeded its time limit; the message names the step and the limit."""


class Interruptions:
    """Handles the signals of one process; call `install` in the main thread.

    Attributes:
        hurried: a signal came during the conclusion, or after an earlier one; keep all waits short.
    """

    def __init__(self) -> None:
        self.hurried = False
        self._interrupted = False
        self._waiting = False
        self._received_any = False
        self._before: dict[signal.Signals, _Handler] = {}

    def install(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP; a signal that is ignored stays ignored (`nohup`)."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._received)

    def release(self) -> None:
        """Restore the previous signal handlers.

        After a signal, ignore further ones: the process is ending, and its exit code must not change.
        """
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._received_any else handler)
        self._before.clear()

    def conclude(self) -> None:
        """Start the conclusion: from now on no signal raises KeyboardInterrupt."""
        self._interrupted = True

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Run a block that the verdict does not require; a signal ends it."""
        self._waiting = True
        try:
            yield
        except Skipped:
            pass
        finally:
            self._waiting = False

    @contextmanager
    def as_usual(self) -> Iterator[None]:
        """Let signals raise KeyboardInterrupt in the block, for code that handles it."""
        self._interrupted = False
        try:
            yield
        finally:
            self._interrupted = True

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self._received_any = True
        if not self._interrupted:
            self._interrupted = True
            raise KeyboardInterrupt
        self.hurried = True
        if self._waiting:
            self._waiting = False
            raise Skipped


@contextmanager
def limited(step: str, seconds: float) -> Iterator[None]:
    """Raise `StepTooLong` if the block takes longer; main thread only, and unlimited on Windows."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise StepTooLong(f"{step} took longer than {seconds:g} s")

    before: Any = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        with contextlib.suppress(TypeError):  # a handler that was not installed from Python
            signal.signal(signal.SIGALRM, before)
