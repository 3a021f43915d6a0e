"""Clients that leave at any moment, and what the sandbox writes about it: nothing."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.sandbox_process import COMMAND, HOUSE

SENT_AND_LEFT = {
    "before a word": b"",
    "in the first line": b"GET / HT",
    "in the headers": b"GET / HTTP/1.1\r\nHost: a\r\n",
    "in a form": b"POST /api/auth/callback/credentials HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nabc",
    "in an event": b"POST /api/payment/webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc",
    "before the answer": b"GET /exploits HTTP/1.1\r\nHost: a\r\n\r\n",
    "before the page": b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "in a handshake": b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
}


def leave(address: str, sent: bytes, authority: Path, *, abruptly: bool) -> None:
    """Connect, send that much, and close; abruptly means by a reset."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
    if parts.scheme == "https":
        trusting = ssl.create_default_context(cafile=str(authority))
        connection = trusting.wrap_socket(connection, server_hostname=parts.hostname)
    connection.sendall(sent)
    if abruptly:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answers(address: str, authority: Path) -> bool:
    """Whether the server answers one more request; by then it has noticed whoever left before."""
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
    if parts.scheme == "https":
        trusting = ssl.create_default_context(cafile=str(authority))
        connection = trusting.wrap_socket(connection, server_hostname=parts.hostname)
    with connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return connection.recv(5) == b"HTTP/"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_client_that_leaves_is_no_traceback_in_the_log(scheme: str, tmp_path: Path) -> None:
    authority, log = tmp_path / "authority.pem", tmp_path / "log.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*COMMAND, *([f"--tls={authority}"] if scheme == "https" else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=HOUSE,
        ) as sandbox,
    ):
        assert sandbox.stdout is not None
        assert sandbox.stdin is not None
        settings = json.loads(sandbox.stdout.readline())["settings"]
        for service in ("api", "frontend"):
            address = settings[f"services.{service}.url"]
            assert urlsplit(address).scheme == scheme
            for sent in SENT_AND_LEFT.values():
                leave(address, sent, authority, abruptly=False)
                leave(address, sent, authority, abruptly=True)
            assert answers(address, authority)
        sandbox.stdin.close()

    assert log.read_text() == ""
