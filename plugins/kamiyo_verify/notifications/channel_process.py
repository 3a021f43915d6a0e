"""Send one message to one channel in a separate process: `python channel_process.py`, input on stdin.

Apprise logs addresses and bodies, waits as long as a channel asks, and reads any answer. This process
isolates that: it prints only its result, and ends when its time is up. It imports nothing of the project, so
that it starts fast.
Input: {"address", "moment", "title", "lines", "more", "seconds"}. Output: a line with the kind of the
channel, and at the end a line with the error, empty on success.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

LONGEST = 1500
"""Most characters of a body, even if a channel allows more, because people read it on a phone."""

_CUT = "… see the report"
_MEMORY = 1 << 30
_KINDS = {"start": "info", "success": "success", "failure": "failure"}
_STATUS = re.compile(r"error\s*[=:]\s*([1-5]\d\d)\b")


def bounded(
    title: str, lines: Sequence[str], more: str, *, title_most: int, body_most: int, lines_most: int = 0
) -> tuple[str, str]:
    """Shorten title and body to a channel's limits; text is cut at the end, with a note that it was cut.

    Args:
        title: becomes part of the body if the channel has no titles.
        lines: the lines of the body.
        more: where the full report is.
        title_most: most characters of a title; 0 if the channel has no titles.
        body_most: most characters of title and body together, because some channels join them.
        lines_most: most lines of a body; 0 for no limit.
    """
    title = _short(title, title_most or body_most)
    if not title_most:
        lines, title = [title, *lines], ""
    room = max(1, min(LONGEST, body_most) - (len(title) + 2 if title else 0))
    whole = [*lines, *([f"Report: {more}"] if more else [])]
    if len("\n".join(whole)) <= room and not 0 < lines_most < len(whole):
        return title, "\n".join(whole)
    close = next(
        (close for close in (f"\n{_CUT}: {more}", f"\n{_CUT}") if more and len(close) <= room // 2), ""
    )
    kept = "\n".join(lines[: lines_most - 1] if lines_most > 1 else lines[: lines_most or None])
    return title, _short(kept, room - len(close)) + close


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def send(order: Mapping[str, Any]) -> Iterator[str]:
    """Send a message; yield the kind of the channel, then the error, or "" on success."""
    complaints = _Complaints()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [complaints], False
    logger.setLevel(logging.WARNING)
    import apprise  # noqa: PLC0415 - slow to import, and it logs

    # Following a channel's redirect would send the token to another host.
    asset = apprise.AppriseAsset(
        app_id="kamiyo-verify", app_desc="Deployment verification", async_mode=False, http_redirects=False
    )
    channel = apprise.Apprise.instantiate(order["address"], asset=asset, suppress_exceptions=True)
    if not isinstance(channel, apprise.NotifyBase):
        yield from ("", "holds no address that Apprise knows")
        return
    yield _kind(channel)
    plain = apprise.NotifyFormat.TEXT in _formats(channel.notify_format)
    title, body = bounded(
        order["title"],
        order["lines"],
        order["more"],
        title_most=channel.title_maxlen,
        # Escaping for markup puts a character before some of the text's characters.
        body_most=channel.body_maxlen if plain else channel.body_maxlen * 3 // 4,
        lines_most=channel.body_max_line_count,
    )
    teller = apprise.Apprise(asset=asset)
    teller.add(channel)
    taken = teller.notify(
        body=body, title=title, notify_type=_KINDS[order["moment"]], body_format=apprise.NotifyFormat.TEXT
    )
    yield "" if taken else complaints.description()


class _Complaints(logging.Handler):
    """Collects Apprise's log; only an HTTP status is reported, because the rest may contain the address."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(TypeError, ValueError):
            self._seen.append(record.getMessage())

    def description(self) -> str:
        for text in self._seen:
            if status := _STATUS.search(text):
                return f"answered {status[1]}"
        if any("onnection error" in text for text in self._seen):
            return "could not be reached"
        return "did not take it"


def _formats(formats: Any) -> Iterable[Any]:
    return formats if isinstance(formats, tuple | list | set | frozenset) else (formats,)


def _kind(channel: Any) -> str:
    """Return the URL scheme of the channel, such as "discord"."""
    name = channel.protocol or channel.secure_protocol or ""
    name = name if isinstance(name, str) else next(iter(name))
    return re.sub(r"[^a-z0-9+.-]", "", str(name).lower())[:20]


def main() -> None:
    """Read the order from standard input, send the message and exit."""
    order = json.loads(sys.stdin.read())
    # Ends the process even if its parent is gone, or if a call never returns.
    signal.setitimer(signal.ITIMER_REAL, order["seconds"])
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not available on every platform

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        for description in send(order):
            _say(description)
    except Exception as error:  # noqa: BLE001 - its text may contain the address
        _say(f"broke: {type(error).__name__}")
    # Exit without waiting for threads that libraries may have left.
    os._exit(0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
