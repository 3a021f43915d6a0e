"""The API's answers, kept by URL for a few seconds, as the real platform keeps them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass

KEPT_S = 5.0
_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer: its body, its ETag, and when it was made (monotonic seconds)."""

    body: bytes
    etag: str
    made: float


class AnswerCache:
    """Answers by key. The key holds whatever the answer depends on, not the URL alone."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Kept] = {}

    def get(self, key: tuple[str, ...]) -> Kept | None:
        """The answer, unless there is none or it is older than `KEPT_S`."""
        kept = self._kept.get(key)
        return kept if kept and time.monotonic() - kept.made < KEPT_S else None

    def put(self, key: tuple[str, ...], content: object) -> Kept:
        """Keep a new answer."""
        body = json.dumps(content, separators=(",", ":")).encode()
        if len(self._kept) >= _AT_MOST:
            self._kept.clear()
        self._kept[key] = Kept(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', time.monotonic())
        return self._kept[key]

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
