"""A server that does with each connection what it is told, and every way to be hostile over HTTP."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType

from tests.support.hostile import HOSTILE as WORDS

A_MOMENT = 0.02
"""Seconds between two bytes of a dripping answer: far less than any timeout, so that each read succeeds."""


@dataclass
class Peer:
    """One client's connection."""

    line: socket.socket
    stop: threading.Event
    heard: list[bytes]
    asked: bytes = b""

    def hear(self) -> bytes:
        """The request: its head, and as much of a body as came along."""
        while b"\r\n\r\n" not in self.asked:
            chunk = self.line.recv(65_536)
            if not chunk:
                break
            self.asked += chunk
        if self.asked:
            self.heard.append(self.asked)
        return self.asked

    def say(self, data: bytes) -> None:
        self.line.sendall(data)

    def drip(self, data: bytes) -> None:
        """Byte by byte, until the client has had enough."""
        for byte in data:
            if self.stop.wait(A_MOMENT):
                return
            self.say(bytes([byte]))

    def flood(self, data: bytes) -> None:
        """The same again and again, as fast as the client takes it."""
        while not self.stop.is_set():
            self.say(data)

    def hold(self) -> None:
        """Say nothing until the client leaves."""
        while self.line.recv(65_536):
            pass

    def end(self) -> None:
        """Leave with FIN for certain: closed over a request that is not read out, a connection is reset."""
        self.line.shutdown(socket.SHUT_WR)
        self.hold()

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.line.close()


Behaviour = Callable[[Peer], None]


class Server:
    """Listens on 127.0.0.1 and treats every client by one behaviour, in a thread of its own."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.asked: list[bytes] = []
        self.connections = 0
        self._tls = tls
        self._stop = threading.Event()
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.5)  # where neither of the ways to wake `accept` works
        self.port: int = self._listener.getsockname()[1]

    @property
    def origin(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        self._spawn(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # Linux wakes `accept` only by this
        self._listener.close()
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                line, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            line.settimeout(None)
            self.connections += 1
            self._lines.append(line)
            self._spawn(lambda line=line: self._serve(line))  # type: ignore[misc]

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls:
                line = self._tls.wrap_socket(line, server_side=True)
                self._lines.append(line)
            try:
                self.behave(Peer(line, self._stop, self.asked))
            finally:
                line.close()


def answer(body: bytes, status: str = "200 OK", head: str = "Content-Type: application/json") -> bytes:
    """A well-formed answer after which the connection closes."""
    lines = f"HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return lines.encode("latin-1") + body


def saying(data: bytes) -> Behaviour:
    """Answer with those bytes and close."""

    def behave(peer: Peer) -> None:
        peer.hear()
        peer.say(data)
        peer.end()

    return behave


def dripping(data: bytes) -> Behaviour:
    """Answer with those bytes, one at a time."""

    def behave(peer: Peer) -> None:
        peer.hear()
        peer.drip(data)

    return behave


def silent(peer: Peer) -> None:
    """Take the request and never answer."""
    peer.hear()
    peer.hold()


def resetting(peer: Peer) -> None:
    """Hang up with RST."""
    peer.hear()
    peer.reset()


def closing(peer: Peer) -> None:
    """Hang up before the request is even read."""
    peer.line.close()


def endless_body(peer: Peer) -> None:
    """Promise a gigabyte and deliver it."""
    peer.hear()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1073741824\r\n\r\n")
    peer.flood(b"x" * 65_536)


def endless_chunks(peer: Peer) -> None:
    """Tiny chunks for ever."""
    peer.hear()
    peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.flood(b"1\r\nx\r\n" * 5_000)


def endless_continue(peer: Peer) -> None:
    """Interim answers for ever."""
    peer.hear()
    while not peer.stop.wait(A_MOMENT):
        peer.say(b"HTTP/1.1 102 Processing\r\n\r\n")


def echoing(peer: Peer) -> None:
    """Answer 500 and tell everyone, everywhere, what the request held."""
    asked = peer.hear()
    flat = asked.decode("latin-1").replace("\r\n", " ")[:4_000]
    peer.say(answer(asked, "500 Oops", f"X-Request-Id: {flat}\r\nLocation: /?all={flat}\r\nCf-Ray: {flat}"))


def echoing_garbage(peer: Peer) -> None:
    """The request itself, where a status line belongs."""
    peer.say(peer.hear())


@cache
def packed_zeros(mebibytes: int, bits: int) -> bytes:
    """So many MiB of zeros: one piece, packed and repeated, as a full flush allows; without a proper end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * (mebibytes - 1)


