"""An open WebSocket: wait for a frame, and send one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from socket import socket as Socket  # noqa: N812 - a type here
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.sync.client import ClientConnection

from kamiyo_verify.http.json_text import UnreadableJson, read_json
from kamiyo_verify.http.readable import readable, without
from kamiyo_verify.http.wire import limit_sends
from kamiyo_verify.integrations.websocket.conventions import Conventions
from kamiyo_verify.integrations.websocket.refusals import closed
from kamiyo_verify.integrations.websocket.token import Token
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from kamiyo_verify.model.writing.text import safe_data

LARGEST_FRAME = 1024 * 1024
"""Bytes of one frame; a larger one ends the stream."""

_SENDING_S = 1.0
"""Seconds without progress until a send fails: what we send is small, so the server reads nothing."""

_MOST_SEEN = 50
_LOOK_EVERY_S = 0.2
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class FrameWait:
    """The result of waiting for a frame.

    Attributes:
        received: a frame of the type came in time.
        waited_seconds: until it came, or until the waiting ended.
        seen: the types of the first 50 other frames, in order; "unreadable" for a frame that is not a JSON
            object with a type.
        frame: the frame itself, if it came and is a JSON object.
        pings: pings since the stream opened: they show that the connection is alive, and carry no data.
        text: the first 300 characters of the frame, with its whitespace folded, safe to show.
    """

    received: bool
    waited_seconds: float
    seen: tuple[str, ...]
    frame: dict[str, Any] | None = field(default=None, repr=False)
    pings: int = 0
    text: str = field(default="", repr=False)

    @property
    def instead(self) -> str:
        """The frames that came instead, for a message."""
        if self.seen:
            return f"only {', '.join(self.seen)}"
        if self.pings:
            return f"only {counted(self.pings, 'ping')}: the connection lives, and carries no frame"
        return "nothing at all on an open connection (a proxy between may hold frames back)"


class BoundedConnection(ClientConnection):
    """A client connection that counts the pings it receives, and ends when the server reads nothing.

    websockets answers each ping while it holds the lock that `close` needs. A server that pings and never
    reads would fill the buffers, block that answer, and with it `close` for ever.
    """

    pings = 0

    def __init__(self, socket: Socket, *args: Any, **named: Any) -> None:
        limit_sends(socket, _SENDING_S)
        super().__init__(socket, *args, **named)

    def process_event(self, event: Event) -> None:
        """Count a ping; process every event as usual."""
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
        super().process_event(event)


class Stream:
    """An open stream. It answers the frames that the platform's conventions name, as its own clients do.

    Args:
        connection: open.
        shown: its address, for messages.
        remaining: seconds that the current item has left.
        token: the credential that it was opened with.
        conventions: the platform's own close codes, and frames to answer.
    """

    def __init__(
        self,
        connection: ClientConnection,
        shown: str,
        remaining: Callable[[], float],
        token: Token,
        conventions: Conventions,
    ) -> None:
        self._connection = connection
        self._shown = shown
        self._remaining = remaining
        self._token = token
        self._conventions = conventions

    def first(self, within_seconds: float) -> FrameWait:
        """Wait for the next frame, whatever it holds; raises like `wait_for`."""
        return self._wait(None, within_seconds)

    def wait_for(self, type: str, within_seconds: float) -> FrameWait:  # noqa: A002 - the frame's own word
        """Wait for the next frame of a type; frames of other types are discarded.

        Raises:
            WrongAnswer: the server closed the stream, or broke the protocol.
            NoAnswer: the connection was lost; or nothing came, and the item had fewer seconds left than
                requested.
        """
        return self._wait(type, within_seconds)

    def _wait(self, wanted: str | None, within_seconds: float) -> FrameWait:
        """Wait for the next frame of a type, or for any."""
        began = time.monotonic()
        allowed = min(within_seconds, self._remaining())
        seen: list[str] = []
        while (left := began + allowed - time.monotonic()) > 0:
            data = self._next(min(left, _LOOK_EVERY_S))
            if data is None:
                continue
            frame = _parsed(data)
            if len(seen) < _MOST_SEEN:
                seen.append(_type_of(frame))
            self._reply(frame)
            if wanted is None or (frame is not None and frame.get("type") == wanted):
                waited = time.monotonic() - began
                text = without(self._token.secrets, data.decode("utf-8", errors="replace"))
                return FrameWait(True, waited, tuple(seen), frame, self._pings, readable(text))  # noqa: FBT003
        if allowed < within_seconds:
            message = (
                f"{self._shown} was listened to for only {max(allowed, 0):.0f} s of {within_seconds:.0f}"
            )
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._shown)
        waited = time.monotonic() - began
        return FrameWait(False, waited, tuple(seen), pings=self._pings)  # noqa: FBT003

    def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame as JSON.

        Raises:
            WrongAnswer: the server has closed the stream.
            NoAnswer: the connection was lost.
        """
        try:
            self._connection.send(json.dumps(dict(frame)))
        except ConnectionClosed as end:
            raise self._closed(end) from None

    @property
    def _pings(self) -> int:
        return getattr(self._connection, "pings", 0)

    def _reply(self, frame: Mapping[str, Any] | None) -> None:
        kind = frame.get("type") if frame is not None else None
        reply = self._conventions.replies.get(kind) if isinstance(kind, str) else None
        if reply is not None:
            self.send(reply)

    def _closed(self, end: ConnectionClosed) -> NoAnswer | WrongAnswer:
        return closed(end, self._shown, self._token, self._conventions)

    def _next(self, within_s: float) -> bytes | None:
        """The next frame; None if none came."""
        try:
            return bytes(self._connection.recv(timeout=within_s, decode=False))
        except TimeoutError:
            # If a server has closed, or broke the protocol, but keeps the connection open, `recv` waits on.
            protocol = self._connection.protocol
            if protocol.close_rcvd is not None or protocol.close_sent is not None:
                end = ConnectionClosed(
                    protocol.close_rcvd, protocol.close_sent, protocol.close_rcvd_then_sent
                )
                raise self._closed(end) from None
            return None
        except ConnectionClosed as end:
            raise self._closed(end) from None


def _parsed(data: bytes) -> dict[str, Any] | None:
    """The frame as a JSON object; None if it is none."""
    try:
        frame = safe_data(read_json(data))
    except UnreadableJson:
        return None
    return frame if isinstance(frame, dict) else None


def _type_of(frame: Mapping[str, Any] | None) -> str:
    kind = frame.get("type") if frame is not None else None
    return readable(kind, longest=60) if isinstance(kind, str) else _UNREADABLE
