"""Live updates: what opens, what is refused, what is heard, and what never hangs."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from websockets.frames import Close, Frame, Opcode
from websockets.sync.server import ServerConnection, serve

from kamiyo_platform.realtime import RealtimeClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Refused, StreamClosed, WrongAnswer
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from tests.support.hostile_server import HOSTILE, STREAMS, Peer, Server, answer, saying
from tests.support.stopwatch import Stopwatch

TOKEN = "km_canary/+token"
Handler = Callable[[ServerConnection], None]


def client(
    url: str, exchanges: list[Exchange] | None = None, remaining: Callable[[], float] = lambda: 30.0
) -> RealtimeClient:
    record: list[Exchange] = [] if exchanges is None else exchanges
    return RealtimeClient(
        url,
        Credential(name="KEY", value=SecretStr(TOKEN)),
        ClientContext(Timeouts(connect=5, answer=5), record.append, remaining),
    )


@contextmanager
def platform(handler: Handler) -> Iterator[str]:
    """A WebSocket server that serves each client by the handler; its address."""
    with serve(handler, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws"
        server.shutdown()
        thread.join()


def frame(kind: object, **more: object) -> str:
    return json.dumps({"type": kind, **more})


def test_a_server_that_pings_without_end_and_reads_nothing_is_left_in_time() -> None:
    """The answers to its pings fill the buffers; neither `wait_for` nor closing may wait for that."""
    with Server(STREAMS["stream-pings"]) as server:
        watch = Stopwatch()
        url = server.origin.replace("http", "ws", 1) + "/ws"
        with pytest.raises(NoAnswer, match="reads nothing"), client(url).connect() as stream:
            stream.wait_for("status", within_seconds=200)
    assert watch.seconds < 15


def test_leaving_a_server_that_reads_nothing_ends() -> None:
    with Server(STREAMS["stream-pings"]) as server:
        url = server.origin.replace("http", "ws", 1) + "/ws"
        with client(url).connect() as stream:
            stream.wait_for("status", within_seconds=0.2)


def test_a_frame_is_heard_and_those_before_it_are_named() -> None:
    heard: list[str] = []
    paths: list[str] = []

    def handler(line: ServerConnection) -> None:
        assert line.request is not None
        paths.append(line.request.path)
        for sent in ("status", "exploit", "heartbeat"):
            line.send(frame(sent, data=1))
        heard.append(str(line.recv()))

    exchanges: list[Exchange] = []
    with platform(handler) as url, client(url, exchanges).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=5)
    assert beat.received
    assert beat.seen == ("status", "exploit", "heartbeat")
    assert beat.frame == {"type": "heartbeat", "data": 1}
    assert 0 <= beat.waited_seconds < 5
    assert heard == ['{"type": "heartbeat_ack"}']
    assert paths == ["/ws?token=km_canary%2F%2Btoken"]
    [exchange] = exchanges
    assert (exchange.method, exchange.status, exchange.problem) == ("WS", 101, "")
    assert exchange.url.endswith("/ws?token=***")


def test_a_frame_that_does_not_come_is_not_received() -> None:
    def handler(line: ServerConnection) -> None:
        line.send(frame("status"))
        list(line)

    with platform(handler) as url, client(url).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=0.1)
    assert (beat.received, beat.seen, beat.frame) == (False, ("status",), None)
    assert beat.waited_seconds >= 0.1


def test_what_the_client_sends_is_answered() -> None:
    def handler(line: ServerConnection) -> None:
        line.send(frame("status", data={"filters": {}}))
        asked = json.loads(line.recv())
        line.send(frame("status", data={"filters": asked["data"]}))
        list(line)

    with platform(handler) as url, client(url).connect() as stream:
        assert stream.wait_for("status", 5).received
        stream.send({"type": "update_filters", "data": {"chains": ["Base"]}})
        told = stream.wait_for("status", 5)
    assert told.frame is not None
    assert told.frame["data"] == {"filters": {"chains": ["Base"]}}


def test_garbage_frames_are_tolerated_and_listed() -> None:
    def handler(line: ServerConnection) -> None:
        for garbage in (
            "no json",
            "[1]",
            "null",
            "7",
            frame(7),
            "[" * 90_000,
            frame("\x1b[31m"),
            b"\xff\x00",
        ):
            line.send(garbage)
        line.send(b"\xff\xfe", text=True)
        line.send(frame("heartbeat"))
        list(line)

    with platform(handler) as url, client(url).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=5)
    assert beat.received
    assert beat.seen == (*["unreadable"] * 6, "\\x1b[31m", "unreadable", "unreadable", "heartbeat")


def test_a_flood_is_counted_only_so_far() -> None:
    def handler(line: ServerConnection) -> None:
        for _ in range(3_000):
            line.send(frame("exploit"))
        line.send(frame("heartbeat"))
        list(line)

    with platform(handler) as url, client(url).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=200)
    assert beat.received
    assert len(beat.seen) == 50


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1001, r"closed with 1001 \(going away"),
        (1011, r"closed with 1011 \(internal error of the server\)"),
        (1012, r"closed with 1012 \(service restart\)"),
        (1013, r"closed with 1013 \(try again later"),
        (4000, r"closed with 4000 \(internal error of the platform\)"),
        (4999, r"4999 \(\*\*\* \\x1b\)"),
    ],
)
def test_a_stream_that_the_server_closes_is_a_wrong_answer(code: int, message: str) -> None:
    with (
        platform(lambda line: line.close(code, TOKEN + " \x1b")) as url,
        client(url).connect() as stream,
        pytest.raises(StreamClosed, match=message) as caught,
    ):
        stream.wait_for("heartbeat", within_seconds=5)
    assert TOKEN not in str(caught.value)
    assert caught.value.code == code
    assert caught.value.draining is (code in {1001, 1012, 1013})


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1001, r"closed with 1001 \(going away"),
        (1012, r"closed with 1012 \(service restart\)"),
        (1013, r"closed with 1013 \(try again later"),
    ],
)
def test_a_server_that_drains_and_does_not_hang_up_is_said_to_drain(code: int, message: str) -> None:
    """Behind a proxy the connection stays open for seconds after the close frame."""
    over = threading.Event()

    def handler(line: ServerConnection) -> None:
        line.send(frame("status"))
        line.socket.sendall(Frame(Opcode.CLOSE, Close(code, "").serialize()).serialize(mask=False))
        over.wait(5)

    with platform(handler) as url:
        with client(url).connect() as stream, pytest.raises(StreamClosed, match=message) as ended:
            stream.wait_for("heartbeat", within_seconds=5)
        over.set()
    assert ended.value.draining


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (4001, RefusalKind.UNAUTHORIZED, r"closed with 4001 \(the key is unknown\)"),
        (4003, RefusalKind.WRONG_TIER, r"closed with 4003 \(no key, or one of too low a tier\)"),
    ],
)
def test_a_stream_that_is_closed_for_the_keys_sake_is_refused_and_names_the_variable(
    code: int, kind: RefusalKind, message: str
) -> None:
    with (
        platform(lambda line: line.close(code, TOKEN)) as url,
        client(url).connect() as stream,
        pytest.raises(Refused, match=message) as caught,
    ):
        stream.wait_for("heartbeat", within_seconds=5)
    assert TOKEN not in str(caught.value)
    assert (caught.value.refusal.variable, caught.value.refusal.kind) == ("KEY", kind)


def test_a_frame_of_more_than_a_mebibyte_is_a_wrong_answer() -> None:
    def handler(line: ServerConnection) -> None:
        line.send("x" * (1024 * 1024 + 1))
        list(line)

    with (
        platform(handler) as url,
        client(url).connect() as stream,
        pytest.raises(WrongAnswer, match="a frame of more than 1 MiB"),
    ):
        stream.wait_for("heartbeat", within_seconds=5)


def opened(peer: Peer) -> None:
    """The server's half of an opening handshake (RFC 6455, 4.2.2)."""
    asked = peer.hear().decode()
    key = asked.split("Sec-WebSocket-Key: ", 1)[1].split("\r\n", 1)[0]
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()  # noqa: S324
    accept = base64.b64encode(digest).decode()
    head = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}"
    peer.say(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n\r\n".encode())


def broken(data: bytes) -> Callable[[Peer], None]:
    def behave(peer: Peer) -> None:
        opened(peer)
        peer.say(data)
        peer.hold()

    return behave


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x83\x01x", b"\x81\xff" + b"x" * 20])
def test_a_broken_protocol_is_a_wrong_answer(data: bytes) -> None:
    with (
        Server(broken(data)) as server,
        client(f"ws://127.0.0.1:{server.port}/ws").connect() as stream,
        pytest.raises(WrongAnswer, match="broke the WebSocket protocol"),
    ):
        stream.wait_for("heartbeat", within_seconds=5)


def test_a_huge_frame_is_refused_by_its_announcement() -> None:
    announced = b"\x81\x7f" + (1 << 40).to_bytes(8, "big")
    with (
        Server(broken(announced)) as server,
        client(f"ws://127.0.0.1:{server.port}/ws").connect() as stream,
        pytest.raises(WrongAnswer, match="more than 1 MiB"),
    ):
        stream.wait_for("heartbeat", within_seconds=5)


def test_a_stream_that_is_cut_is_no_answer() -> None:
    def behave(peer: Peer) -> None:
        opened(peer)
        peer.reset()

    with (
        Server(behave) as server,
        client(f"ws://127.0.0.1:{server.port}/ws").connect() as stream,
        pytest.raises(NoAnswer) as caught,
    ):
        stream.wait_for("heartbeat", within_seconds=5)
    assert caught.value.kind is NoAnswerKind.CUT


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            "403 Forbidden",
            r"HTTP 403: the key is unknown \(4001\), its tier is too low \(4003\), or .* \(4000\)",
        ),
        ("500 Oops", "HTTP 500"),
        ("404 Not Found", "HTTP 404"),
        ("200 OK", "HTTP 200 .*a proxy between may not pass the upgrade on"),
        ("426 Upgrade Required", "HTTP 426 .*a proxy between may not pass the upgrade on"),
    ],
)
def test_a_refused_handshake_is_a_wrong_answer_that_names_the_status(status: str, message: str) -> None:
    exchanges: list[Exchange] = []
    with (
        Server(saying(answer(b"{}", status))) as server,
        pytest.raises(WrongAnswer, match=message) as caught,
        client(f"ws://127.0.0.1:{server.port}/ws", exchanges).connect(),
    ):
        pytest.fail("it opened")
    assert exchanges[0].status == int(status[:3])
    assert exchanges[0].problem == str(caught.value)
    assert "token=***" in str(caught.value)


