"""TLS: whom the clients trust, and which of its troubles they tell apart."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from kamiyo_platform.realtime import RealtimeClient
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.timing import TimingClient
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from tests.support.hostile_server import Peer, Server, answer, saying

TIMEOUTS = Timeouts(connect=5, answer=5)
OK = saying(answer(b"{}"))


def plain(peer: Peer) -> None:
    """A server without TLS, to which a handshake is a bad request."""
    peer.line.recv(65_536)
    peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.hold()


Ask = Callable[[str], object]


def by_http(origin: str) -> object:
    return HttpClient(origin, ClientContext.unrecorded(TIMEOUTS, lambda: 30.0)).get("/").status


def by_curl(origin: str) -> object:
    timing = TimingClient(ClientContext.unrecorded(TIMEOUTS, lambda: 30.0))
    return timing.breakdown(origin + "/").status


def by_websocket(origin: str) -> object:
    realtime = RealtimeClient(
        "ws" + origin.removeprefix("http") + "/ws",
        Credential(name="KEY", value=SecretStr("hush")),
        ClientContext.unrecorded(TIMEOUTS, lambda: 30.0),
    )
    with realtime.connect():
        return None


every_client = pytest.mark.parametrize("ask", [by_http, by_curl, by_websocket])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The authority, which SSL_CERT_FILE names."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return authority


def tls(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    return context


def lost(ask: Ask, server: Server) -> NoAnswer:
    with server, pytest.raises(NoAnswer) as caught:
        ask(server.origin)
    assert caught.value.kind is NoAnswerKind.TLS
    return caught.value


@pytest.mark.parametrize("ask", [by_http, by_curl])
def test_an_authority_that_ssl_cert_file_names_is_trusted(ask: Ask, trusted: trustme.CA) -> None:
    with Server(OK, tls(trusted.issue_cert("127.0.0.1"))) as server:
        assert ask(server.origin) == 200


@every_client
def test_an_unknown_authority_is_not_trusted(ask: Ask, authority: trustme.CA) -> None:
    problem = lost(ask, Server(OK, tls(authority.issue_cert("127.0.0.1"))))
    assert "issuer" in str(problem)


@every_client
def test_an_expired_certificate_is_called_so(ask: Ask, trusted: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    leaf = trusted.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday)
    assert "its certificate has expired" in str(lost(ask, Server(OK, tls(leaf))))


@every_client
def test_a_certificate_for_another_host_is_called_so(ask: Ask, trusted: trustme.CA) -> None:
    problem = lost(ask, Server(OK, tls(trusted.issue_cert("other.example"))))
    assert "its certificate is" in str(problem)


@every_client
def test_a_port_without_tls_is_called_so(ask: Ask) -> None:
    with Server(plain) as server, pytest.raises(NoAnswer) as caught:
        ask(server.origin.replace("http:", "https:"))
    assert caught.value.kind is NoAnswerKind.TLS


def test_a_server_that_speaks_plain_http_is_told_by_name() -> None:
    with Server(plain) as server, pytest.raises(NoAnswer, match="speaks no TLS on that port"):
        by_http(server.origin.replace("http:", "https:"))


@every_client
def test_plain_http_to_a_tls_port_is_cut_or_wrong(ask: Ask, trusted: trustme.CA) -> None:
    with Server(OK, tls(trusted.issue_cert("127.0.0.1"))) as server, pytest.raises(NoAnswer) as caught:
        ask(server.origin.replace("https:", "http:"))
    assert caught.value.kind is NoAnswerKind.CUT


@every_client
def test_a_bundle_that_cannot_be_read_is_our_own_trouble(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with pytest.raises(NoAnswer, match="failed on this machine, as SSL_CERT_FILE") as caught:
        ask("https://127.0.0.1:1")
    assert caught.value.kind is NoAnswerKind.LOCAL
