"""A line that says what a run is waiting for, so that nobody takes it for dead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

_QUIET_S = 2.0
_EVERY_S = 3.0


class Progress:
    """Tells of a wait after two seconds, then every few; says nothing in a worker or under -q.

    Args:
        config: leads to the terminal.
        what: "waiting for heartbeat".
        at_most_s: seconds that it can take.
    """

    def __init__(self, config: pytest.Config, what: str, at_most_s: float) -> None:
        manager = config.pluginmanager
        # In a worker there is no terminal: pytest registers none there.
        quiet = hasattr(config, "workerinput") or config.option.verbose < 0
        self._terminal: Any = None if quiet else manager.getplugin("terminalreporter")
        self._capture: Any = manager.getplugin("capturemanager")
        self._what = what
        self._at_most_s = at_most_s
        self._began = time.monotonic()
        self._next = self._began + _QUIET_S
        self._shown = False

    def tick(self, how_far: Callable[[], str] = str) -> None:
        """To be called often; tells when it is time, and then asks how far it is."""
        now = time.monotonic()
        if self._terminal is None or now < self._next:
            return
        self._next = now + _EVERY_S
        said = how_far()
        waited = f"{now - self._began:.0f} s of at most {self._at_most_s:.0f} s"
        self._show(f"{self._what}: {waited}{said and f', {said}'}")

    def done(self) -> None:
        """The wait is over."""
        if self._shown and self._terminal.isatty():
            self._show("")

    def _show(self, text: str) -> None:
        with self._capture.global_and_fixture_disabled():
            if not self._terminal.isatty():
                self._terminal.write_line(text)
            else:
                if not self._shown:
                    self._terminal.ensure_newline()
                self._terminal.rewrite(text, erase=True)
                self._terminal.flush()
        self._shown = True