def test_a_rate_limit_is_no_answer() -> None:
    with (
        Server(saying(answer(b"", "429 Slow"))) as server,
        pytest.raises(NoAnswer) as caught,
        client(f"ws://127.0.0.1:{server.port}/ws").connect(token=False),
    ):
        pytest.fail("it opened")
    assert caught.value.kind is NoAnswerKind.RATE_LIMITED


@pytest.mark.parametrize("target", ["ws://127.0.0.1:{port}/steal", "http://127.0.0.1:{port}/", "/other"])
def test_no_redirect_is_followed(target: str) -> None:
    with Server(HOSTILE["error-500"]) as other:
        location = target.format(port=other.port)
        with (
            Server(saying(answer(b"", "307 T", f"Location: {location}"))) as server,
            pytest.raises(WrongAnswer, match="HTTP 307"),
            client(f"ws://127.0.0.1:{server.port}/ws").connect(),
        ):
            pytest.fail("it opened")
        assert other.connections == 0
        assert server.connections == 1


def test_an_item_without_time_enough_cannot_say_that_nothing_came() -> None:
    def handler(line: ServerConnection) -> None:
        list(line)

    left = iter([30.0, 0.1])
    with (
        platform(handler) as url,
        client(url, remaining=lambda: next(left)).connect() as stream,
        pytest.raises(NoAnswer, match="only 0 s of 65") as caught,
    ):
        stream.wait_for("heartbeat", within_seconds=65)
    assert caught.value.kind is NoAnswerKind.UNUSABLE


