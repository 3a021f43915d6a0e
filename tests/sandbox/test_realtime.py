"""The sandbox's live updates behave as the real platform's do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sandbox.callers import Tier
from sandbox.platform import Secrets
from tests.support.sandbox_process import Sandbox, started

BEAT_S = 0.4


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started("--heartbeat", str(BEAT_S)) as running:
        yield running


@contextmanager
def stream(sandbox: Sandbox, token: str | None = None) -> Iterator[ClientConnection]:
    key = sandbox.secret("API_KEY") if token is None else token
    url = f"ws{sandbox.api.removeprefix('http')}/ws?token={key}"
    with connect(url, proxy=None, open_timeout=20) as connection:
        yield connection


def hear(connection: ClientConnection, kind: str, within_s: float = 20) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while True:
        frame: dict[str, Any] = json.loads(connection.recv(timeout=deadline - time.monotonic()))
        if frame["type"] == kind:
            return frame


def status_of_refusal(sandbox: Sandbox, token: str) -> int:
    with pytest.raises(InvalidStatus) as refused, stream(sandbox, token):
        pass
    return refused.value.response.status_code


def test_the_first_frame_is_the_status(sandbox: Sandbox) -> None:
    with stream(sandbox) as connection:
        frame = json.loads(connection.recv(timeout=20))
    assert frame["type"] == "status"
    assert set(frame["data"]) == {"message", "tier", "filters"}
    assert frame["data"]["tier"] == "enterprise"
    assert "timestamp" in frame


def test_all_hear_the_same_clock(sandbox: Sandbox) -> None:
    with stream(sandbox) as one, stream(sandbox) as other:
        beats = hear(one, "heartbeat"), hear(other, "heartbeat")
        again = hear(one, "heartbeat"), hear(other, "heartbeat")
    assert all(set(beat) == {"type", "timestamp"} for beat in (*beats, *again))


def test_acknowledging_and_nonsense_do_no_harm(sandbox: Sandbox) -> None:
    with stream(sandbox) as connection:
        for frame in ('{"type":"heartbeat_ack"}', "not json", "[]", '{"type":"dance"}', '{"type":1}'):
            connection.send(frame)
        hear(connection, "heartbeat")


def test_new_filters_are_confirmed_at_once(sandbox: Sandbox) -> None:
    filters = {"chains": ["Ethereum"], "min_amount": 1000}
    with stream(sandbox) as connection:
        hear(connection, "status")
        connection.send(json.dumps({"type": "update_filters", "data": filters}))
        assert hear(connection, "status")["data"]["filters"] == filters


def test_news_come_now_and_then(sandbox: Sandbox) -> None:
    with stream(sandbox) as connection:
        assert {"tx_hash", "chain", "protocol"} <= set(hear(connection, "exploit")["data"])


@pytest.mark.parametrize("tier", [Tier.PRO, Tier.TEAM])
def test_a_tier_with_live_updates_is_let_in(sandbox: Sandbox, tier: Tier) -> None:
    with stream(sandbox, Secrets(api_key=sandbox.secret("API_KEY")).tier_key(tier)) as connection:
        assert hear(connection, "status")["data"]["tier"] == tier


def test_others_are_refused_before_the_connection_stands(sandbox: Sandbox) -> None:
    free = Secrets(api_key=sandbox.secret("API_KEY")).tier_key(Tier.FREE)
    assert [status_of_refusal(sandbox, token) for token in ("", "km_nobody", free)] == [403, 403, 403]


def test_refused_by_fault(sandbox: Sandbox) -> None:
    with sandbox.fault("websocket-refused"):
        assert status_of_refusal(sandbox, sandbox.secret("API_KEY")) == 403
    with stream(sandbox) as connection:
        hear(connection, "status")


def test_silent_by_fault(sandbox: Sandbox) -> None:
    with stream(sandbox) as connection:
        with sandbox.fault("websocket-silent"):
            connection.send('{"type":"update_filters"}')
            hear(connection, "status")
            with pytest.raises(TimeoutError):
                hear(connection, "heartbeat", within_s=3 * BEAT_S)
        hear(connection, "heartbeat")


def test_deaf_by_fault(sandbox: Sandbox) -> None:
    with stream(sandbox) as connection:
        hear(connection, "status")
        with sandbox.fault("subscribe-broken"):
            connection.send('{"type":"update_filters"}')
            frames = [json.loads(connection.recv(timeout=20))["type"] for _ in range(3)]
            assert "status" not in frames
        connection.send('{"type":"update_filters"}')
        hear(connection, "status")


@pytest.mark.parametrize(("fault", "status"), [("api-errors", 500), ("rate-limited", 429)])
def test_faults_of_the_whole_api_meet_streams_too(sandbox: Sandbox, fault: str, status: int) -> None:
    with sandbox.fault(fault):
        assert status_of_refusal(sandbox, sandbox.secret("API_KEY")) == status
