"""When the sandbox is to end: its standard input closes, or a signal says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable


def asked_to_end() -> asyncio.Future[str]:
    """A future that is done, with nothing to complain of, as soon as somebody wants an end.

    Whoever starts the sandbox holds the other end of its standard input; when that process dies, of kill -9
    too, the system closes it. A terminal is left alone: there Ctrl-C ends it.
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
    with contextlib.suppress(RuntimeError):  # the loop is closed: we are ending already
        loop.call_soon_threadsafe(ask)
