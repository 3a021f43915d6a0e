"""WebSocket closes of instances that restart or drain, as people report them.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import re

import pytest
from websockets.sync.server import ServerConnection

from kamiyo_verify.model.outcomes import StreamClosed
from tests.platform.test_realtime import client, frame, platform

Report = pytest.param


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        Report(1001, "CloudFlare WebSocket proxy restarting", id="websocket-client/websocket-client#873"),
        Report(1001, "", id="coinbase/coinbase-advanced-py#63"),
        Report(1001, "", id="cachix/cachix#461"),
        Report(1012, "", id="NousResearch/hermes-agent#95951"),
        Report(1012, "Service restart", id="ColeMurray/background-agents#1795"),
        Report(1012, "", id="markusylisiurunen/tau#216"),
        Report(1013, "Try again later", id="theturtle32/WebSocket-Node#292"),
    ],
)
def test_a_close_of_an_instance_that_restarts_is_told_as_such(code: int, reason: str) -> None:
    """The next connection reaches the instance that took over: it is opened again."""
    with (
        platform(lambda line: line.close(code, reason)) as url,
        client(url).connect() as stream,
        pytest.raises(StreamClosed, match=re.escape(f"closed with {code} (")) as caught,
    ):
        stream.wait_for("heartbeat", within_seconds=5)
    assert (caught.value.code, caught.value.draining) == (code, True)


def test_the_stream_that_is_opened_after_a_restart_is_well() -> None:
    """coinbase/coinbase-advanced-py#140: the first one is closed with 1001, and the next one is served."""
    served: list[ServerConnection] = []

    def handler(line: ServerConnection) -> None:
        served.append(line)
        if len(served) == 1:
            line.close(1001)
            return
        line.send(frame("heartbeat"))
        list(line)

    with platform(handler) as url:
        stream_client = client(url)
        with stream_client.connect() as first, pytest.raises(StreamClosed):
            first.wait_for("heartbeat", within_seconds=5)
        with stream_client.connect() as second:
            assert second.wait_for("heartbeat", within_seconds=5).received


@pytest.mark.parametrize(
    "code",
    [
        Report(1011, id="awsl-project/maxx#755"),
        Report(1000, id="ColeMurray/background-agents#1795, an ordinary close"),
    ],
)
def test_a_close_for_another_reason_is_no_restart(code: int) -> None:
    with (
        platform(lambda line: line.close(code)) as url,
        client(url).connect() as stream,
        pytest.raises(StreamClosed) as caught,
    ):
        stream.wait_for("heartbeat", within_seconds=5)
    assert not caught.value.draining
