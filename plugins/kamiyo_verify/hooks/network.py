"""Cached test of the runner's own network."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.control_probe import ControlResult, probe

_FRESH_S = 10.0


class Network:
    """Tests whether external control addresses answer; caches the result for ten seconds.

    Args:
        environment: holds the control addresses and our own addresses.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._found: ControlResult | None = None
        self._found_at = 0.0

    def __call__(self) -> ControlResult:
        """Return the cached result, or test the network again."""
        if self._found is None or time.monotonic() - self._found_at > _FRESH_S:
            own = {urlsplit(url).netloc for url in self._environment.urls.values()}
            self._found = probe(self._environment.control.urls, own, self._environment.timeouts)
            self._found_at = time.monotonic()
        return self._found
