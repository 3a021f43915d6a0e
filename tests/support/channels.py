"""A channel that listens: what it was told, and every way of not taking it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from kamiyo_verify.model.notifications import Notifications
from kamiyo_verify.model.tables import Credential
from tests.support.hostile_server import Behaviour, Peer, Server, answer

PATIENT_S = 15
"""For a sender to begin on a machine that has much else to do."""

TOKEN = "kanarienT0ken4711"
"""Stands in every address: nobody but the channel may ever see it."""


@contextmanager
def listening(behave: Behaviour | None = None) -> Iterator[tuple[Server, str]]:
    """A server that takes everything, or behaves as told; gives it and its address as a channel."""
    with Server(behave or taking) as server:
        yield server, f"json://kanari:{TOKEN}pw@127.0.0.1:{server.port}/{TOKEN}"


def taking(peer: Peer) -> None:
    """Hear all of the body, which may come later than the head, and take it."""
    asked = peer.hear()
    head, _, body = asked.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ength:" in line)
    while len(body) < length:
        body += peer.line.recv(65_536)
    peer.heard[-1] = head + b"\r\n\r\n" + body
    peer.say(answer(b"ok"))  # the word that Slack says
    peer.end()


def received_messages(server: Server) -> list[dict[str, Any]]:
    """What it was told, in order."""
    return [json.loads(asked.partition(b"\r\n\r\n")[2]) for asked in server.asked]


def table(patience_s: float = PATIENT_S, **channels: str) -> Notifications:
    named = [Credential(name=name, value=SecretStr(address)) for name, address in channels.items()]
    return Notifications(channels=tuple(named), patience_s=patience_s)
