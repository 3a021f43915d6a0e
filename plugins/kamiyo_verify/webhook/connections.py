"""Connections of the receiver: limited in number and in time, so that idle ones do not block others.

uvicorn waits for a request's head without limit. Here every connection has a deadline for its head and one
for its lifetime. At the limit, the oldest connection without a complete head is closed.
Source of the attack: RSnake's Slowloris; OWASP, "Denial of Service Cheat Sheet".
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the connections.

    Attributes:
        at_once: most open connections.
        per_address: most open connections of one address; 0 for no limit, if all come through one proxy.
        head_s: seconds from opening the connection to the end of the request's head.
        whole_s: seconds from opening the connection to closing it.
    """

    at_once: int = 64
    per_address: int = 16
    head_s: float = 5.0
    whole_s: float = 15.0


@dataclass(slots=True)
class _Open:
    """The open connections, oldest first."""

    connections: dict[Connection, None] = field(default_factory=dict)
    by_address: Counter[str] = field(default_factory=Counter)


class Connection(H11Protocol):
    """One connection; `bounded` creates a subclass with limits."""

    limits: Limits
    open: _Open
    _address = ""
    _head_by: asyncio.TimerHandle | None = None
    _whole_by: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection, or close it if the limit is reached."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._address = self.client[0] if self.client else ""
        if not self._has_room():
            self.transport.abort()
            return
        self.open.connections[self] = None
        self.open.by_address[self._address] += 1
        self._head_by = self.loop.call_later(self.limits.head_s, self._end_without_head)
        self._whole_by = self.loop.call_later(self.limits.whole_s, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read data; a complete head ends the head's deadline."""
        super().data_received(data)
        if self._has_head and self._head_by is not None:
            self._head_by.cancel()
            self._head_by = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Unregister the connection."""
        self._give_place_back()
        super().connection_lost(exc)

    def make_room(self) -> bool:
        """Close this connection if its request has no complete head; return whether it was closed."""
        if self._has_head:
            return False
        self._give_place_back()
        self.transport.abort()
        return True

    @property
    def _has_head(self) -> bool:
        return bool(self.cycle)

    def _give_place_back(self) -> None:
        for timer in (self._head_by, self._whole_by):
            if timer is not None:
                timer.cancel()
        self._head_by = self._whole_by = None
        if self in self.open.connections:
            del self.open.connections[self]
            self.open.by_address -= Counter((self._address,))

    def _has_room(self) -> bool:
        limits = self.limits
        if limits.per_address and self.open.by_address[self._address] >= limits.per_address:
            mine = [other for other in self.open.connections if other._address == self._address]
            if not any(other.make_room() for other in mine):
                return False
        everyone = [*self.open.connections]
        return len(everyone) < limits.at_once or any(other.make_room() for other in everyone)

    def _end_without_head(self) -> None:
        self._head_by = None
        if not self._has_head:
            self.transport.abort()


def bounded(limits: Limits) -> type[Connection]:
    """Return a protocol class for uvicorn with these limits."""
    return type("BoundedConnection", (Connection,), {"limits": limits, "open": _Open()})
