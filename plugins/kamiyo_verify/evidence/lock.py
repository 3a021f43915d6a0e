"""Locks on evidence files and report folders; the system releases them when their process ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PATIENCE_S = 2.0

if sys.platform == "win32":

    def _locked(file: IO[str], *, shared: bool) -> bool:  # noqa: ARG001
        """Return True: Windows has no flock, so a run in progress looks like a killed one."""
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
    """Lock a file for writing until this process ends.

    Call it before the first line is written: until then, readers find no run in the file.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not _locked(file, shared=False) and time.monotonic() < deadline:
        time.sleep(0.01)


def try_to_hold(file: IO[str]) -> bool:
    """Lock the file until this process ends, unless it is locked; return whether it succeeded."""
    return _locked(file, shared=False)


@contextmanager
def nobody_writes(path: Path) -> Iterator[bool]:
    """Yield whether the file is unlocked; block writers meanwhile.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8") as file:
        yield _locked(file, shared=True)


class FolderLock:
    """The lock of the one run that writes to a folder; the system releases it when the process ends.

    If folders cannot be locked (Windows, some network file systems), `held` is true.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        self.held = True
        try:
            import fcntl  # noqa: PLC0415 - Windows has none

            self._descriptor = os.open(folder, os.O_RDONLY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.held = False
            self.release()
        except (ImportError, OSError):
            self.release()

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
