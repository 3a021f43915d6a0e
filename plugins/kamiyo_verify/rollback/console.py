"""Progress output: one line that is overwritten on a terminal, periodic lines elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable

EVERY_S = 15.0
"""Seconds between two lines of one wait where lines cannot be overwritten, as in CI."""

_BLANK = "\r\x1b[K"


class ConsoleReporter:
    """Write progress lines; a failed write never stops the rollback.

    Args:
        write: writes text unchanged.
        live: the output is a terminal, where a line can be overwritten.
        every_s: seconds between two lines of one wait if the output is not a terminal.
    """

    def __init__(self, write: Callable[[str], object], *, live: bool, every_s: float = EVERY_S) -> None:
        self._write = write
        self._live = live
        self._every_s = every_s
        self._next = 0.0
        self._open = False

    def say(self, text: str = "") -> None:
        """Print a permanent line."""
        self._put((_BLANK if self._open else "") + _shown(text) + "\n")
        self._open = False
        self._next = 0.0

    def wait(self, text: str) -> None:
        """Print the progress of a wait; call it often."""
        moment = time.monotonic()
        if self._live:
            # A line that wraps cannot be overwritten.
            self._put(_BLANK + _shown(text)[: shutil.get_terminal_size().columns - 1])
            self._open = True
        elif moment >= self._next:
            self._next = moment + self._every_s
            self._put(f"{_shown(text)}\n")

    def _put(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal is gone or the file is closed
            self._write(text)


def _shown(text: str) -> str:
    """Replace control characters: names and answers are external and must not control the terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
