"""Shutdown of the sandbox: when its standard input is closed, or by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable


def end_requested() -> asyncio.Future[str]:
    """Return a future that completes with "" when a shutdown is requested.

    The process that starts the sandbox holds the other end of its standard input; if that process dies, even
    by kill -9, the system closes it. A terminal is not read: there Ctrl-C ends the sandbox.
    """
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[str] = loop.create_future()

    def ask() -> None:
        if not asked.done():
            asked.set_result("")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask)
    if sys.stdin is None:
        ask()
    elif not sys.stdin.isatty():
        threading.Thread(target=_read_to_end, args=(loop, ask), daemon=True).start()
    return asked


def _read_to_end(loop: asyncio.AbstractEventLoop, ask: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop is closed: the sandbox is ending already
        loop.call_soon_threadsafe(ask)
