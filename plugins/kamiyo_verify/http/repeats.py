"""Requests that can be sent again: the latest safe one per method and path, kept in memory only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx2


SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""

_MOST = 500


class RepeatableRequests:
    """Stores requests complete with credentials, in memory only; they are never written anywhere."""

    def __init__(self) -> None:
        self._requests: OrderedDict[tuple[str, str], httpx2.Request] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, request: httpx2.Request) -> None:
        """Store a request, if it is safe to send again."""
        if request.method not in SAFE:
            return
        key = _key(request.method, str(request.url))
        with self._lock:
            self._requests[key] = request
            self._requests.move_to_end(key)
            if len(self._requests) > _MOST:
                self._requests.popitem(last=False)

    def find(self, method: str, url: str) -> httpx2.Request | None:
        """The latest request of that method to that address, whatever its query; None if there is none."""
        with self._lock:
            return self._requests.get(_key(method, url))


def _key(method: str, url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return method, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"
