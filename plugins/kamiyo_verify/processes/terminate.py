"""End a command by SIGTERM as by Ctrl-C, so that a cancelled job still writes and says what it has."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupted_by_terminate() -> Iterator[None]:
    """Raise KeyboardInterrupt at SIGTERM, until the block ends."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
