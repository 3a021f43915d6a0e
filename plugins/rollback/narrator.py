"""Tells what happens while it happens; a line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable

EVERY_S = 15.0
"""Between two lines of one wait where lines stay, as in CI."""

_BLANK = "\r\x1b[K"


class Narrator:
    """Writes lines. Whoever no longer reads them does not stop what is being done.

    Args:
        write: takes text as it is.
        live: it is a terminal, where a line can be written over.
        every_s: between two lines of one wait where it is none.
    """

    def __init__(self, write: Callable[[str], object], *, live: bool, every_s: float = EVERY_S) -> None:
        self._write = write
        self._live = live
        self._every_s = every_s
        self._next = 0.0
        self._open = False

    def say(self, text: str = "") -> None:
        """A line that stays."""
        self._put((_BLANK if self._open else "") + _shown(text) + "\n")
        self._open = False
        self._next = 0.0

    def wait(self, text: str) -> None:
        """How far a wait is; to be called often."""
        moment = time.monotonic()
        if self._live:
            # A line that goes on below cannot be written over.
            self._put(_BLANK + _shown(text)[: shutil.get_terminal_size().columns - 1])
            self._open = True
        elif moment >= self._next:
            self._next = moment + self._every_s
            self._put(f"{_shown(text)}\n")

    def _put(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that is gone, a file that is closed
            self._write(text)


def _shown(text: str) -> str:
    """Names and answers come from outside: nothing in them may steer a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
