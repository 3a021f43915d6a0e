"""The door of every outside system: nobody gets in without the credential."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response


def door(
    prefix: str, credential: str, refusal: Callable[[str], Response], headers: Callable[[], Mapping[str, str]]
) -> Middleware:
    """Let in whoever sends `Authorization: <prefix><credential>`.

    Args:
        prefix: such as "Bearer ".
        credential: the good one.
        refusal: makes the 401 from what was sent instead, "" where nothing was.
        headers: of every other answer, such as those of the rate limit.
    """

    async def keep(request: Request, answer: RequestResponseEndpoint) -> Response:
        sent = request.headers.get("authorization", "")
        given = sent.removeprefix(prefix) if sent.startswith(prefix) else ""
        if not hmac.compare_digest(given.encode(), credential.encode()):
            return refusal(given)
        answered = await answer(request)
        answered.headers.update(headers())
        return answered

    return Middleware(BaseHTTPMiddleware, dispatch=keep)
