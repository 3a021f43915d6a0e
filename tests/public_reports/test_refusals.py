"""WebSockets that do not open, and CORS headers, as people report them.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from kamiyo_platform.api import ApiClient
from kamiyo_platform.realtime import RealtimeClient
from kamiyo_verify.config.environment import Api
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import ImproperAnswer, Refused, ServerBroke, WrongAnswer
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from tests.platform.test_clients import head_of, http
from tests.support.hostile_server import Behaviour, Peer, Server, answer, saying

Report = pytest.param
OUTSIDER = "https://outsider.example"
JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("refusal", "kind", "told"),
    [
        Report(answer(b"", "403 Forbidden"), Refused, "HTTP 403", id="NousResearch/hermes-agent#88607"),
        Report(answer(b"", "403 Forbidden"), Refused, "HTTP 403", id="fastapi/fastapi#572"),
        Report(answer(b"", "401 Unauthorized"), Refused, "HTTP 401", id="Kludex/starlette#1362"),
        Report(
            answer(b'{"detail": "no such board"}', "404 Not Found", JSON),
            WrongAnswer,
            "HTTP 404",
            id="Kludex/starlette#2041",
        ),
        Report(
            answer(b"oops", "500 Internal Server Error"), ServerBroke, "HTTP 500", id="Kludex/uvicorn#811"
        ),
        Report(
            answer(b"", "426 Upgrade Required"),
            ImproperAnswer,
            "may not pass the upgrade",
            id="a proxy between",
        ),
    ],
)
def test_a_websocket_that_does_not_open_is_told_by_its_http_status(
    refusal: bytes, kind: type[Exception], told: str
) -> None:
    """A close before the handshake is HTTP 403 on the wire, whatever code the application chose."""
    key = Credential(name="KEY", value=SecretStr("canary"))
    context = ClientContext.unrecorded(Timeouts(connect=5, answer=5), lambda: 30.0)
    with Server(saying(refusal)) as server:
        client = RealtimeClient(f"ws://127.0.0.1:{server.port}/ws", key, context)
        with pytest.raises(kind, match=told) as caught, client.connect():
            pytest.fail("it opened")
    assert "canary" not in str(caught.value)


def speaking(status: str, *headers: str, echo: bool = False) -> Behaviour:
    def behave(peer: Peer) -> None:
        origin = head_of(peer.hear()).get("origin", "")
        named = [f"Access-Control-Allow-Origin: {origin}"] if echo and origin else []
        peer.say(answer(json.dumps({}).encode(), status, "\r\n".join([JSON, *headers, *named])))

    return behave


def cors(behaviour: Behaviour) -> frozenset[str]:
    with Server(behaviour) as server:
        return ApiClient(Api(), http(server)).cors(OUTSIDER).allowed


CREDENTIALS = "Access-Control-Allow-Credentials: true"


@pytest.mark.parametrize(
    ("behaviour", "allowed"),
    [
        Report(speaking("200 OK", CREDENTIALS, echo=True), {OUTSIDER}, id="agrueneberg/Corser#21"),
        Report(speaking("404 Not Found", CREDENTIALS, echo=True), {OUTSIDER}, id="restify/node-restify#456"),
        Report(speaking("500 Oops", "Access-Control-Allow-Origin: *"), {"*"}, id="expressjs/cors#36"),
        Report(speaking("200 OK", CREDENTIALS), set(), id="Kludex/starlette#2560"),
        Report(speaking("405 Method Not Allowed"), set(), id="ohmage/server#256"),
        Report(
            speaking("200 OK", "Access-Control-Allow-Origin: https://kamiyo.ai"),
            {"https://kamiyo.ai"},
            id="our own alone",
        ),
    ],
)
def test_who_may_read_an_answer_is_who_its_header_names_at_any_status(
    behaviour: Behaviour, allowed: set[str]
) -> None:
    assert cors(behaviour) == allowed
