"""A cache of the API's responses by URL for a few seconds, as on the real platform."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass

KEPT_S = 5.0
_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One response: its body, its ETag, and when it was made (monotonic seconds)."""

    body: bytes
    etag: str
    made: float


class AnswerCache:
    """Responses by key. The key contains everything that the response depends on, not only the URL."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Kept] = {}

    def get(self, key: tuple[str, ...]) -> Kept | None:
        """Return the response; None if there is none or it is older than `KEPT_S`."""
        kept = self._kept.get(key)
        return kept if kept and time.monotonic() - kept.made < KEPT_S else None

    def put(self, key: tuple[str, ...], content: object) -> Kept:
        """Store a new response."""
        body = json.dumps(content, separators=(",", ":")).encode()
        if len(self._kept) >= _AT_MOST:
            self._kept.clear()
        self._kept[key] = Kept(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', time.monotonic())
        return self._kept[key]

    def clear(self) -> None:
        """Delete all responses."""
        self._kept.clear()