@pytest.mark.parametrize(
    ("tier", "message"),
    [
        ("", r"\(4000\)$"),
        ("enterprise", "serves this key as enterprise, so an error of its own is the likelier"),
        ("pro", "serves this key as pro, so an error of its own is the likelier"),
        ("free", "serves this key as free, so that tier has no live updates"),
    ],
)
def test_a_refusal_before_accept_is_weighed_by_how_the_key_is_served_elsewhere(
    tier: str, message: str
) -> None:
    with Server(saying(answer(b"", "403 Forbidden"))) as server:
        client = RealtimeClient(
            f"ws://127.0.0.1:{server.port}/ws",
            Credential(name="KEY", value=SecretStr(TOKEN)),
            ClientContext.unrecorded(Timeouts(connect=5, answer=5), lambda: 30.0),
            served_as=lambda: tier,
        )
        with pytest.raises(WrongAnswer, match=message), client.connect():
            pytest.fail("it opened")


def test_a_server_that_sends_pings_only_is_told_from_one_that_sends_nothing() -> None:
    def pinging(line: ServerConnection) -> None:
        for _ in range(3):
            line.ping().wait(5)
        list(line)

    with platform(pinging) as url, client(url).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=0.5)
    assert (beat.received, beat.seen) == (False, ())
    assert beat.instead.startswith("only 3 pings: the connection lives")


def test_a_proxy_that_holds_frames_back_shows_as_an_open_connection_without_a_frame() -> None:
    def holding(line: ServerConnection) -> None:
        list(line)

    with platform(holding) as url, client(url).connect() as stream:
        beat = stream.wait_for("heartbeat", within_seconds=0.1)
    assert beat.instead == "nothing at all on an open connection (a proxy between may hold frames back)"


def test_a_compressed_stream_is_read_as_browsers_read_it() -> None:
    packed: list[bool] = []

    def handler(line: ServerConnection) -> None:
        packed.append(bool(line.protocol.extensions))
        line.send(frame("status", data="x" * 5_000))
        list(line)

    with serve(handler, "127.0.0.1", 0, compression="deflate") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with client(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws").connect() as stream:
            assert stream.wait_for("status", within_seconds=5).received
        server.shutdown()
        thread.join()
    assert packed == [True]


def test_a_frame_that_unpacks_to_more_than_a_mebibyte_is_a_wrong_answer() -> None:
    def handler(line: ServerConnection) -> None:
        line.send("0" * (8 * 1024 * 1024))
        list(line)

    with serve(handler, "127.0.0.1", 0, compression="deflate") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws"
        with client(address).connect() as stream, pytest.raises(WrongAnswer, match="more than 1 MiB"):
            stream.wait_for("status", within_seconds=5)
        server.shutdown()
        thread.join()
