"""A second process that outlives the sandbox to clean up after it.

It reads from a pipe whose other end only the sandbox has. However the sandbox ends, even by kill -9, the pipe
closes; the guard then stops the registered processes and removes the folder.
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
    """Watches this process from a forked one.

    Create it before any thread is started and before heavy imports, so that the fork is safe and small.
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
        """Register a process that leads its own process group."""
        os.write(self._writing, b"+%d\n" % pid)

    def release(self, pid: int) -> None:
        """Unregister a process that has ended, because its id may be reused."""
        os.write(self._writing, b"-%d\n" % pid)

    def finish(self, reap: Callable[[], None]) -> None:
        """Clean up now; return when it is done.

        Args:
            reap: waits for our child processes, which the guard stops meanwhile.
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
        _signal(pid, signal.SIGQUIT)  # PostgreSQL's immediate shutdown
    deadline = time.monotonic() + _PATIENCE_S
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)  # repeat while a process still writes to it
    # A process that is not reaped counts as running; a container's init process may reap late.
    while any(_signal(pid, 0) for pid in adopted) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in adopted:
        _signal(pid, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Signal a process group; return False if it no longer exists."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM if only zombies are left
        return False
    return True
