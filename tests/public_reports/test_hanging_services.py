"""Services that accept a connection and never answer, as people report them.

Each case is named by the public report that it comes from. Two timeouts are enough to know it: every further
request fails at once. A service of which one endpoint hangs is asked on.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import KnownToHang, NoAnswer, NoAnswerKind
from kamiyo_verify.model.settings import Timeouts
from tests.support.hostile_server import Behaviour, Peer, Server, answer

Report = pytest.param
ANSWER_S = 0.1


def hanging(*paths: str) -> Behaviour:
    """Never answer these paths, or any if none is given."""

    def behave(peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1].decode()
        if not paths or path in paths:
            peer.hold()
        else:
            peer.say(answer(b"{}"))

    return behave


def client(server: Server) -> HttpClient:
    context = ClientContext.unrecorded(Timeouts(connect=5, answer=ANSWER_S), lambda: 30.0)
    return HttpClient(server.origin, context)


def timed_out(asked: HttpClient, path: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        asked.get(path)
    assert caught.value.kind is NoAnswerKind.TIMEOUT
    assert not isinstance(caught.value, KnownToHang)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        Report("/api/system/health", "/api/lists", id="Woahai321/list-sync#80"),
        Report("/healthz", "/dashboard", id="diegosouzapw/OmniRoute#10052"),
        Report("/healthz", "/readyz", id="masumi-network/Citadel#105"),
        Report("/", "/StatusPing", id="thirdgen88/ignition-docker#20"),
    ],
)
def test_a_service_that_hung_twice_is_not_asked_a_third_time(first: str, then: str) -> None:
    with Server(hanging()) as server:
        asked = client(server)
        timed_out(asked, first)
        timed_out(asked, then)
        for path in (first, then, "/anything"):
            with pytest.raises(KnownToHang, match="twice; it was not asked again"):
                asked.get(path)
    assert len(server.asked) == 2


def test_one_endpoint_that_hangs_beside_others_that_answer_is_no_hang_of_the_service() -> None:
    """dukecon/dukecon_server#80: /health never answers, and the other endpoints do."""
    with Server(hanging("/health")) as server:
        asked = client(server)
        patient = HttpClient(server.origin, replace(asked.context, timeouts=Timeouts(connect=5, answer=5)))
        for _ in range(3):
            timed_out(asked, "/health")
            assert patient.get("/rest/conferences").status == 200
