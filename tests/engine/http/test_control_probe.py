"""The control probe: is the runner's own network fine?"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from kamiyo_verify.http.control_probe import probe
from kamiyo_verify.model.settings import Timeouts
from tests.support.hostile_server import HOSTILE, Server, answer, redirecting, refused_port, saying

TIMEOUTS = Timeouts(connect=2, answer=2, item=5)


@pytest.mark.parametrize("status", ["200 OK", "204 No", "301 Moved", "404 Not Found", "503 Down"])
def test_any_status_shows_that_the_network_is_fine(status: str) -> None:
    with Server(saying(answer(b"", status))) as server:
        result = probe([f"{server.origin}/api/v2/status.json?x=1"], ["kamiyo.ai"], TIMEOUTS)
    assert result.ok
    assert "the network here is fine" in result.message
    assert server.asked[0].startswith(b"GET /api/v2/status.json?x=1 ")


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({}, 0.0),
        ({"Age": "300"}, -300.0),
        ({"Date": "yesterday"}, None),
        ({"Age": "long"}, None),
    ],
)
def test_the_answer_tells_how_far_our_clock_is_off(headers: dict[str, str], ahead: float | None) -> None:
    told = {"Date": format_datetime(datetime.now(UTC), usegmt=True), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    text = f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n{lines}\r\n"
    with Server(saying(text.encode())) as server:
        found = probe([server.origin], [], TIMEOUTS).clock_ahead_s
    assert found == (None if ahead is None else pytest.approx(ahead, abs=5))


def test_an_answer_without_a_date_tells_nothing_of_the_clock() -> None:
    with Server(saying(answer(b""))) as server:
        found = probe([server.origin], [], TIMEOUTS)
    assert found.clock_ahead_s is None
    assert not found.by_name


def test_a_host_that_had_to_be_looked_up_shows_that_names_are_found() -> None:
    with Server(saying(answer(b""))) as server:
        assert probe([f"http://localhost:{server.port}/"], [], TIMEOUTS).by_name


def test_one_that_answers_is_enough() -> None:
    with Server(redirecting("/loop")) as server:
        assert probe([f"http://127.0.0.1:{refused_port()}/", server.origin], [], TIMEOUTS).ok
    assert len(server.asked) == 1


def test_without_an_address_nothing_is_shown() -> None:
    result = probe([], [], TIMEOUTS)
    assert (result.ok, result.message) == (False, "no control address is configured")


def test_an_address_of_ours_proves_nothing() -> None:
    with Server(saying(answer(b""))) as server:
        for own in ("127.0.0.1", f"127.0.0.1:{server.port}"):
            result = probe([server.origin], [own], TIMEOUTS)
            assert not result.ok
            assert "an address of ours" in result.message
        assert server.connections == 0


def test_every_trouble_is_told() -> None:
    with Server(HOSTILE["reset"]) as server:
        urls = [
            server.origin,
            f"http://127.0.0.1:{refused_port()}",
            "http://host.invalid",
            "ftp://x/",
            "http://[",
        ]
        result = probe(urls, [], TIMEOUTS)
    assert not result.ok
    for part in ("reset the connection", "refuses", "does not resolve", "no http(s) address", "unreadable"):
        assert part in result.message


def test_all_together_take_no_longer_than_one_item() -> None:
    with Server(HOSTILE["json-null"]) as server:
        result = probe([server.origin], [], Timeouts(connect=1, answer=1, item=1e-9))
    assert not result.ok
    assert "no time left" in result.message
