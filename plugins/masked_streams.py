"""The terminal itself without secrets: prints under -s, warnings and internal errors pass here too."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

from plugins.masking import Masker

_AT_LEAST_S = 0.1
"""How often the beginning of a line is passed on to a file or a pipe: nobody watches its dots appear."""


class MaskedStream:
    """Stands before the `write` and `flush` of a text stream, and gives a line on when it is complete.

    The methods are replaced on the stream itself, because pytest's capture puts the stream that it found at
    its start back into `sys` after each test: a stream put there later would be lost.
    """

    def __init__(self, stream: TextIO, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker
        self._pending = ""
        self._watched = stream.isatty()
        self._flushed_at = 0.0
        self._lock = threading.RLock()
        self._write = stream.write
        self._flush = stream.flush
        for name in ("write", "flush"):
            setattr(stream, name, getattr(self, name))

    def write(self, text: str) -> int:
        """Take text; pass all complete lines on."""
        with self._lock:
            self._pending += text
            end = max(self._pending.rfind("\n"), self._pending.rfind("\r")) + 1
            self._pass_on(end)
        return len(text)

    def flush(self) -> None:
        """Pass on what is there, but for an end that may be the beginning of a secret."""
        with self._lock:
            now = time.monotonic()
            if not self._watched and now < self._flushed_at + _AT_LEAST_S:
                return
            self._flushed_at = now
            self._pass_on(len(self._pending) - self._masker.begun_in(self._pending))
            self._flush()

    def release(self) -> None:
        """Give the stream its own methods back, and all that was held."""
        with self._lock:
            self._pass_on(len(self._pending))
            self._flush()
        for name in ("write", "flush"):
            delattr(self._stream, name)

    def _pass_on(self, end: int) -> None:
        if end > 0:
            ready, self._pending = self._pending[:end], self._pending[end:]
            self._write(self._masker.text(ready))


def mask_streams(masker: Masker) -> list[MaskedStream]:
    """Stand before standard output and standard error; `release` each of them in the end."""
    return [MaskedStream(stream, masker) for stream in (sys.stdout, sys.stderr)]
