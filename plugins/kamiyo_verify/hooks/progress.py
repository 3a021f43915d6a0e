"""Live output: lines that appear at once, and one progress line that shows that a long wait is alive."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.reporting.inert import one_line

_LONGEST = 300
_SETTLE_S = 0.12
"""A masked stream forwards a line immediately only if its previous one is at least 0.1 s old."""


class Progress:
    """Print lines during a run, without secrets and control characters; silent in xdist's workers.

    Args:
        config: gives access to the terminal reporter.
        masker: masks secrets.
        first_s: seconds without a progress line, from the start and after each line of `say`.
        every_s: seconds between two progress lines where a line cannot be overwritten, as in CI.
    """

    def __init__(self, config: pytest.Config, masker: Masker, *, first_s: float, every_s: float) -> None:
        self._config = config
        self._masker = masker
        self._first_s = first_s
        self._every_s = every_s
        self._began = time.monotonic()
        self._next = self._began + first_s
        self._shown = False

    def say(self, text: str) -> None:
        """Write a permanent line immediately."""
        terminal = self._terminal
        if terminal is None:
            return
        with self._capture.global_and_fixture_disabled():
            self._clear(terminal)
            terminal.ensure_newline()
            if self._config.get_terminal_writer().width_of_current_line:
                terminal.write_line("")
            terminal.write_line(self._inert(text))
            time.sleep(_SETTLE_S)
            terminal.flush()
        self._next = time.monotonic() + self._first_s

    def tick(self, text: Callable[[float], str]) -> None:
        """Write the progress if it is due and `-q` is not set; call this often.

        Args:
            text: returns the line; called only if it is due, with the seconds since the start.
        """
        terminal, now = self._terminal, time.monotonic()
        if terminal is None or now < self._next or self._config.option.verbose < 0:
            return
        line = self._inert(text(now - self._began))
        if terminal.isatty():
            self._next = now + min(1.0, self._every_s)
            with self._capture.global_and_fixture_disabled():
                if not self._shown:
                    terminal.ensure_newline()
                terminal.rewrite(line, erase=True)
                terminal.flush()
            self._shown = True
            return
        self._next = now + self._every_s
        with self._capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)
            terminal.flush()

    def done(self) -> None:
        """Clear the progress line after the wait."""
        terminal = self._terminal
        if terminal is not None:
            with self._capture.global_and_fixture_disabled():
                self._clear(terminal)

    def _inert(self, text: str) -> str:
        return one_line(self._masker.text(text), _LONGEST)

    def _clear(self, terminal: Any) -> None:
        if self._shown:
            terminal.rewrite("", erase=True)
            self._shown = False

    @property
    def _terminal(self) -> Any:
        # pytest registers no terminal reporter in a worker.
        if hasattr(self._config, "workerinput"):
            return None
        return self._config.pluginmanager.getplugin("terminalreporter")

    @property
    def _capture(self) -> Any:
        return self._config.pluginmanager.getplugin("capturemanager")
