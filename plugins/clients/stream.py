"""An open stream of live updates: waiting for a frame, and sending one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from plugins.clients.readable import readable
from plugins.clients.refusals import closed
from plugins.model.outcomes import NoAnswer, NoAnswerKind

LARGEST_FRAME = 1024 * 1024
"""Bytes of one frame; a larger one ends the stream."""

_MOST_SEEN = 50
_LOOK_EVERY_S = 0.2
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of waiting for a frame.

    Attributes:
        received: a frame of the type came in time.
        waited_seconds: until it came, or until the waiting ended.
        seen: the types of the first 50 frames that came meanwhile, in order; "unreadable" for what is no JSON
            object with a type.
        frame: the frame itself, if it came.
    """

    received: bool
    waited_seconds: float
    seen: tuple[str, ...]
    frame: dict[str, Any] | None = field(default=None, repr=False)


class Stream:
    """An open stream. Heartbeats are acknowledged, as the site's own client does.

    Args:
        connection: open.
        shown: its address, for messages.
        secret: the token, which no message may show.
        remaining: seconds that the current item has left.
    """

    def __init__(
        self, connection: ClientConnection, shown: str, secret: str, remaining: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._shown = shown
        self._secret = secret
        self._remaining = remaining

    def wait_for(self, type: str, within_seconds: float) -> Heard:  # noqa: A002 - the frame's own word
        """Wait for the next frame of a type; frames of other types are passed over for good.

        Raises:
            WrongAnswer: the server closed the stream, or broke the protocol.
            NoAnswer: the connection was lost; or nothing came, and the item had fewer seconds left than asked
                for.
        """
        began = time.monotonic()
        allowed = min(within_seconds, self._remaining())
        seen: list[str] = []
        while (left := began + allowed - time.monotonic()) > 0:
            frame = self._next(min(left, _LOOK_EVERY_S))
            if frame is None:
                continue
            kind = frame.get("type")
            if len(seen) < _MOST_SEEN:
                seen.append(readable(kind, longest=60) if isinstance(kind, str) else _UNREADABLE)
            if kind == "heartbeat":
                self.send({"type": "heartbeat_ack"})
            if kind == type:
                return Heard(True, time.monotonic() - began, tuple(seen), frame)  # noqa: FBT003
        if allowed < within_seconds:
            message = (
                f"{self._shown} was listened to for only {max(allowed, 0):.0f} s of {within_seconds:.0f}"
            )
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._shown)
        return Heard(False, time.monotonic() - began, tuple(seen))  # noqa: FBT003

    def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame as JSON.

        Raises:
            WrongAnswer: the server has closed the stream.
            NoAnswer: the connection was lost.
        """
        try:
            self._connection.send(json.dumps(dict(frame)))
        except ConnectionClosed as end:
            raise closed(end, self._shown, self._secret) from None

    def _next(self, within_s: float) -> dict[str, Any] | None:
        """The next frame, an empty one for garbage; None where none came."""
        try:
            data = self._connection.recv(timeout=within_s, decode=False)
        except TimeoutError:
            # A server that broke the protocol and does not hang up leaves `recv` waiting.
            complaint = self._connection.protocol.close_sent
            if complaint is not None:
                raise closed(ConnectionClosed(None, complaint), self._shown, self._secret) from None
            return None
        except ConnectionClosed as end:
            raise closed(end, self._shown, self._secret) from None
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            return {}
        return frame if isinstance(frame, dict) else {}