def bomb(encoding: str, bits: int = zlib.MAX_WBITS | 16) -> Behaviour:
    """A gibibyte of zeros in a megabyte, under that name."""

    def behave(peer: Peer) -> None:
        peer.hear()
        peer.say(answer(packed_zeros(1024, bits), head=f"Content-Encoding: {encoding}"))

    return behave


def nested_bomb(peer: Peer) -> None:
    """A bomb within a bomb: a gibibyte in a few kilobytes."""
    peer.hear()
    packed = gzip.compress(packed_zeros(1024, zlib.MAX_WBITS | 16), mtime=0)
    peer.say(answer(packed, head="Content-Encoding: gzip, gzip"))


def endless_header(peer: Peer) -> None:
    """One line of a head that never ends."""
    peer.hear()
    peer.say(b"HTTP/1.1 200 OK\r\nX-Long: ")
    peer.flood(b"x" * 65_536)


def redirecting_on(peer: Peer) -> None:
    """Ten thousand steps, each to another address."""
    asked = peer.hear()
    step = int(found[1]) if (found := re.search(rb"/step-(\d+) ", asked)) else 0
    there = answer(_SOME) if step == 10_000 else answer(b"", "302 Found", f"Location: /step-{step + 1}")
    peer.say(there)


def upgraded(then: Callable[[Peer], None]) -> Behaviour:
    """Take a WebSocket, then go on; to any other request answer with an empty page."""

    def behave(peer: Peer) -> None:
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", peer.hear())
        if key is None:
            peer.say(answer(b"", head="Content-Type: text/html"))
            return
        accept = hashlib.sha1(
            key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False
        ).digest()
        peer.say(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
        )
        then(peer)

    return behave


def huge_frame(peer: Peer) -> None:
    """One frame of a gigabyte."""
    peer.say(b"\x81\x7f" + struct.pack(">Q", 1 << 30))
    peer.flood(b"x" * 65_536)


def endless_pieces(peer: Peer) -> None:
    """One message in pieces, of which there is always one more."""
    peer.say(b"\x01\x01{")
    peer.flood(b"\x00\x01 " * 1_000)


def redirecting(location: str, status: str = "302 Found") -> Behaviour:
    """Answer every request with that Location."""
    return saying(answer(b"", status, f"Location: {location}"))


_SOME = b'{"status": "healthy"}'

_FIELDS = (
    "status",
    "error",
    "message",
    "data",
    "detail",
    "name",
    "url",
    "user",
    "csrfToken",
    "chain",
    "title",
)
_SCRIPTS = json.dumps(dict.fromkeys(_FIELDS, WORDS.replace("\ud800", "")), ensure_ascii=False).encode()
_SCRIPTED_PAGE = f"<title>{WORDS}</title><h1>{WORDS}</h1>".encode(errors="replace")
_SCRIPTED_HEAD = "Content-Type: text/html\r\nX-Request-Id: <script>alert(3)</script>\x1b[2J\x9b31m"

