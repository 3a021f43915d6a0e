"""Prevent checks from ending or replacing the process, whose exit code would pass for a verdict."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

_ENDINGS = ("_exit", "execv", "execve")
"""All other ways to end the process in Python call one of these or raise an exception."""


class ProcessExitPlugin:
    """Replaces `os._exit` and the `os.exec` functions with functions that raise an error.

    Processes that a check forks or starts are not affected.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._before: dict[str, Callable[..., Any]] = {}

    def pytest_sessionstart(self) -> None:
        """Replace the functions, so that a check that calls one gets an error."""
        for name in _ENDINGS:
            self._before[name] = getattr(os, name)
            setattr(os, name, self._guarded(name, self._before[name]))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Restore the functions."""
        for name, function in self._before.items():
            setattr(os, name, function)

    def _guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            if os.getpid() == self._pid:
                raise RuntimeError(f"os.{name} was called in the process that runs the checks")
            return function(*arguments, **named)

        return guarded
