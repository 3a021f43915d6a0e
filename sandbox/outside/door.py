"""Authentication of every external system."""

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
    """Accept requests with the header `Authorization: <prefix><credential>`, and refuse others.

    Args:
        prefix: such as "Bearer ".
        credential: the valid credential.
        refusal: builds the 401 from the credential that was sent, "" if none was.
        headers: returns headers for every other response, such as those of the rate limit.
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
