"""One message to one channel, in a process of its own: `python channel_process.py`, told by standard input.

Apprise writes addresses and bodies to its log, waits where a channel asks it to, and reads whatever a channel
answers. Here that is nobody's: this process shows nothing but its result, and ends when its time is up. It
imports nothing of the project, so that it starts fast.

In: {"address", "moment", "title", "lines", "more", "seconds"}. Out, in words of ours: a line with the kind of
the channel, and when it is over one with what went wrong, empty where nothing did.
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
"""Characters of a body, however much more a channel would take: it is read on a phone."""

_CUT = "… see the report"
_MEMORY = 1 << 30
_KINDS = {"start": "info", "success": "success", "failure": "failure"}
_STATUS = re.compile(r"error\s*[=:]\s*([1-5]\d\d)\b")


def bounded(
    title: str, lines: Sequence[str], more: str, *, title_most: int, body_most: int, lines_most: int = 0
) -> tuple[str, str]:
    """Title and body within a channel's limits; what does not fit is cut from below, and the text says so.

    Args:
        title: goes into the body where the channel has none.
        lines: of the body.
        more: where the rest is.
        title_most: characters of a title; 0 where the channel has none.
        body_most: characters of title and body together: some channels join the two.
        lines_most: lines of a body; 0 where that is not limited.
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
    """Send it; gives the kind of the channel, then why it did not take the message, or ""."""
    complaints = _Complaints()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [complaints], False
    logger.setLevel(logging.WARNING)
    import apprise  # noqa: PLC0415 - slow, and it logs

    # A channel that sends us elsewhere would be sent the token elsewhere.
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
        # What makes markup of a text puts a sign before some of its characters.
        body_most=channel.body_maxlen if plain else channel.body_maxlen * 3 // 4,
        lines_most=channel.body_max_line_count,
    )
    teller = apprise.Apprise(asset=asset)
    teller.add(channel)
    taken = teller.notify(
        body=body, title=title, notify_type=_KINDS[order["moment"]], body_format=apprise.NotifyFormat.TEXT
    )
    yield "" if taken else complaints.told()


class _Complaints(logging.Handler):
    """What Apprise logs, of which only a status is told: the rest may hold parts of the address."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(TypeError, ValueError):
            self._seen.append(record.getMessage())

    def told(self) -> str:
        for text in self._seen:
            if status := _STATUS.search(text):
                return f"answered {status[1]}"
        if any("onnection error" in text for text in self._seen):
            return "could not be reached"
        return "did not take it"


def _formats(formats: Any) -> Iterable[Any]:
    return formats if isinstance(formats, tuple | list | set | frozenset) else (formats,)


def _kind(channel: Any) -> str:
    """The word that an address of this kind begins with, such as "discord"."""
    name = channel.protocol or channel.secure_protocol or ""
    name = name if isinstance(name, str) else next(iter(name))
    return re.sub(r"[^a-z0-9+.-]", "", str(name).lower())[:20]


def main() -> None:
    """Do as standard input says, and end."""
    order = json.loads(sys.stdin.read())
    # Even if whoever began this is no more, and even within a call that never returns.
    signal.setitimer(signal.ITIMER_REAL, order["seconds"])
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        for told in send(order):
            _say(told)
    except Exception as error:  # noqa: BLE001 - its text may hold the address
        _say(f"broke: {type(error).__name__}")
    # Libraries may have left threads behind that would be waited for.
    os._exit(0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
