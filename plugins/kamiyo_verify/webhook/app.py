"""HTTP application of the receiver: limits each request, and acts only on signed deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kamiyo_verify.webhook.door import TOLERANCE_S, Door, NotAdmitted, NotUnderstood
from kamiyo_verify.webhook.memory import Full, Memory, Waiting
from kamiyo_verify.webhook.worker import WANTED

PATH = "/render"

_LARGEST_BODY = 64 * 1024
_BODY_WITHIN_S = 5.0
_KEPT_S = 2 * TOLERANCE_S + 60
"""Seconds; a delivery may be dated ahead by the tolerance, and is accepted that long after its date."""


class _TooLarge(Exception):
    pass


def create_app(
    door: Door,
    memory: Memory,
    *,
    services: Collection[str],
    take: Callable[[Waiting], None],
    say: Callable[[str], None],
) -> Starlette:
    """Create the application.

    Args:
        door: verifies deliveries.
        memory: stores accepted deliveries.
        services: the ids of the services to verify.
        take: receives each accepted event once.
        say: receives a line about each refused delivery.
    """

    async def receive(request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request), _BODY_WITHIN_S)
            delivery = door.read(body, request.headers)
        except _TooLarge:
            return _response(413, f"at most {_LARGEST_BODY} bytes")
        except TimeoutError:
            return _response(408, "the body took too long")
        except ClientDisconnect:
            return Response(status_code=400)
        except NotAdmitted as why:
            say(f"refused a delivery: {why}")
            return _response(401, str(why))
        except NotUnderstood as why:
            say(f"refused a signed delivery: {why}")
            return _response(400, str(why))
        if delivery.type != WANTED or delivery.service not in services:
            return _response(200, "not of interest")
        waiting = Waiting(delivery=delivery.id, event=delivery.event, service=delivery.service)
        try:
            new = await run_in_threadpool(memory.accept, waiting, _KEPT_S)
        except Full:
            say("refused a delivery: too many are remembered")
            return _response(503, "too many deliveries")
        except OSError as error:
            say(f"refused a delivery: the state cannot be written: {error.strerror}")
            return _response(503, "try again")
        if not new:
            return _response(200, "known already")
        take(waiting)
        return _response(202, "accepted")

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "waiting": len(memory.waiting())})

    return Starlette(routes=[Route(PATH, receive, methods=["POST"]), Route("/health", health)])


async def _body(request: Request) -> bytes:
    """Read the body up to the size limit; refuse a larger or invalid content-length without reading."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or len(announced) > 12 or int(announced) > _LARGEST_BODY:
        raise _TooLarge
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_BODY:
            raise _TooLarge
    return bytes(body)


def _response(status: int, what: str) -> Response:
    return JSONResponse({"detail": what}, status)
