"""Attacks on the receiver's connections: whoever holds them open keeps no signed delivery out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest

from kamiyo_verify.webhook.app import create_app
from kamiyo_verify.webhook.connections import Limits, bounded
from kamiyo_verify.webhook.door import Door
from kamiyo_verify.webhook.memory import Memory, Waiting
from tests.engine.webhook.test_receiver import SECRET, payload, signed
from tests.support.sandbox_process import request, wait_until
from tests.support.serving import serving
from tests.support.stopwatch import Stopwatch

LIMITS = Limits(at_once=8, per_address=0, head_s=0.5, whole_s=2.0)
HEAD = b"POST /render HTTP/1.1\r\nHost: a\r\n"
HALF_OPEN = {
    "silent": b"",
    "half a request line": b"POST /ren",
    "half a head": HEAD + b"X-A: b\r\n",
    "a head without its end": HEAD + b"Content-Length: 10\r\n",
    "half a body": HEAD + b"Content-Length: 1000\r\n\r\nabc",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\nabc",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@contextmanager
def receiving(limits: Limits) -> Iterator[tuple[str, list[Waiting]]]:
    taken: list[Waiting] = []
    app = create_app(
        Door((SECRET,), "deploy_ended"),
        Memory(None, time.time),
        services={"srv-api"},
        take=taken.append,
        say=lambda _: None,
    )
    with serving(app, bounded(limits)) as origin:
        yield origin, taken


def connect(origin: str, source: str = "127.0.0.1") -> socket.socket:
    address = urlsplit(origin)
    assert address.hostname
    assert address.port
    return socket.create_connection((address.hostname, address.port), 5, source_address=(source, 0))


def deliver(origin: str, number: str = "msg_1") -> int:
    body, headers = signed(payload(), number)
    return request("POST", f"{origin}/render", content=body, headers=headers).status_code


def accepted(origin: str) -> bool:
    """A delivery is taken, now or at a try before whose answer was lost."""
    try:
        return deliver(origin) in {200, 202}
    except httpx2.TransportError:
        return False


def ended(connection: socket.socket) -> bool:
    """The other side has closed it."""
    connection.settimeout(0.01)
    try:
        return connection.recv(65_536) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", HALF_OPEN)
@pytest.mark.parametrize("per_address", [0, 4])
def test_eighty_half_open_connections_keep_no_delivery_out(sent: str, per_address: int) -> None:
    limits = Limits(at_once=8, per_address=per_address, head_s=30, whole_s=30)
    with receiving(limits) as (origin, taken), ExitStack() as stack:
        bodies = "body" in sent or "chunk" in sent
        for _ in range(80):
            connection = stack.enter_context(closing(connect(origin)))
            connection.sendall(HALF_OPEN[sent])
            if bodies:
                break
        watch = Stopwatch()
        assert deliver(origin) == 202
        assert watch.seconds < 5
        assert len(taken) == 1


@pytest.mark.parametrize("sent", [name for name in HALF_OPEN if name != "a TLS hello"])
def test_a_half_open_connection_ends_in_time(sent: str) -> None:
    with receiving(LIMITS) as (origin, _), closing(connect(origin)) as connection:
        connection.sendall(HALF_OPEN[sent])
        watch = Stopwatch()
        wait_until(lambda: ended(connection), within_s=10)
        assert watch.seconds < LIMITS.whole_s + 3


@pytest.mark.parametrize(
    "start", [b"P", HEAD, HEAD + b"Content-Length: 60000\r\n\r\n"], ids=["line", "head", "body"]
)
def test_a_byte_now_and_then_gives_no_more_time(start: bytes) -> None:
    with receiving(LIMITS) as (origin, _), closing(connect(origin)) as connection:
        connection.sendall(start)
        watch = Stopwatch()

        def dripped() -> bool:
            try:
                connection.send(b"x")
            except OSError:
                return True
            return ended(connection)

        wait_until(dripped, within_s=10)
        assert watch.seconds < LIMITS.whole_s + 3


def test_slow_bodies_from_elsewhere_leave_an_address_its_places() -> None:
    """Bodies that take their time hold a place each until they are refused; no address has all of them."""
    limits = Limits(at_once=8, per_address=4, head_s=30, whole_s=30)
    with receiving(limits) as (origin, taken), ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(closing(connect(origin, "127.0.0.2")))
            connection.sendall(HALF_OPEN["half a body"])
        watch = Stopwatch()
        assert deliver(origin) == 202
        assert watch.seconds < 4
        assert len(taken) == 1


def test_places_taken_by_slow_bodies_are_free_again() -> None:
    limits = Limits(at_once=4, per_address=0, head_s=0.5, whole_s=1.5)
    with receiving(limits) as (origin, taken), ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(closing(connect(origin))).sendall(HALF_OPEN["half a body"])
        wait_until(lambda: accepted(origin), within_s=10)
        assert len(taken) == 1


def test_reading_no_answer_holds_no_place() -> None:
    with receiving(LIMITS) as (origin, taken), ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(closing(connect(origin))).sendall(
                b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 50
            )
        wait_until(lambda: accepted(origin), within_s=10)
        assert taken


def test_places_are_counted_back_to_none() -> None:
    protocol = bounded(LIMITS)
    app = create_app(
        Door((SECRET,), "deploy_ended"),
        Memory(None, time.time),
        services=(),
        take=lambda _: None,
        say=lambda _: None,
    )
    with serving(app, protocol) as origin:
        for number in range(30):
            with closing(connect(origin)) as connection:
                connection.sendall(HALF_OPEN["half a head"] if number % 2 else b"")
        assert deliver(origin) == 200
        wait_until(lambda: not protocol.open.connections)
        assert protocol.open.by_address == {}


def test_a_signature_is_checked_as_before() -> None:
    with receiving(LIMITS) as (origin, taken):
        body, headers = signed(payload(), secret="whsec_" + "b3RoZXJvdGhlcm90aGVyb3RoZXI=")
        assert request("POST", f"{origin}/render", content=body, headers=headers).status_code == 401
        assert taken == []
