"""Live updates: `/ws`, its streams, and the server-wide clock that sends heartbeats to all of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox import exploits
from sandbox.callers import WITH_LIVE_UPDATES, Callers, Tier
from sandbox.platform import Platform

_UNKNOWN_KEY = 4001
_TIER_TOO_LOW = 4003
_NEWS_EVERY = 5  # heartbeats


@dataclass(eq=False, slots=True)
class Stream:
    """One client: its connection, its tier, and its filters for exploits."""

    socket: WebSocket
    tier: Tier
    filters: dict[str, Any] = field(default_factory=dict)

    async def tell(self, kind: str, **content: object) -> None:
        """Send a frame; the client's receiving loop detects a closed connection."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self.socket.send_json({"type": kind, **content, "timestamp": datetime.now(UTC).isoformat()})

    async def tell_status(self, message: str) -> None:
        """Send a status frame, which also answers `update_filters`."""
        await self.tell("status", data={"message": message, "tier": self.tier.value, "filters": self.filters})

    def wants(self, exploit: dict[str, Any]) -> bool:
        """Whether an exploit passes the client's filters."""
        chains = self.filters.get("chains")
        least = self.filters.get("min_amount")
        return (not chains or exploit["chain"] in chains) and (
            not least or (exploit["amount_usd"] or 0) >= least
        )


class Realtime:
    """All open streams."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._callers = Callers(platform)
        self._streams: set[Stream] = set()

    async def connect(self, socket: WebSocket) -> None:
        """Serve one client until it leaves."""
        tier = self._callers.of_token(socket.query_params.get("token", ""))
        if tier is None:
            await socket.close(_UNKNOWN_KEY)
            return
        if tier not in WITH_LIVE_UPDATES or "websocket-refused" in self._platform.faults:
            await socket.close(_TIER_TOO_LOW)
            return
        await socket.accept()
        stream = Stream(socket, tier)
        self._streams.add(stream)
        try:
            await stream.tell_status("Connected to the live exploit feed")
            while True:
                await self._handle(stream, await socket.receive_text())
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame, which nothing here sends
            pass
        finally:
            self._streams.discard(stream)

    async def beat(self) -> None:
        """Send heartbeats until it is cancelled."""
        beats = 0
        while True:
            await asyncio.sleep(self._platform.heartbeat_s)
            if "websocket-silent" in self._platform.faults:
                continue
            beats += 1
            for stream in tuple(self._streams):
                await stream.tell("heartbeat")
            if self._streams and beats % _NEWS_EVERY == 0:
                await self._tell_news()

    async def _tell_news(self) -> None:
        with contextlib.suppress(psycopg.OperationalError):
            exploit = await exploits.newest(self._platform)
            for stream in tuple(self._streams):
                if exploit and stream.wants(exploit):
                    await stream.tell("exploit", data=exploit)

    async def _handle(self, stream: Stream, text: str) -> None:
        """Handle `update_filters`; `heartbeat_ack` and unknown frames get no answer."""
        try:
            frame = json.loads(text)
        except ValueError:
            return
        if not isinstance(frame, dict) or frame.get("type") != "update_filters":
            return
        if "subscribe-broken" in self._platform.faults:
            return
        stream.filters = _filters(frame.get("data"))
        await stream.tell_status("Filters updated")


def _filters(data: object) -> dict[str, Any]:
    """Return the valid filters, whatever a client sends."""
    asked = data if isinstance(data, dict) else {}
    kept: dict[str, Any] = {}
    if isinstance(chains := asked.get("chains"), list):
        kept["chains"] = [chain for chain in chains if isinstance(chain, str)]
    if isinstance(least := asked.get("min_amount"), int | float):
        kept["min_amount"] = least
    return kept
