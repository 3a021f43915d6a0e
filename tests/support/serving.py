"""An ASGI app on a free port, in a thread of its own, with everything that went over the wire kept."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.contract.validator import Seen


@dataclass
class Wire:
    """An app, and what it was asked and said."""

    app: ASGIApp
    seen: list[Seen] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked, said, head = bytearray(), bytearray(), dict[str, str]()
        status = 0

        async def listen() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        answer: list[Message] = []

        async def speak(message: Message) -> None:
            nonlocal status
            answer.append(message)
            if message["type"] == "http.response.start":
                status = message["status"]
                head.update((name.decode().lower(), value.decode()) for name, value in message["headers"])
            said.extend(message.get("body", b""))

        await self.app(scope, listen, speak)
        query = scope["query_string"].decode()
        self.seen.append(
            Seen(
                method=scope["method"],
                target=scope["raw_path"].decode() + (f"?{query}" if query else ""),
                status=status,
                request_headers={name.decode(): value.decode() for name, value in scope["headers"]},
                request_body=bytes(asked),
                answer_headers=head,
                answer_body=bytes(said),
            )
        )
        for message in answer:  # only now, so that whoever has the answer finds it kept
            await send(message)


@contextmanager
def serving(app: ASGIApp, protocol: type[asyncio.Protocol] | Literal["auto"] = "auto") -> Iterator[str]:
    """Serve it; gives the origin."""
    # asyncio sets TCP_NODELAY where the protocol is named; without it a kept connection answers 40 ms late
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http=protocol, log_config=None, access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()
