"""Requests that never leave this machine, or its proxy, show nothing of the service."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidProxy, InvalidProxyStatus
from websockets.http11 import Response

from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.http.problems import no_answer
from kamiyo_verify.http.sending.ways import another_way
from kamiyo_verify.integrations.browser.tab import _lost
from kamiyo_verify.integrations.websocket.conventions import Conventions
from kamiyo_verify.integrations.websocket.refusals import refusal
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.effects import by_endpoint
from kamiyo_verify.judge.statistics.endpoints import error_series
from kamiyo_verify.model.outcomes import OWN_SIDE, NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status
from tests.support.evidence_for import HEALTH, RUNBOOK, evidence, result
from tests.support.hostile_server import Server, answer, saying

SHOP = "https://shop.test"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def control() -> ControlResult:
    return ControlResult(ok=True, message="http://control.test answers", by_name=True)


def lost_through(
    proxy: str, monkeypatch: pytest.MonkeyPatch, origin: str = SHOP
) -> tuple[NoAnswer, Exchange]:
    """How a request to a host behind that proxy is lost, and its record."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("ALL_PROXY", proxy)
    record: list[Exchange] = []
    context = ClientContext(Timeouts(connect=0.5, answer=1, item=9), record.append, lambda: 9.0)
    with pytest.raises(NoAnswer) as caught:
        HttpClient(origin, context).get("/x")
    [sent] = record
    return caught.value, sent


@pytest.mark.parametrize(
    "number",
    [
        *(
            errno.ENETUNREACH,
            errno.ENETDOWN,
            errno.EADDRNOTAVAIL,
            errno.EADDRINUSE,
            errno.EACCES,
            errno.EPERM,
        ),
        *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT),
    ],
    ids=errno.errorcode.get,
)
def test_what_this_machine_cannot_send_is_no_failure_of_the_service(number: int) -> None:
    lost = no_answer(OSError(number, os.strerror(number)), SHOP, 0.1, connected=False)
    found = outcome_of(lost, control)

    assert lost.kind is NoAnswerKind.LOCAL
    assert str(lost).startswith(f"{SHOP} was not reached: the request {OWN_SIDE}, as it")
    assert (found.status, found.attribution) == (Status.ERROR, Attribution.PROBER)
    assert (found.failure, found.repeatable) == (FailureKind.OWN_SIDE, True)


@pytest.mark.parametrize(
    "number",
    [errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EPIPE],
    ids=errno.errorcode.get,
)
def test_what_comes_from_the_other_side_counts_against_the_service(number: int) -> None:
    lost = no_answer(OSError(number, os.strerror(number)), SHOP, 0.1, connected=False)
    assert outcome_of(lost, control).status is Status.FAILED


