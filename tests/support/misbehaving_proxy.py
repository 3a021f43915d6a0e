"""A proxy before one service of the sandbox that breaks what passes through it, by count and never by chance.

It speaks HTTP/1.1, one request a connection, and lets WebSockets pass. To both sides it is the other one: its
own address stands in place of the service's in everything that it hands on, and the reverse.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

_LARGEST = 16 * 1024 * 1024


class Fate(Enum):
    """What becomes of a request."""

    PASS = auto()
    SILENT = auto()
    """The connection stays open, nothing comes; it is closed when the silence ends."""
    REFUSE = auto()
    """The connection is closed without a word."""
    RESET = auto()
    """The connection is reset in the middle of the answer."""
    SLOW = auto()
    """It passes later, by the rule's `delay_s`."""
    DRIP = auto()
    """The answer comes byte by byte, four a second."""
    STATUS = auto()
    """Another answer comes in its place."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in place of the service's."""

    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Rule:
    """Breaks some requests.

    Attributes:
        fate: of those that it breaks.
        path: only requests whose path begins so.
        method: only requests of that method; "" for all.
        every: breaks the first one of so many to that path; 1 breaks all.
        also: breaks these others of every `every`, counted from 0.
        after: lets so many requests to that path pass before.
        most: breaks no more than so many.
        seconds: ends so long after its first broken request.
        reply: for STATUS.
        delay_s: for SLOW.
        upgrades: WebSockets alone, or None for everything.
    """

    fate: Fate
    path: str = "/"
    method: str = ""
    every: int = 1
    also: frozenset[int] = frozenset()
    after: int = 0
    most: float = math.inf
    seconds: float = math.inf
    reply: Reply = Reply()
    delay_s: float = 0.0
    began: float | None = None
    seen: int = 0
    broken: int = 0

    def takes(self, method: str, path: str, now: float) -> bool:
        """Whether it breaks this request."""
        if not path.startswith(self.path) or self.method not in {"", method}:
            return False
        number = self.seen - self.after
        self.seen += 1
        if number < 0 or (number % self.every and number % self.every not in self.also):
            return False
        if self.broken >= self.most or (self.began is not None and now >= self.began + self.seconds):
            return False
        self.began = now if self.began is None else self.began
        self.broken += 1
        return True

    def left(self, now: float) -> float:
        """Seconds until it ends."""
        return math.inf if self.began is None else max(0.0, self.began + self.seconds - now)


@dataclass
class MisbehavingProxy:
    """A running one.

    Attributes:
        url: where it listens.
        rules: the first that takes a request decides.
        paths: how many requests came to each path.
        broken_at: when requests were broken, by `time.time()`.
        beside: proxies of other services, which are named in what passes here.
    """

    upstream: str
    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    paths: Counter[str] = field(default_factory=Counter)
    broken_at: list[float] = field(default_factory=list)
    beside: list[MisbehavingProxy] = field(default_factory=list)

    def breaks(self, fate: Fate, **how: object) -> Rule:
        """Add a rule."""
        rule = Rule(fate, **how)  # type: ignore[arg-type]
        self.rules.append(rule)
        return rule

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            try:
                await self._request(reader, writer)
            finally:
                writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target = (part.decode("latin-1") for part in head.split(b" ", 2)[:2])
        path = target.partition("?")[0]
        self.paths[path] += 1
        rule = next((rule for rule in self.rules if rule.takes(method, path, time.monotonic())), None)
        if rule is not None:
            self.broken_at.append(time.time())
        match rule.fate if rule else Fate.PASS:
            case Fate.SILENT if rule is not None:
                await self._hold(rule, reader)
            case Fate.STATUS if rule is not None:
                writer.write(_reply(rule.reply))
                await writer.drain()
            case Fate.SLOW if rule is not None:
                await asyncio.sleep(rule.delay_s)
                await self._pass(head, reader, writer)
            case Fate.REFUSE:
                return
            case Fate.RESET:
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
                )
                await writer.drain()
                writer.transport.abort()
            case Fate.DRIP:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
                while not writer.is_closing():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.25)
            case _:
                await self._pass(head, reader, writer)

    async def _hold(self, rule: Rule, reader: asyncio.StreamReader) -> None:
        """Say nothing until the silence ends, or the client goes."""
        left = rule.left(time.monotonic())
        with contextlib.suppress(TimeoutError):
            while await asyncio.wait_for(reader.read(65536), None if math.isinf(left) else left):
                left = rule.left(time.monotonic())

    async def _pass(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.upstream)
        up, down = await asyncio.open_connection(parts.hostname, parts.port, limit=_LARGEST)
        try:
            names = head.lower()
            if b"\r\nupgrade: websocket" in names:
                down.write(self._inwards(head))
                await asyncio.gather(_pipe(reader, down), _pipe(up, writer))
                return
            lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
            length = next(
                (
                    int(line.partition(b":")[2])
                    for line in lines
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            body = await reader.readexactly(length)
            down.write(self._inwards(b"\r\n".join([*lines, b"connection: close", b"", b""]) + body))
            answer = await up.read(-1)
            writer.write(self._outwards(answer))
            await writer.drain()
        finally:
            down.close()

    def _inwards(self, data: bytes) -> bytes:
        for proxy in (self, *self.beside):
            data = data.replace(_host(proxy.url), _host(proxy.upstream))
        return data

    def _outwards(self, data: bytes) -> bytes:
        for proxy in (self, *self.beside):
            data = data.replace(_host(proxy.upstream), _host(proxy.url))
        return data


def _host(url: str) -> bytes:
    return urlsplit(url).netloc.encode()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


def _reply(reply: Reply) -> bytes:
    body = b'{"detail": "broken by the proxy"}'
    head = [
        f"HTTP/1.1 {reply.status} Broken",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


@contextmanager
def misbehaving(upstream: str, host: str = "127.0.0.1") -> Iterator[MisbehavingProxy]:
    """A proxy before that address, for the length of the block; it breaks nothing until it is told to."""
    proxy = MisbehavingProxy(upstream)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(make: Callable[[], object]) -> object:
        return asyncio.run_coroutine_threadsafe(make(), loop).result(10)  # type: ignore[arg-type]

    async def listen() -> asyncio.Server:
        server = await asyncio.start_server(proxy.serve, host, 0, limit=_LARGEST)
        proxy.url = f"http://{host}:{server.sockets[0].getsockname()[1]}"
        return server

    async def end() -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = run(listen)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(server.close)  # type: ignore[attr-defined]
        run(end)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
