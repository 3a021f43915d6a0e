"""A second process that outlives the sandbox just long enough to tidy up after it.

It holds the reading end of a pipe whose other end only the sandbox has. However the sandbox ends, kill -9
included, the pipe closes; the guard then stops the processes that it was told of and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE_S = 5.0


class Guard:
    """Watches over this process from a forked one.

    Made before any thread is started and before the heavy imports, so that the fork is safe and small.
    """

    def __init__(self, folder: Path) -> None:
        reading, self._writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._writing)
                _watch(reading, folder)
            finally:
                os._exit(0)
        os.close(reading)

    def adopt(self, pid: int) -> None:
        """Take responsibility for a process that leads its own group."""
        os.write(self._writing, b"+%d\n" % pid)

    def release(self, pid: int) -> None:
        """Forget a process that has ended; its number may soon be somebody else's."""
        os.write(self._writing, b"-%d\n" % pid)

    def finish(self, reap: Callable[[], None]) -> None:
        """Have everything tidied up now; returns when it is.

        Args:
            reap: waits for our children among the processes, which the guard is ending meanwhile.
        """
        os.close(self._writing)
        reap()
        os.waitpid(self._pid, 0)


def _watch(reading: int, folder: Path) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)

    adopted: set[int] = set()
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            (adopted.add if line[:1] == b"+" else adopted.discard)(int(line[1:]))
    for pid in adopted:
        _signal(pid, signal.SIGQUIT)  # in PostgreSQL's sense an immediate shutdown
    deadline = time.monotonic() + _PATIENCE_S
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)  # again, while somebody still writes to it
    # one that nobody has reaped counts as running; a container's first process may take its time
    while any(_signal(pid, 0) for pid in adopted) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in adopted:
        _signal(pid, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Signal a process group; False when there is none any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left
        return False
    return True