@pytest.mark.parametrize(
    "status", ["407 Proxy Authentication Required", "403 Forbidden", "500 Broken", "404 No"]
)
def test_a_proxy_that_refuses_a_tunnel_is_ours(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(saying(answer(b"", status))) as proxy:
        lost, sent = lost_through(proxy.origin, monkeypatch)

    assert str(lost).endswith(f"the request {OWN_SIDE}, as its proxy answers {status[:3]}")
    assert (lost.kind, sent.status, sent.problem) == (NoAnswerKind.LOCAL, None, str(lost))


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
@pytest.mark.parametrize("origin", [SHOP, "http://shop.test"])
def test_a_proxy_that_reaches_nobody_is_held_against_a_control_behind_it(
    status: str, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(saying(answer(b"", status))) as proxy:
        lost, _ = lost_through(proxy.origin, monkeypatch, origin)
        behind = ControlResult(ok=True, message="", by_name=True, address="http://control.test/")
        beside = replace(behind, address="http://127.0.0.1:80/")

        assert lost.kind is NoAnswerKind.UNREACHABLE
        assert str(lost) == f"{origin} cannot be reached: the proxy of this machine answers {status[:3]}"
        assert outcome_of(lost, lambda: behind).status is Status.FAILED
        found = outcome_of(lost, lambda: beside)
    assert (found.status, found.attribution) == (Status.ERROR, Attribution.UNKNOWN)
    assert "http://127.0.0.1:80/ answers, but past the proxy" in found.message


@pytest.mark.parametrize("origin", [SHOP, "http://shop.test"])
def test_a_proxy_that_takes_no_connection_is_never_taken_for_the_service(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:  # bound and not listening: it refuses
        closed.bind(("127.0.0.1", 0))
        lost, _ = lost_through(f"http://127.0.0.1:{closed.getsockname()[1]}", monkeypatch, origin)
    assert lost.kind is NoAnswerKind.LOCAL
    assert str(lost).endswith("as its proxy takes no connection")


@pytest.mark.parametrize("proxy", ["http://proxy.invalid:3128", "foo bar:://", "ftp://proxy", "http://[::1"])
def test_a_proxy_that_is_not_there_or_no_address_is_ours(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lost_through(proxy, monkeypatch)[0].kind is NoAnswerKind.LOCAL


def test_an_http_proxys_own_demand_for_a_password_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(saying(answer(b"", "407 Proxy Authentication Required"))) as proxy:
        assert lost_through(proxy.origin, monkeypatch, "http://shop.test")[0].kind is NoAnswerKind.LOCAL


@pytest.mark.parametrize("status", ["500 Broken", "429 Too Many", "404 Not Found", "200 OK"])
def test_other_answers_through_an_http_proxy_are_the_services(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(saying(answer(b"", status))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        context = ClientContext(Timeouts(connect=2, answer=5, item=9), lambda _: None, lambda: 9.0)
        assert HttpClient("http://shop.test", context).get_once("/x").status == int(status[:3])


def test_a_portal_of_this_network_is_ours() -> None:
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), lambda _: None, lambda: 9.0)
    with (
        Server(saying(answer(b"", "511 Network Authentication Required"))) as portal,
        pytest.raises(NoAnswer, match="a portal of its network asks it to sign in") as caught,
    ):
        HttpClient(portal.origin, context).get("/x")
    assert caught.value.kind is NoAnswerKind.LOCAL


@pytest.mark.parametrize("setting", ["/nowhere.pem", "/dev/null"])
def test_certificates_that_cannot_be_read_are_ours(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", setting)
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), lambda _: None, lambda: 9.0)
    with pytest.raises(NoAnswer) as caught:
        HttpClient("https://127.0.0.1:9", context).get("/x")
    assert caught.value.kind is NoAnswerKind.LOCAL


@pytest.mark.parametrize(
    "code", ["PROXY_CONNECTION_FAILED", "TUNNEL_CONNECTION_FAILED", "INTERNET_DISCONNECTED"]
)
def test_what_a_browser_cannot_send_is_ours(code: str) -> None:
    lost = _lost(f"{SHOP}/x", f"page.goto: net::ERR_{code} at {SHOP}/x")
    assert isinstance(lost, NoAnswer)
    assert lost.kind is NoAnswerKind.LOCAL


def test_a_websocket_that_the_proxy_refuses_is_ours() -> None:
    for problem in (InvalidProxyStatus(Response(407, "x", None)), InvalidProxy("x", "y")):  # type: ignore[arg-type]
        lost, _ = refusal(problem, SHOP, SHOP, 0.1, Conventions())
        assert isinstance(lost, NoAnswer)
        assert lost.kind is NoAnswerKind.LOCAL


@pytest.mark.parametrize(
    ("origin", "address", "way"),
    [
        ("https://[2001:db8::1]:443", "https://192.0.2.1/", "by IPv4, which shows nothing of IPv6"),
        ("https://[2001:db8::1]", "https://[2001:db8::2]/", ""),
        ("https://192.0.2.2", "https://[2001:db8::2]/", ""),
        ("https://192.0.2.2", "https://192.0.2.1/", ""),
        ("http://[::1]:80", "https://192.0.2.1/", ""),
        ("https://direct.test", "https://192.0.2.1/", "by a proxy"),
        ("https://192.0.2.2", "https://direct.test", "past the proxy"),
        ("http://127.0.0.1:80", "https://direct.test", ""),
        ("", "https://direct.test", ""),
    ],
)
def test_a_control_shows_only_its_own_way(
    origin: str, address: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "direct.test" in origin + address:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test")
        monkeypatch.setenv("NO_PROXY", "direct.test")
    assert another_way(address, origin) == way


def test_such_requests_are_no_outage_and_no_failing_requests() -> None:
    lost = no_answer(OSError(errno.ENETUNREACH, ""), SHOP, 0.1)
    sent = Exchange("GET", f"{SHOP}/x", None, 1.0, problem=str(lost))
    many = tuple(replace(sent, at=f"2026-11-23T14:10:{second:02}+00:00") for second in range(30))
    item = result(HEALTH, Status.ERROR, str(lost), attribution=Attribution.PROBER, exchanges=many)
    item = replace(item, failure=FailureKind.OWN_SIDE)
    verdict = decide(evidence(item))

    assert timelines({"api": SHOP}, many) == ()
    assert by_endpoint(many, 0.95) == ()
    assert error_series(evidence(replace(item, attribution=None))) == ()
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert "as it has no route to that network" in verdict.headline
    assert "mend this machine, or look from another one" in verdict.next_step


def test_a_fault_of_this_machine_hides_no_ground() -> None:
    broken = replace(result("postdeploy.sign-in", Status.FAILED), failure=FailureKind.SERVER_ERROR)
    ours = result(HEALTH, Status.ERROR, attribution=Attribution.PROBER, failure=FailureKind.OWN_SIDE)
    assert decide(evidence(broken, ours, runbook=RUNBOOK)).recommendation is Action.ROLL_BACK
