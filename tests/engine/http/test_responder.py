"""Who answered: a cache, whose copy is asked past; a page, or a redirect, in place of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from tests.support.hostile_server import Peer, Server, answer

COPY = "Age: 7200\r\nX-Cache: HIT"
PAGE = "<!doctype html><title>{title}</title><div><h1>{text}</h1></div>"


def visit(reply: Callable[[str], bytes], times: int = 1, **how: Any) -> tuple[Any, list[Exchange]]:
    """The last answer to GET /x, and every exchange; `reply` gets the path with its query."""
    record: list[Exchange] = []
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), record.append, lambda: 9.0)

    def behave(peer: Peer) -> None:
        peer.say(reply(peer.hear().split(b" ", 2)[1].decode()))

    with Server(behave) as server:
        http = HttpClient(server.origin, context, **{"of_platform": True, **how})
        try:
            for _ in range(times):
                came: Any = http.get("/x?page=2")
        except NoAnswer as lost:
            came = lost
        finally:
            http.close()
    return came, record


def cached_unless_asked_past(fresh: bytes) -> Callable[[str], bytes]:
    return lambda path: fresh if "kamiyo-verify=" in path else answer(b"old", head=COPY)


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        ("Age: 12", "Age: 12"),
        ("Age: 0, 340", "Age: 340"),
        ("X-Cache: Hit from cloudfront", "X-Cache: Hit from cloudfront"),
        ("X-Cache: MISS, HIT", "X-Cache: MISS, HIT"),
        ("X-Cache: TCP_MEM_HIT from a", "X-Cache: TCP_MEM_HIT from a"),
        ("CF-Cache-Status: STALE", "Cf-Cache-Status: STALE"),
        ("X-Proxy-Cache: UPDATING", "X-Proxy-Cache: UPDATING"),
        ("Cache-Status: Edge; hit; ttl=30", "Cache-Status: Edge hit ttl=30"),
        ('Warning: 110 - "Response is Stale"', 'Warning: 110 - "Response is Stale"'),
        ("Age: 0", ""),
        ("Age: soon", ""),
        ("X-Cache: RefreshHit from cloudfront", ""),
        ("CF-Cache-Status: REVALIDATED", ""),
        ("CF-Cache-Status: DYNAMIC", ""),
        ("Cache-Status: Edge; fwd=stale; fwd-status=304", ""),
        ("Cache-Control: max-age=30, stale-if-error=600", ""),
        ("X-Cache-Lookup: HIT from squid:3128", ""),
        ("X-NextJS-Cache: HIT", ""),
        ('Warning: 199 - "110 of them"', ""),
    ],
)
def test_a_cache_is_known_by_what_it_has_to_say(head: str, shown: str) -> None:
    _, record = visit(lambda _: answer(b"{}", head=head))
    assert record[0].cached == shown
    assert len(record) == (2 if shown else 1)


def test_the_service_is_asked_past_the_cache() -> None:
    came, [copy, own] = visit(cached_unless_asked_past(answer(b"new")))
    assert (came.body, came.path) == (b"new", "/x")
    assert "page=2&kamiyo-verify=" in own.url
    assert (copy.cached, own.cached) == ("Age: 7200, X-Cache: HIT", "")
    assert copy.stored_at < copy.at
    assert own.stored_at == ""


@pytest.mark.parametrize(
    ("fresh", "body"),
    [
        (answer(b"broken", "502 Bad Gateway"), b"broken"),
        (answer(b"unknown parameter", "400 Bad Request"), b"old"),
        (answer(b"", "302 Found", "Location: /x"), b"old"),
        (answer(b"older", head="Age: 3"), b"old"),
        (answer(b"asked", "403 Forbidden", "cf-mitigated: challenge"), b"old"),
    ],
)
def test_what_the_other_form_of_the_request_shows(fresh: bytes, body: bytes) -> None:
    came, record = visit(cached_unless_asked_past(fresh))
    assert came.body == body
    assert len(record) == 2


def test_a_stored_error_that_the_service_gives_too_is_its_own() -> None:
    def reply(path: str) -> bytes:
        return answer(b"no", "404 Not Found", "" if "kamiyo-verify" in path else COPY)

    came, [_, own] = visit(reply)
    assert (came.status, own.cached) == (404, "")
    assert "kamiyo-verify" in came.url


def test_silence_behind_a_cache_is_silence() -> None:
    came, record = visit(cached_unless_asked_past(b""))
    assert isinstance(came, NoAnswer)
    assert [sent.status for sent in record] == [200, None]


def test_each_request_past_the_cache_is_a_new_one() -> None:
    """The answer to one may be stored in turn, and would be given for each repetition."""
    _, record = visit(cached_unless_asked_past(answer(b"new")), times=3)
    asked = [sent.url for sent in record if "kamiyo-verify" in sent.url]
    assert len(set(asked)) == 3


def test_an_outside_system_is_read_as_it_answers() -> None:
    came, [only] = visit(cached_unless_asked_past(answer(b"new")), of_platform=False)
    assert (came.body, only.cached) == (b"old", "")


def page(title: str, text: str, status: str = "200 OK", head: str = "Content-Type: text/html") -> str:
    _, record = visit(lambda _: answer(PAGE.format(title=title, text=text).encode(), status, head))
    return record[0].page


def test_a_page_is_known_by_its_title_and_its_elements() -> None:
    assert page("Parked", "ref 1") == page("Parked", "ref 2") != ""
    assert page("Parked", "1") != page("Shop", "1")
    assert page("Parked", "1") != page("Parked", "<p>1</p>")


@pytest.mark.parametrize(
    ("status", "head", "known"),
    [
        ("503 Service Unavailable", "Content-Type: text/html", False),
        ("503 Service Unavailable", "Content-Type: text/html\r\nRetry-After: 600", True),
        ("500 Internal Server Error", "Content-Type: text/html\r\nRetry-After: 600", False),
        ("404 Not Found", "Content-Type: text/html", False),
        ("200 OK", "Content-Type: text/html\r\nContent-Encoding: br", True),
    ],
)
def test_an_error_page_stands_for_no_answer_unless_it_says_when_it_ends(
    status: str, head: str, *, known: bool
) -> None:
    assert bool(page("Back soon", "1", status, head)) is known


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        ("https://login.example/in?token=secret", "https://login.example"),
        ("https://user:pass@login.example:8443/", "https://login.example:8443"),
        ("/sign-in", ""),
        ("mailto:a@b.example", ""),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_a_redirect_to_another_origin_is_recorded_without_its_secrets(location: str, origin: str) -> None:
    _, record = visit(lambda _: answer(b"", "302 Found", f"Location: {location}"))
    assert record[-1].leads_to == origin
