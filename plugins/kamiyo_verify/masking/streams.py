"""Mask secrets and control sequences on standard output and error; writing to them never fails.

Prints under -s, warnings, internal errors and pytest's own lines go through this module too.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.writing.text import LIVE, visible, without_ci_commands

_AT_LEAST_S = 0.1
"""Seconds between writes of an incomplete line to a file or a pipe, where progress dots are not watched."""

# Sequences that pytest itself writes: colours, and the progress that some terminals show in the title bar.
_OWN = re.compile(r"\x1b\[[0-9;]{0,20}m|\x1b\]9;4;[0-9;]{0,8}\x1b\\")
_HIDES = frozenset({"5", "6", "8"})
_PALETTE = re.compile(r"(?<![0-9])[34]8;5;[0-9]+")

# A value over several lines: quoted-printable, base64, a list of bytes.
_GOES_ON = re.compile(r"(?:=|^[A-Za-z0-9+/_-]{60,}|[0-9],\s{0,20})\n\Z", re.MULTILINE)
_LONG_LINE = 200

_LIVE = re.compile(f"[{LIVE}]")


class MaskedStream:
    """Wraps `write` and `flush` of a text stream, and passes each line on when it is complete.

    The methods are replaced on the stream itself, because pytest's capture puts the stream that it found at
    its start back into `sys` after each test: a wrapper installed there later would be lost.

    A closed pipe or a full disk ends the output, not the run: later text is discarded.
    """

    def __init__(self, stream: TextIO, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker
        self._pending = ""
        self._return = ""
        self._watched = stream.isatty()
        self._gone = False
        self._flushed_at = 0.0
        self._lost = False
        self._lock = threading.RLock()
        self._write = stream.write
        self._flush = stream.flush
        for name in ("write", "flush"):
            setattr(stream, name, getattr(self, name))

    def write(self, text: str) -> int:
        """Accept text; pass all complete lines on."""
        with self._lock:
            whole = self._return + text
            self._return = "\r" if whole.endswith("\r") else ""
            whole = whole.removesuffix(self._return)
            # On a terminal pytest rewrites a line from its start; elsewhere that would hide a text.
            rewrites = self._watched and whole.startswith("\r") and not whole.startswith("\r\n")
            start = "\r" if rewrites else ""
            self._pending += start + harmless(whole[len(start) :])
            end = max(self._pending.rfind("\n"), self._pending.rfind("\r")) + 1
            if end and _GOES_ON.search(self._pending, max(0, end - _LONG_LINE), end):
                end -= self._masker.begun_in(self._pending[:end])
            self._pass_on(end)
        return len(text)

    def flush(self) -> None:
        """Pass on the buffered text, except an end that may be the beginning of a secret."""
        with self._lock:
            now = time.monotonic()
            if not self._watched and now < self._flushed_at + _AT_LEAST_S:
                return
            self._flushed_at = now
            self._pass_on(len(self._pending) - self._masker.begun_in(self._pending))
            self._try(self._flush)

    def release(self) -> None:
        """Restore the stream's own methods, and write the buffered text."""
        with self._lock:
            self._pending += visible(self._return)
            self._return = ""
            self._pass_on(len(self._pending))
            self._try(self._flush)
        for name in ("write", "flush"):
            with contextlib.suppress(AttributeError):
                delattr(self._stream, name)

    def _pass_on(self, end: int) -> None:
        if end > 0:
            ready, self._pending = self._pending[:end], self._pending[end:]
            self._try(self._write, without_ci_commands(self._masker.text(ready)))

    def _try(self, act: Callable[..., object], *text: str) -> None:
        if self._lost:
            return
        try:
            try:
                act(*text)
            except UnicodeEncodeError:
                encoding = self._stream.encoding or "ascii"
                act(*(each.encode(encoding, "backslashreplace").decode(encoding) for each in text))
        except (OSError, ValueError):  # the pipe was closed, the disk is full, or the stream was closed
            self._lost = True
            self._discard()

    def _discard(self) -> None:
        """Discard the stream's buffer, so that Python's last flush does not end in an error."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._flush()


def harmless(text: str) -> str:
    """The text with control sequences escaped, except pytest's own colours and progress."""
    if _LIVE.search(text) is None:
        return text
    text = text.replace("\r\n", "\n")
    pieces, at = [], 0
    for own in _OWN.finditer(text):
        codes = _PALETTE.sub("", own.group()[2:-1]).split(";")
        shown = own.group() if _HIDES.isdisjoint(codes) else visible(own.group())
        pieces += [visible(text[at : own.start()]), shown]
        at = own.end()
    return "".join([*pieces, visible(text[at:])])


def mask_streams(masker: Masker) -> list[MaskedStream]:
    """Wrap standard output and standard error; call `release` on each when done."""
    return [MaskedStream(stream, masker) for stream in (sys.stdout, sys.stderr) if stream is not None]
