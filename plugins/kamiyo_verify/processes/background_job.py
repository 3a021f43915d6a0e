"""Background jobs with a limited wait for their results."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundJob(Generic[T]):
    """A job in a daemon thread, which does not prevent the process from ending.

    Args:
        job: the function to run.
        name: the name of the thread.
    """

    def __init__(self, job: Callable[[], T], name: str) -> None:
        self._job = job
        self._done: list[T] = []
        self._error: BaseException | None = None
        # Not the thread's own `join`: if a signal interrupts it, Python 3.11 treats the thread as ended.
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def outcome(self, within_s: float) -> T:
        """Return the result of the job.

        Args:
            within_s: how long to wait from now on, in seconds.

        Raises:
            TimeoutError: the job has not ended in time.
            Exception: any error that the job raised.
        """
        if not self._ended.wait(max(0.0, within_s)):
            raise TimeoutError(f"it did not answer within {within_s:.0f} s")
        if self._error is not None:
            raise self._error
        return self._done[0]

    def _work(self) -> None:
        try:
            self._done.append(self._job())
        except BaseException as error:  # noqa: BLE001 - `outcome` raises it again
            self._error = error
        finally:
            self._ended.set()
