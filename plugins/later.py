"""Jobs in the background, waited for no longer than agreed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A job in the background; it cannot keep the process from ending.

    Args:
        job: what to do.
        name: of its thread.
    """

    def __init__(self, job: Callable[[], T], name: str) -> None:
        self._job = job
        self._done: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def outcome(self, within_s: float) -> T:
        """What came of it.

        Args:
            within_s: how long to wait for it from now on.

        Raises:
            TimeoutError: nothing has, yet.
            Exception: whatever it raised.
        """
        self._thread.join(max(0.0, within_s))
        if self._thread.is_alive():
            raise TimeoutError(f"it did not answer within {within_s:.0f} s")
        if self._error is not None:
            raise self._error
        return self._done[0]

    def _work(self) -> None:
        try:
            self._done.append(self._job())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody asks
            self._error = error
