"""Open a WebSocket once, to choose the check of it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import NoAnswer, WrongAnswer
from kamiyo_verify.model.settings import Timeouts

_FIRST_FRAME_S = 3.0


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a WebSocket did when it was opened without a credential.

    Attributes:
        service: the service that it belongs to.
        path: its path.
        problem: why it did not open, or did not stay open; "" if it did.
        greets: whether a frame came by itself.
        type: the "type" of that frame; "" if it has none.
    """

    service: str
    path: str
    problem: str = ""
    greets: bool = False
    type: str = ""


def greeting_of(service: str, origin: str, path: str) -> Greeting:
    """Open the WebSocket and wait three seconds for its first frame; nothing is sent."""
    until = monotonic() + Timeouts().answer + _FIRST_FRAME_S
    http = HttpClient(origin, ClientContext.unrecorded(Timeouts(), lambda: until - monotonic()))
    try:
        with ServiceClient.reading(http, None).websocket(path).connect() as stream:
            first = stream.first(_FIRST_FRAME_S)
    except (NoAnswer, WrongAnswer) as why:
        return Greeting(service, path, problem=str(why))
    finally:
        http.close()
    kind = first.frame.get("type") if first.frame else None
    return Greeting(service, path, greets=first.received, type=kind if isinstance(kind, str) else "")