HOSTILE: dict[str, Behaviour] = {
    "json-list": saying(answer(b"[1, 2]")),
    "json-number": saying(answer(b"7")),
    "json-null": saying(answer(b"null")),
    "json-string": saying(answer(b'"\\ud800"')),
    "json-deep": saying(answer(b"[" * 200_000 + b"]" * 200_000)),
    "json-deep-object": saying(answer(b'{"a":' * 90_000 + b"1" + b"}" * 90_000)),
    "json-nan": saying(answer(b'{"status": NaN}')),
    "json-infinite": saying(answer(b'{"status": "healthy", "database_exploits": 1e999, "timestamp": 1e999}')),
    "json-huge-int": saying(answer(b'{"database_exploits": ' + b"9" * 100_000 + b"}")),
    "json-large-int": saying(answer(b'{"database_exploits": ' + b"9" * 4_000 + b', "timestamp": 1e308}')),
    "json-cut": saying(answer(b'{"status": "heal')),
    "json-deep-values": saying(answer(b'{"user": ' + b"[" * 900 + b"]" * 900 + b', "csrfToken": [[]]}')),
    "html": saying(answer(b"<html><title>\x1b[31mnginx</title></html>", head="Content-Type: text/html")),
    "empty": saying(answer(b"")),
    "wrong-charset": saying(
        answer(b"\xff\xfe\x00\xd8{", head="Content-Type: application/json; charset=zlib")
    ),
    "binary": saying(answer(bytes(range(256)) * 40, head="Content-Type: image/png")),
    "wrong-type": saying(answer(_SOME, head="Content-Type: video/\x1b[2Jmp4")),
    "no-content": saying(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "body-cut": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + _SOME),
    "chunks-cut": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab"),
    "chunks-garbage": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab"),
    "two-lengths": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
    "bad-length": saying(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcdef"),
    "many-headers": saying(
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(50_000)) + b"\r\n"
    ),
    "odd-headers": saying(answer(_SOME, head="X-Request-Id: \x1b[31m\xe9\xff\r\nSet-Cookie: \x1b=\xe9; a")),
    "null-header": saying(answer(_SOME, head="X-Request-Id: a\0b")),
    "no-status": saying(b"HTTP/1.1\r\n\r\n"),
    "status-zero": saying(b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n"),
    "status-999": saying(answer(_SOME, "999 Beyond")),
    "switching": saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: smtp\r\n\r\nhello"),
    "http-0.9": saying(b"<html>hello</html>"),
    "garbage": saying(bytes(range(256)) * 10),
    "gzip-bomb": bomb("gzip"),
    "gzip-bomb-nested": nested_bomb,
    "deflate-bomb": bomb("deflate", -zlib.MAX_WBITS),
    "brotli-bomb": bomb("br"),
    "zstd-bomb": bomb("zstd"),
    "endless-header": endless_header,
    "many-cookies": saying(
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"Set-Cookie: c%d=y\r\n" % n for n in range(50_000)) + b"\r\n"
    ),
    "some-cookies": saying(answer(_SOME, head="\r\n".join(f"Set-Cookie: c{n}={n}" for n in range(2_000)))),
    "scripts": saying(answer(_SCRIPTS)),
    "scripts-page": saying(answer(_SCRIPTED_PAGE, head=_SCRIPTED_HEAD)),
    "scripts-500": saying(answer(_SCRIPTED_PAGE, "500 <script>alert(4)</script>", _SCRIPTED_HEAD)),
    "redirect-chain": redirecting_on,
    "redirect-script": redirecting("/<script>alert(5)</script>?\x1b[31m"),
    "gzip-broken": saying(answer(b"\x1f\x8b\x08nonsense", head="Content-Encoding: gzip")),
    "gzip-cut": saying(answer(gzip.compress(_SOME)[:-9], head="Content-Encoding: gzip")),
    "brotli": saying(answer(b"\x8b\x02\x80{}\x03", head="Content-Encoding: br")),
    "redirect-loop": redirecting("/again"),
    "redirect-nowhere": saying(answer(b"", "302 Found", "X: y")),
    "redirect-garbage": redirecting("http://[::1"),
    "redirect-scheme": redirecting("javascript:alert(1)"),
    "redirect-long": redirecting("/" + "x" * 70_000),
    "error-500": saying(answer(b"Traceback \x1b[31m", "500 Oops")),
    "error-403": saying(answer(b"{}", "403 Forbidden")),
    "unauthorized": saying(answer(b"{}", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')),
    "endless-body": endless_body,
    "reset": resetting,
    "closing": closing,
    "echo": echoing,
    "echo-garbage": echoing_garbage,
}
"""Ends by itself, one way or another."""

SLOW: dict[str, Behaviour] = {
    "silent": silent,
    "dripping-head": dripping(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: y\r\n" * 5_000),
    "dripping-body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 9_999),
    "endless-chunks": endless_chunks,
    "endless-continue": endless_continue,
}
"""Ends only by a timeout, or by having read enough."""

STREAMS: dict[str, Behaviour] = {
    "stream-huge": upgraded(huge_frame),
    "stream-words": upgraded(
        lambda peer: peer.flood(b"\x81\x0e<script>\x1b[2J\xe2" + b"\x82\x07" + bytes(7))
    ),
    "stream-pings": upgraded(lambda peer: peer.flood(b"\x89\x00" * 100)),
    "stream-pieces": upgraded(endless_pieces),
    "stream-never-closes": upgraded(Peer.hold),
}
"""Takes a WebSocket, and then does harm."""


@dataclass
class Script:
    """Answers the first request by the first behaviour, and so on; the last one stays."""

    behaviours: list[Behaviour]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, peer: Peer) -> None:
        with self._lock:
            behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        behave(peer)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes no connection and refuses none: its queue is full (Linux)."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    try:
        for line in waiting:
            line.setblocking(False)
            line.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
    finally:
        for line in (*waiting, listener):
            line.close()


def refused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
