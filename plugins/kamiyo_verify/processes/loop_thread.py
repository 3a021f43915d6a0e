"""An event loop in its own thread, for asynchronous libraries.

A timeout, a signal or a debugger can cancel a call at any time. It works whether or not the process has
its own event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_GRACE_S = 2.0
"""How long a cancelled coroutine may take to stop, in seconds."""


class LoopThread:
    """Runs coroutines in one shared thread; callers wait for the results."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run a coroutine, and return its result.

        Raises:
            TimeoutError: it did not finish within `seconds`; it is cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, seconds), self._loop)
        try:
            return future.result(seconds + _GRACE_S)
        finally:
            future.cancel()

    def close(self) -> None:
        """Stop the event loop; unfinished coroutines are dropped."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_GRACE_S)
        if not self._thread.is_alive():
            self._loop.close()
