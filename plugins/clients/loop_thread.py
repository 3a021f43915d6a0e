"""An event loop in a thread of its own, for a library that waits by `await`.

What is asked of it can be given up at any moment: by a timeout, by a signal, by a debugger. A process that
has an event loop of its own, or none, makes no difference.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_GRACE_S = 2.0
"""How long a coroutine that is cancelled may take to notice."""


class LoopThread:
    """Runs coroutines for whoever asks, one thread for all."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """The coroutine's outcome.

        Raises:
            TimeoutError: it has none within these seconds. It is cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, seconds), self._loop)
        try:
            return future.result(seconds + _GRACE_S)
        finally:
            future.cancel()

    def close(self) -> None:
        """No more coroutines; those that go on are dropped."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_GRACE_S)
        if not self._thread.is_alive():
            self._loop.close()
