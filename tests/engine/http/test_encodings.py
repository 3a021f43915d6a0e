"""A body in an encoding that nobody asked for: not read here, and nothing about what a browser shows."""

from __future__ import annotations

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Attribution, Status
from tests.support.hostile_server import HOSTILE, Server, answer, saying

PACKED = b"\x8b\x02\x80{}\x03"


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, br", "dcb"])
def test_an_encoding_that_is_not_known_here_shows_nothing_of_the_platform(name: str) -> None:
    record: list[Exchange] = []
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), record.append, lambda: 9.0)
    with Server(saying(answer(PACKED, head=f"Content-Encoding: {name}"))) as server:
        service = ServiceClient.reading(HttpClient(server.origin, context), None)
        with pytest.raises(NoAnswer) as caught:
            library.has_rows(service, "/items", lambda *_, **__: None)

    outcome = outcome_of(caught.value, lambda: ControlResult(ok=True, message="a control answered"))
    assert caught.value.kind is NoAnswerKind.UNUSABLE
    assert str(caught.value).startswith(f"{server.origin}/items answered in the encoding {name}, ")
    assert (outcome.status, outcome.attribution) == (Status.ERROR, Attribution.UNKNOWN)
    assert [(sent.status, sent.problem) for sent in record] == [(200, "")]


@pytest.mark.parametrize("name", ["UTF-8", "none", "aws-chunked"])
def test_a_name_that_is_no_encoding_leaves_the_body_plain(name: str) -> None:
    context = ClientContext.unrecorded(Timeouts(), lambda: 9.0)
    with Server(saying(answer(b'{"a": 1}', head=f"Content-Encoding: {name}"))) as server:
        assert HttpClient(server.origin, context).get("/").json() == {"a": 1}


@pytest.mark.parametrize("name", ["brotli-bomb", "zstd-bomb"])
def test_a_bomb_in_another_encoding_is_not_unpacked(name: str) -> None:
    context = ClientContext.unrecorded(Timeouts(), lambda: 9.0)
    with Server(HOSTILE[name]) as server:
        came = HttpClient(server.origin, context).get("/")
    assert len(came.body) <= 1024 * 1024
    with pytest.raises(NoAnswer, match="not asked for"):
        came.json()
