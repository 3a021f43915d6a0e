"""A WebSocket greets: what opens, what comes first, what it is sent, and what no message shows."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from kamiyo_verify.checks import library
from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import (
    ImproperAnswer,
    NoAnswer,
    NoAnswerKind,
    Refused,
    ServerBroke,
    StreamClosed,
    Unverified,
    WrongAnswer,
    WrongStatus,
)
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.services import DeclaredCredential, SentAs
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Mutations
from tests.engine.checks.test_library import Measured
from tests.support.hostile_server import Server, answer, saying

SECRET = "s3cr&t of notes"
Handler = Callable[[ServerConnection], None]
Process = Callable[[ServerConnection, Request], Response | None]


@contextmanager
def listening(handler: Handler, process: Process | None = None) -> Iterator[str]:
    """Serve each WebSocket by the handler; yields the origin, as http."""
    with serve(handler, "127.0.0.1", 0, compression=None, process_request=process) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def sends(*frames: str) -> Handler:
    def handler(line: ServerConnection) -> None:
        for frame in frames:
            line.send(frame)
        list(line)

    return handler


def declared(send: SentAs, value: str | None = SECRET, **more: Any) -> DeclaredCredential:
    variable = Credential(name="NOTES_SECRET", value=SecretStr(value) if value else None)
    return DeclaredCredential(variable=variable, send=send, services=("notes",), **more)


def opened(
    origin: str, credential: DeclaredCredential | None = None, record: list[Exchange] | None = None
) -> ServiceClient:
    noted: list[Exchange] = [] if record is None else record
    http = HttpClient(origin, ClientContext(Timeouts(), noted.append, lambda: 20.0))
    return ServiceClient(http, credential, Mutations.FORBIDDEN, lambda _: None)


def test_the_first_frame_is_a_greeting_whatever_it_holds() -> None:
    measured = Measured()
    with listening(sends("Hello, stranger")) as origin:
        library.greets(opened(origin).websocket("/ws"), measured)
        library.greets(opened(origin).websocket("/ws"), measured, text="stranger")
    assert 0 <= float(str(measured["first_frame"])) < 10


def test_a_frame_of_the_type_is_waited_for() -> None:
    with listening(
        sends(json.dumps({"type": "ping"}), json.dumps({"type": "welcome", "as": "ann"}))
    ) as origin:
        library.greets(opened(origin).websocket("/ws"), Measured(), type="welcome", text='"ann"')


@pytest.mark.parametrize(
    ("frames", "expected", "why"),
    [
        ((), {}, "no frame in 0 s, nothing at all on an open connection"),
        (('{"type": "ping"}',), {"type": "welcome"}, "no welcome frame in 0 s, only ping"),
        (("Hello",), {"text": "Welcome"}, 'the frame is "Hello" where "Welcome" was expected in it'),
        (('{"type": "a"}',), {"type": "a", "text": "b"}, "the a frame is "),
    ],
)
def test_another_greeting_fails_and_says_what_came(
    frames: tuple[str, ...], expected: dict[str, str], why: str
) -> None:
    measured = Measured()
    with listening(sends(*frames)) as origin, pytest.raises(WrongAnswer, match=why):
        library.greets(opened(origin).websocket("/ws"), measured, within_s=0.3, **expected)
    assert "first_frame" in measured


def test_a_server_that_says_nothing_by_itself_is_only_opened() -> None:
    measured = Measured()
    with listening(sends()) as origin:
        library.accepts_websocket(opened(origin).websocket("/ws"), measured)
    assert "opened_after" in measured


@pytest.mark.parametrize(
    ("status", "why"),
    [("404 Not Found", WrongStatus), ("500 Oops", ServerBroke), ("200 OK", ImproperAnswer)],
)
def test_a_path_without_a_websocket_fails(status: str, why: type[Exception]) -> None:
    record: list[Exchange] = []
    with Server(saying(answer(b"{}", status))) as server, pytest.raises(why, match="WebSocket was expected"):
        library.greets(opened(server.origin, record=record).websocket("/ws"), Measured())
    assert [(one.method, one.status) for one in record] == [("WS", int(status[:3]))]


def test_no_server_is_no_answer() -> None:
    with pytest.raises(NoAnswer) as caught:
        library.accepts_websocket(opened("http://127.0.0.1:1").websocket("/ws"), Measured())
    assert caught.value.kind is NoAnswerKind.REFUSED


WAYS = [
    declared(SentAs.HEADER, field="X-Notes-Key"),
    declared(SentAs.BEARER),
    declared(SentAs.BASIC, user="ann"),
    declared(SentAs.COOKIE, field="sid"),
    declared(SentAs.QUERY, field="k"),
]


@pytest.mark.parametrize("credential", WAYS, ids=[one.send for one in WAYS])
def test_the_opening_request_carries_the_declared_credential(credential: DeclaredCredential) -> None:
    requests: list[Request] = []

    def keep(_: ServerConnection, request: Request) -> None:
        requests.append(request)

    record: list[Exchange] = []
    with listening(sends("Hello"), keep) as origin:
        library.greets(opened(origin, credential, record).websocket("/ws?room=1"), Measured())
    [seen] = requests
    sent = {**dict(seen.headers.raw_items()), "path": seen.path}
    expected = {
        SentAs.HEADER: ("X-Notes-Key", SECRET),
        SentAs.BEARER: ("Authorization", f"Bearer {SECRET}"),
        SentAs.BASIC: ("Authorization", "Basic YW5uOnMzY3ImdCBvZiBub3Rlcw=="),
        SentAs.COOKIE: ("Cookie", f"sid={SECRET}"),
        SentAs.QUERY: ("path", "/ws?room=1&k=s3cr%26t%20of%20notes"),
    }
    name, value = expected[credential.send]
    assert sent[name] == value
    assert [(one.credential, one.accepted) for one in record] == [("NOTES_SECRET", True)]
    assert "s3cr" not in str(record)


@pytest.mark.parametrize("credential", WAYS, ids=[one.send for one in WAYS])
def test_a_server_that_echoes_the_credential_shows_it_in_no_message(credential: DeclaredCredential) -> None:
    def echo(line: ServerConnection) -> None:
        assert line.request is not None
        line.send(f"{SECRET} {line.request.path} {[*line.request.headers.raw_items()]}"[:280])
        line.close(4000, SECRET)

    with listening(echo) as origin:
        websocket = opened(origin, credential).websocket("/ws")
        with pytest.raises(WrongAnswer) as first:
            library.greets(websocket, Measured(), text="Welcome")
        with pytest.raises(StreamClosed) as second:
            library.greets(websocket, Measured(), type="welcome")
    shown = f"{first.value} {second.value}"
    assert "***" in shown
    assert "s3cr" not in shown
    assert "YW5uOnMzY3" not in shown


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_credential_names_its_variable(status: str) -> None:
    with Server(saying(answer(b"", status))) as server, pytest.raises(Refused) as caught:
        library.greets(opened(server.origin, declared(SentAs.BEARER)).websocket("/ws"), Measured())
    assert caught.value.refusal.variable == "NOTES_SECRET"
    with Server(saying(answer(b"", status))) as server, pytest.raises(WrongStatus):
        library.greets(opened(server.origin).websocket("/ws"), Measured())


def test_a_missing_credential_is_named_and_nothing_is_sent() -> None:
    with pytest.raises(Unverified, match="NOTES_SECRET is not set"):
        opened("http://127.0.0.1:1", declared(SentAs.BEARER, value=None)).websocket("/ws")


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that connects to whatever it is told to; yields its address and where it was sent."""
    targets: list[str] = []

    def pipe(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            other.close()

    def serve_all() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            head = line.recv(65536).decode()
            targets.append(head.split()[1])
            host, _, port = targets[-1].rpartition(":")
            other = socket.create_connection((host, int(port)))
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for pair in ((line, other), (other, line)):
                threading.Thread(target=pipe, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve_all, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", targets


def test_a_redirect_through_a_proxy_takes_the_credential_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a proxy, websockets follows redirects, and sends our headers to wherever they lead."""
    requests: list[Request] = []

    def keep(_: ServerConnection, request: Request) -> None:
        requests.append(request)

    with proxy() as (address, targets), listening(sends("Hello"), keep) as elsewhere:
        monkeypatch.setattr("kamiyo_verify.integrations.websocket.client.proxy_for", lambda _: address)
        location = f"Location: {elsewhere.replace('http', 'ws')}/ws"
        with (
            Server(saying(answer(b"", "302 Found", location))) as server,
            pytest.raises(ImproperAnswer, match="redirect where a WebSocket was expected"),
        ):
            library.greets(opened(server.origin, WAYS[0]).websocket("/ws"), Measured())
        library.greets(opened(elsewhere).websocket("/ws"), Measured())
    assert targets[0] == server.origin.removeprefix("http://")
    assert len(requests) == 1, "only the second greeting reached the other origin"
