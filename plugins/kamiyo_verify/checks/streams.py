"""Generic checks of a WebSocket.

`websocket` is what `http("api").websocket("/ws")` opens, or a client of the project's own with `connect`.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from kamiyo_verify.checks.requirement import Measure, require

if TYPE_CHECKING:
    from kamiyo_verify.integrations.websocket.stream import Stream


class OpensStreams(Protocol):
    """A client of one WebSocket address."""

    def connect(self) -> AbstractContextManager[Stream]:
        """An open stream, closed at the end."""


def greets(
    websocket: OpensStreams,
    measure: Measure,
    *,
    type: str = "",  # noqa: A002 - the frame's own word
    text: str = "",
    within_s: float = 10,
) -> None:
    """The server accepts a WebSocket, and sends the expected frame in time.

    Args:
        websocket: the client; measures the seconds until the frame came.
        measure: the fixture.
        type: the "type" of the JSON object to wait for; frames of other types may come before it. Without it,
            the first frame counts, whatever it holds.
        text: a text that the first 300 characters of that frame contain.
        within_s: seconds to wait, at most those of the item.
    """
    with websocket.connect() as stream:
        found = stream.wait_for(type, within_s) if type else stream.first(within_s)
    measure("first_frame", found.waited_seconds, "s")
    wanted = f"{type} frame" if type else "frame"
    require(found.received, f"no {wanted} in {found.waited_seconds:.0f} s, {found.instead}")
    require(text in found.text, f'the {wanted} is "{found.text}" where "{text}" was expected in it')


def accepts_websocket(websocket: OpensStreams, measure: Measure) -> None:
    """The server accepts a WebSocket; for one that sends nothing by itself."""
    began = time.monotonic()
    with websocket.connect():
        measure("opened_after", time.monotonic() - began, "s")
