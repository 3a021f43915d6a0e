"""HTTP: outcomes by kind, redirects, rate limits, secrets, and time."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import zlib
from collections.abc import Callable

import httpx2
import pytest

from kamiyo_platform.shapes import Chains, Health
from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient, Throttle
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.http.readable import masked_url, readable
from kamiyo_verify.http.throttle import retry_after
from kamiyo_verify.model.outcomes import KnownToHang, NoAnswer, NoAnswerKind, WrongAnswer
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Status
from tests.support.hostile_server import (
    HOSTILE,
    SLOW,
    Behaviour,
    Peer,
    Script,
    Server,
    answer,
    dripping,
    redirecting,
    refused_port,
    saying,
    silent,
)

OK = saying(answer(b'{"ok": true}'))
KEY = "km_0123456789"


def client(
    origin: str,
    *,
    exchanges: list[Exchange] | None = None,
    remaining: Callable[[], float] = lambda: 60.0,
    throttle: Throttle | None = None,
    answer_s: float = 5.0,
) -> HttpClient:
    record: list[Exchange] = [] if exchanges is None else exchanges
    return HttpClient(
        origin,
        ClientContext(
            Timeouts(connect=2, answer=answer_s, item=60),
            record.append,
            remaining,
            throttle=throttle or Throttle(),
        ),
    )


def lost(server: Server, answer_s: float = 5.0) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        client(server.origin, answer_s=answer_s).get("/x")
    assert caught.value.origin == server.origin
    assert str(caught.value).startswith(server.origin)
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "body-cut",
        "chunks-cut",
        "chunks-garbage",
        "two-lengths",
        "bad-length",
        "many-headers",
        "null-header",
        "no-status",
        "status-zero",
        "http-0.9",
        "garbage",
        "gzip-broken",
        "gzip-cut",
        "reset",
        "closing",
        "echo-garbage",
    ],
)
def test_half_an_answer_is_cut(name: str) -> None:
    with Server(HOSTILE[name]) as server:
        assert lost(server).kind is NoAnswerKind.CUT


@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW)
def test_an_answer_that_takes_for_ever_is_a_timeout(behaviour: Behaviour) -> None:
    with Server(behaviour) as server:
        assert lost(server, answer_s=0.2).kind is NoAnswerKind.TIMEOUT


def test_a_refused_port_and_an_unknown_name_are_told_apart() -> None:
    for origin, kind in (
        (f"http://127.0.0.1:{refused_port()}", NoAnswerKind.REFUSED),
        ("http://host.invalid", NoAnswerKind.NAME),
    ):
        with pytest.raises(NoAnswer) as caught:
            client(origin).get("/")
        assert caught.value.kind is kind


def test_a_name_server_that_stays_silent_says_nothing_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> object:
        released.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    http = HttpClient(
        "http://slow.example", ClientContext.unrecorded(Timeouts(connect=0.1, answer=0.15), lambda: 9.0)
    )
    try:
        for _ in range(2):
            with pytest.raises(NoAnswer, match="no name server answered in time") as caught:
                http.get("/")
            assert caught.value.kind is NoAnswerKind.NAME
        with pytest.raises(KnownToHang) as hung:
            http.get("/")
    finally:
        released.set()
    assert hung.value.kind is NoAnswerKind.NAME, "that it hangs is no more about the address"
    by_number = ControlResult(ok=True, message="a control answered", by_name=False)
    assert outcome_of(hung.value, lambda: by_number).status is Status.ERROR


def test_every_request_is_recorded_with_its_outcome() -> None:
    exchanges: list[Exchange] = []
    good = answer(b"{}", head="X-Request-Id: abc-1")
    with Server(Script([saying(good), HOSTILE["body-cut"]])) as server:
        http = client(server.origin, exchanges=exchanges)
        http.get("/a", params={"token": "hush", "page": 2, "none": None, "on": True})
        with pytest.raises(NoAnswer):
            http.post("/b", json={})
    first, second = exchanges
    assert (first.method, first.status, first.request_id, first.problem) == ("GET", 200, "abc-1", "")
    assert first.url == f"{server.origin}/a?token=***&page=2&on=true"
    assert (second.method, second.status) == ("POST", None)
    assert "in the middle of its answer" in second.problem
    assert first.duration_ms > 0
    assert b"token=hush&page=2&on=true" in server.asked[0]


def test_what_is_asked_for_is_plain() -> None:
    with Server(OK) as server:
        client(server.origin).get("/a?b=c")
    head = server.asked[0].lower()
    assert head.startswith(b"get /a?b=c http/1.1")
    assert b"accept-encoding: identity" in head
    assert b"user-agent: kamiyo-verify/1 (+deployment verification)" in head


def test_redirects_are_followed_within_the_origin() -> None:
    exchanges: list[Exchange] = []
    with Server(Script([redirecting("/there?x=1"), redirecting("again"), OK])) as server:
        came = client(server.origin, exchanges=exchanges).get("/here", headers={"X-API-Key": KEY})
    assert came.status == 200
    assert came.url == f"{server.origin}/again"
    assert [exchange.status for exchange in exchanges] == [302, 302, 200]
    assert all(KEY.encode() in asked for asked in server.asked)


def test_a_redirect_without_end_ends_as_the_redirect_itself() -> None:
    with Server(redirecting("/again")) as server:
        came = client(server.origin).get("/")
    assert came.status == 302
    assert len(server.asked) == 6
    assert "answered 302 to /again where 200 was expected" in came.mismatch("200")


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_a_redirect_to_another_origin_is_the_answer_and_no_key_travels(status: str) -> None:
    with Server(OK) as other, Server(redirecting(f"{other.origin}/steal", status)) as server:
        http = client(server.origin)
        came = http.get("/", headers={"X-API-Key": KEY}, cookies={"session": KEY})
        http.post("/", content=b"x", headers={"Authorization": f"Bearer {KEY}"})
    assert came.status == int(status[:3])
    assert other.connections == 0


def test_the_same_host_with_another_port_or_scheme_is_another_origin() -> None:
    with Server(Script([redirecting("https://127.0.0.1:1/"), redirecting("//127.0.0.1:1/x")])) as server:
        assert client(server.origin).get("/").status == 302
        assert client(server.origin).get("/").status == 302


def test_a_post_is_never_redirected() -> None:
    with Server(redirecting("/other")) as server:
        assert client(server.origin).post("/", content=b"").status == 302
    assert len(server.asked) == 1


@pytest.mark.parametrize("path", ["x", "//evil.example/", "/\\evil.example", "@evil.example", "/\ud800"])
def test_no_path_leads_out_of_the_origin(path: str) -> None:
    exchanges: list[Exchange] = []
    with Server(OK) as server:
        try:
            came = client(server.origin, exchanges=exchanges).get(path)
        except NoAnswer as refused:
            assert refused.kind is NoAnswerKind.UNUSABLE  # noqa: PT017 - either is right
        else:
            assert came.url.startswith(server.origin + "/")


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX: y", "caf\xe9", "a\0b"])
def test_a_credential_that_no_header_can_carry_is_named_not_shown(value: str) -> None:
    with Server(OK) as server, pytest.raises(NoAnswer, match="X-API-Key") as caught:
        client(server.origin).get("/", headers={"X-API-Key": value})
    assert caught.value.kind is NoAnswerKind.CREDENTIAL
    assert value not in str(caught.value)
    assert server.connections == 0


def test_a_line_end_that_clings_to_a_credential_comes_off() -> None:
    with Server(OK) as server:
        client(server.origin).get("/", headers={"X-API-Key": KEY + "\n"})
    assert f"X-API-Key: {KEY}\r\n".encode() in server.asked[0]


def test_a_connection_that_went_stale_is_replaced_for_get_only() -> None:
    def once(peer: Peer) -> None:
        peer.hear()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        peer.asked = b""
        peer.hear()
        peer.line.close()

    with Server(once) as server:
        http = client(server.origin)
        assert [http.get("/").status, http.get("/").status] == [200, 200]
        assert server.connections == 2
        with pytest.raises(NoAnswer) as caught:
            http.post("/", content=b"")
        assert caught.value.kind is NoAnswerKind.CUT
        http.close()


def test_a_standing_connection_costs_no_set_up() -> None:
    def staying(peer: Peer) -> None:
        while peer.hear():
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            peer.asked = b""

    with Server(staying) as server:
        http = client(server.origin)
        first, second = http.get_once("/"), http.get_once("/")
        http.close()
    assert first.connecting_ms > 0
    assert second.connecting_ms == 0
    assert 0 < second.first_byte_ms <= second.elapsed_ms


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    with Server(saying(answer(pack(b'{"a": 1}'), head=f"Content-Encoding: {encoding}"))) as server:
        assert client(server.origin).get("/").json() == {"a": 1}


@pytest.mark.parametrize("name", ["gzip-bomb", "endless-body"])
def test_no_body_is_more_than_a_mebibyte(name: str) -> None:
    with Server(HOSTILE[name]) as server:
        came = client(server.origin).get("/")
    assert came.truncated
    assert len(came.body) == 1024 * 1024
    with pytest.raises(WrongAnswer, match="more than 1 MiB"):
        came.json()


@pytest.mark.parametrize("name", ["body-cut", "reset", "gzip-broken"])
def test_an_answer_that_is_lost_is_not_kept_in_memory(name: str) -> None:
    """What was caught on the way has the body in its frames, and a run may hold thousands of failures."""
    with Server(HOSTILE[name]) as server, pytest.raises(NoAnswer) as caught:
        client(server.origin).get("/health")
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    names = {entry.name for entry in caught.traceback}
    assert not names & {"send", "unpack", "read_body"}


def test_an_interim_answer_is_passed_over() -> None:
    with Server(saying(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"7"))) as server:
        assert client(server.origin).get("/").json() == 7


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def throttle(self) -> Throttle:
        return Throttle(clock=lambda: self.now, sleep=self.sleep)


def limited(*heads: str) -> Behaviour:
    return saying(answer(b"{}", "429 Too Many", "\r\n".join(heads)))


def test_a_429_is_waited_out_where_it_fits() -> None:
    clock = Clock()
    with Server(Script([limited("Retry-After: 7"), OK])) as server:
        assert client(server.origin, throttle=clock.throttle()).get("/x").status == 200
    assert clock.slept == [7]


def test_a_wait_that_does_not_fit_is_no_answer_and_others_do_not_ask_at_all() -> None:
    clock = Clock()
    throttle = clock.throttle()
    with Server(limited("Retry-After: 60", "X-RateLimit-Tier: team")) as server:
        for _ in range(30):
            with pytest.raises(NoAnswer, match=r"asks to wait 60 s \(tier team\), 25 s are left") as caught:
                client(server.origin, throttle=throttle, remaining=lambda: 25.0).get("/x")
            assert caught.value.kind is NoAnswerKind.RATE_LIMITED
        assert len(server.asked) == 1
        with pytest.raises(NoAnswer):
            client(server.origin, throttle=throttle, remaining=lambda: 25.0).get(
                "/x", headers={"X-API-Key": KEY}
            )
        assert len(server.asked) == 2, "another key has limits of its own"
        with pytest.raises(NoAnswer):
            client(server.origin, throttle=throttle, remaining=lambda: 25.0).get("/health")
        assert len(server.asked) == 3, "/health is exempt from limits"
    assert clock.slept == []


def test_a_server_that_always_says_429_is_asked_ever_less_often() -> None:
    clock = Clock()
    until = clock.now + 30
    with Server(limited("Retry-After: 0")) as server, pytest.raises(NoAnswer) as caught:
        client(server.origin, throttle=clock.throttle(), remaining=lambda: until - clock.now).get("/x")
    assert caught.value.kind is NoAnswerKind.RATE_LIMITED
    assert clock.slept == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:30 GMT"}, 50),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:30 GMT"}, 1),
        ({"x-ratelimit-reset": "33"}, 33),
        ({"retry-after": "soon", "x-ratelimit-reset": "33"}, 33),
        ({"retry-after": "-5"}, 1),
        ({"retry-after": "nan"}, 1),
        ({"retry-after": "inf"}, 86_400),
        ({"retry-after": "1e300"}, 86_400),
        ({"retry-after": "9" * 5_000}, 86_400),
        ({"retry-after": "Thu, 99 Foo 99999 00:00:00 GMT"}, 1),
        ({"retry-after": "\xb2"}, 1),
        ({"retry-after": ""}, 1),
        ({}, 1),
    ],
)
def test_whatever_a_429_asks_for_becomes_seconds(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, now=100.0) == pytest.approx(seconds)


def test_a_reset_can_be_a_moment() -> None:
    assert retry_after({"x-ratelimit-reset": "1700000042"}, now=1_700_000_000.0) == 42


def test_a_timeout_within_too_little_time_is_no_evidence() -> None:
    with Server(silent) as server, pytest.raises(NoAnswer, match=r"only the 0\.1 s") as caught:
        client(server.origin, remaining=lambda: 0.1).get("/x")
    assert caught.value.kind is NoAnswerKind.UNUSABLE


def test_without_time_left_nobody_is_asked() -> None:
    with Server(OK) as server, pytest.raises(NoAnswer, match="no time left") as caught:
        client(server.origin, remaining=lambda: -1.0).get("/x")
    assert caught.value.kind is NoAnswerKind.UNUSABLE
    assert server.connections == 0


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(OK) as proxy:
        monkeypatch.setenv("http_proxy", f"http://someone:hush-hush@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        assert client("http://host.invalid").get("/x").json() == {"ok": True}
    assert proxy.asked[0].startswith(b"GET http://host.invalid/x")
    assert b"Proxy-Authorization" in proxy.asked[0]


@pytest.mark.parametrize("address", ["", "socks5://someone:hush-hush@127.0.0.1:1", "gopher://a:hush-hush@b"])
def test_a_proxy_that_refuses_or_cannot_be_used_says_so_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with Server(saying(answer(b"", "403 Forbidden"))) as proxy:
        monkeypatch.setenv("https_proxy", address or f"http://someone:hush-hush@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(NoAnswer, match="proxy") as caught:
            client("https://host.invalid").get("/x")
    assert caught.value.kind is NoAnswerKind.LOCAL
    assert "hush" not in str(caught.value)


def made(body: bytes = b"{}", status: int = 200, **headers: str) -> Answer:
    named = httpx2.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer("GET", "http://a.example/health?token=hush", status, named, body, 1.0)


def test_a_wrong_field_is_named_with_what_was_expected() -> None:
    body = json.dumps({"total_chains": "many", "chains": [{"chain": "a", "exploit_count": -1}]}).encode()
    with pytest.raises(WrongAnswer) as caught:
        made(body).parse(Chains)
    assert str(caught.value) == (
        "GET /health?token=*** answered 200 with another shape than Chains: "
        "total_chains: Input should be a valid integer, not 'many'; "
        "chains.0.exploit_count: Input should be greater than or equal to 0, not -1"
    )


def test_a_missing_field_is_named() -> None:
    with pytest.raises(WrongAnswer, match=r"status: Field required.*and 3 more"):
        made(b"{}").parse(Health)


def test_told_shows_what_came_and_what_was_expected() -> None:
    assert made(b"Oops\n <b>", 500).mismatch("200") == (
        "GET /health?token=*** answered 500 where 200 was expected: Oops <b>"
    )


def test_usable_is_any_answer_below_500() -> None:
    fine = made(status=404)
    assert fine.usable() is fine
    with pytest.raises(NoAnswer) as caught:
        made(status=503).usable()
    assert caught.value.kind is NoAnswerKind.UNUSABLE
    assert caught.value.origin == "http://a.example"


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        (b"", "text/plain", "an empty body"),
        (b"\x00\x01" * 50, "image/png", "100 bytes of image/png"),
        (b"\x1b[2Jhi\r\n\x07", "text/plain", "\\x1b[2Jhi \\x07"),
        ("a\u202eb".encode(), "text/plain", "a\\u202eb"),
        ("é".encode("latin-1"), "text/plain; charset=latin-1", "é"),
        (b"a" * 999, "text/plain", "a" * 299 + "…"),
    ],
)
def test_an_excerpt_is_short_and_inert(body: bytes, kind: str, shown: str) -> None:
    assert made(body, content_type=kind).excerpt == shown


def test_an_answer_shows_no_body_or_header_by_itself() -> None:
    assert "hush" not in repr(made(b"hush", set_cookie="session=hush"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@a.example:8/x?y=1", "https://a.example:8/x?y=1"),
        ("https://a.example/?Token=hush&page=1&CODE=hush", "https://a.example/?Token=***&page=1&CODE=***"),
        ("https://a.example/#session=hush", "https://a.example/#session=***"),
        ("http://[::1", "(an unreadable address)"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_whatever_is_shown_is_printable() -> None:
    text = "".join(map(chr, itertools.chain(range(0x300), range(0xD7F0, 0xD810), range(0x2000, 0x2070))))
    assert readable(text, longest=9_999).isprintable()
    readable(text).encode()


def test_a_dripping_answer_that_ends_in_time_is_an_answer() -> None:
    with Server(dripping(b"HTTP/1.0 200 OK\r\n\r\n7")) as server:
        assert client(server.origin).get("/").json() == 7
