"""Endpoints that answer HEAD otherwise than GET, as people report them: no request of ours is a HEAD.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import probe
from kamiyo_verify.http.timing import TimingClient
from kamiyo_verify.model.settings import Timeouts
from tests.platform.test_clients import http
from tests.support.hostile_server import Behaviour, Peer, Server, answer

Report = pytest.param
TIMEOUTS = Timeouts(connect=2, answer=2, item=5)


def well_but_for_head(status: str) -> Behaviour:
    def behave(peer: Peer) -> None:
        head = peer.hear().startswith(b"HEAD ")
        peer.say(answer(b"", status) if head else answer(b'{"status": "ok"}'))

    return behave


@pytest.mark.parametrize(
    "status",
    [
        Report("405 Method Not Allowed", id="alibaizhanov/mengram#83"),
        Report("405 Method Not Allowed", id="btcpayserver/btcpayserver-docker#910"),
        Report("404 Not Found", id="saml7n/parbaked#564"),
        Report("404 Not Found", id="punkpeye/fastmcp#275"),
        Report("501 Not Implemented", id="kind: a server that knows GET alone"),
    ],
)
def test_how_an_endpoint_answers_head_is_never_seen(status: str) -> None:
    context = ClientContext.unrecorded(TIMEOUTS, lambda: 5.0)
    with Server(well_but_for_head(status)) as server:
        assert http(server).get("/health").ok
        assert http(server).get_once("/health").ok
        assert TimingClient(context).breakdown(f"{server.origin}/health").status == 200
        assert probe([server.origin], (), TIMEOUTS).ok
    assert server.asked
    assert not [one for one in server.asked if one.startswith(b"HEAD ")]
