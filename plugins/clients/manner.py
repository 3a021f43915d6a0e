"""How all clients of a session ask: by one memory of rate limits, in the time that is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import NotRequired, TypedDict

from plugins.clients.http import Record, Throttle
from plugins.model.environment import Timeouts


class Manner(TypedDict):
    """What a client is given besides whom to ask; each as of `HttpClient`."""

    timeouts: Timeouts
    record: Record
    remaining: Callable[[], float]
    throttle: NotRequired[Throttle | None]
