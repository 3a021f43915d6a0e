"""Who is writing an evidence file: a lock that the system takes back when its process ends, in any way."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PATIENCE_S = 2.0

if sys.platform == "win32":

    def _locked(file: IO[str], *, shared: bool) -> bool:  # noqa: ARG001
        """Nobody can tell there; so a run that still goes on is taken for one that was killed."""
        return True

else:
    import fcntl

    def _locked(file: IO[str], *, shared: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def hold(file: IO[str]) -> None:
    """Show that this process is writing the file, until it ends.

    To be called before the first line is written: whoever looks at the file just then finds no run in it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not _locked(file, shared=False) and time.monotonic() < deadline:
        time.sleep(0.01)


def try_to_hold(file: IO[str]) -> bool:
    """Hold the file until this process ends, unless another one does; returns whether it is held."""
    return _locked(file, shared=False)


@contextmanager
def nobody_writes(path: Path) -> Iterator[bool]:
    """Whether nobody writes a file; for the length of the block nobody begins to.

    Raises:
        OSError: it cannot be read.
    """
    with path.open(encoding="utf-8") as file:
        yield _locked(file, shared=True)
