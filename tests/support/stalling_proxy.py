"""A TCP proxy that can stop in the middle: it keeps its connections, reads on, and answers nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stalling:
    """A running proxy.

    Attributes:
        port: of 127.0.0.1.
        stalled: once set, nothing passes any more.
        when_sent: it stalls before it hands on what contains this.
    """

    port: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)
    when_sent: bytes = b""


@contextmanager
def stalling(port: int) -> Iterator[Stalling]:
    """Stand before a port of 127.0.0.1."""
    proxy = Stalling()
    ready, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, inwards: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if inwards and proxy.when_sent and proxy.when_sent in data:
                    proxy.stalled.set()
                if not proxy.stalled.is_set():
                    writer.write(data)
                    await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(pump(reader, ours, inwards=True), pump(theirs, writer, inwards=False))
        finally:
            writer.transport.abort()
            ours.transport.abort()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        server.close()

    # `run` cancels at its end whatever still waits for a side that says nothing.
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join()
