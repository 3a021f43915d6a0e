"""The runner's own network, asked seldom."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from plugins.clients.control import ControlResult, probe
from plugins.model.environment import Environment

_FRESH_S = 10.0


class Network:
    """Says whether hosts that are not ours answer; an answer of the last ten seconds still counts.

    Args:
        environment: with the control addresses, and our own ones.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._found: ControlResult | None = None
        self._found_at = 0.0

    def __call__(self) -> ControlResult:
        """Ask, or remember."""
        if self._found is None or time.monotonic() - self._found_at > _FRESH_S:
            own = {urlsplit(url).netloc for url in self._environment.urls.values()}
            self._found = probe(self._environment.control.urls, own, self._environment.timeouts)
            self._found_at = time.monotonic()
        return self._found
