"""Every generic check passes on a healthy service and fails under what it exists for."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme
from pydantic import SecretStr

from kamiyo_verify.checks import library
from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import (
    NoAnswer,
    NotApplicable,
    Refused,
    ServerBroke,
    Unverified,
    WrongAnswer,
    WrongFormat,
    WrongStatus,
)
from kamiyo_verify.model.services import CommitSource, DeclaredCredential, SentAs
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Mutations

Said = tuple[int, dict[str, str], str]
PAGE = {"Content-Type": "text/html"}


@contextmanager
def serving(said: dict[str, Said], secure: ssl.SSLContext | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            key = f"{self.command} {self.path}"
            if "Authorization" in self.headers or "Cookie" in self.headers:
                key = f"{key} as ann" if f"{key} as ann" in said else key
            status, headers, body = said.get(key, (404, {}, "{}"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = _answer  # noqa: N815 - named by http.server

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if secure:
            server.socket = secure.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http{'s' if secure else ''}://127.0.0.1:{server.server_port}"
        server.shutdown()


def opened(origin: str, credential: DeclaredCredential | None = None) -> ServiceClient:
    http = HttpClient(origin, ClientContext.unrecorded(Timeouts(), lambda: 20.0))
    return ServiceClient(http, credential, Mutations.FORBIDDEN, lambda _: None)


class Measured(dict[str, object]):
    def __call__(self, name: str, value: object, unit: str = "") -> None:  # noqa: ARG002 - as the fixture has it
        self[name] = value


Call = Callable[[ServiceClient, Measured], object]


def account(send: SentAs = SentAs.JSON) -> DeclaredCredential:
    variable = Credential(name="NOTES_PASSWORD", value=SecretStr("opensesame"))
    return DeclaredCredential(variable=variable, send=send, user="ann", services=("notes",))


OK: Said = (200, {}, "{}")
CASES: dict[str, tuple[Call, dict[str, Said], list[tuple[dict[str, Said], type[Exception]]]]] = {
    "answers": (
        lambda service, measure: library.answers(service, "/up", measure),
        {"GET /up": OK},
        [({"GET /up": (503, {}, "")}, ServerBroke), ({}, WrongStatus)],
    ),
    "answers with no page": (
        lambda service, measure: library.answers(service, "/up", measure, no_page=True),
        {"GET /up": (200, {"Content-Type": "text/plain"}, "ok")},
        [
            ({"GET /up": (200, PAGE, "<title>Notes</title>")}, WrongFormat),
            ({"GET /up": (200, {}, "<!doctype html><title>Notes</title>")}, WrongFormat),
        ],
    ),
    "answers, and is not well by itself": (
        lambda service, measure: library.answers(service, "/up", measure),
        {
            "GET /up": (
                200,
                {},
                '{"status": "degraded", "checks": {"status": "down"}, "ok": true, "code": "error"}',
            )
        },
        [
            ({"GET /up": (200, {}, '{"status": "DOWN"}')}, Unverified),
            ({"GET /up": (200, {}, '{"status": "Out-Of-Service"}')}, Unverified),
            ({"GET /up": (200, {}, '{"healthy": false}')}, Unverified),
        ],
    ),
    "title": (
        lambda service, measure: library.shows_title(service, "/", "Notes", measure),
        {"GET /": (200, PAGE, "<title>My Notes</title>")},
        [
            ({"GET /": (200, PAGE, "<title>Welcome to nginx</title>")}, WrongAnswer),
            ({"GET /": (200, {}, "{}")}, WrongAnswer),
        ],
    ),
    "keys": (
        lambda service, measure: library.has_keys(service, "/v", ("version",), measure),
        {"GET /v": (200, {}, '{"version": 1, "more": 2}')},
        [({"GET /v": OK}, WrongAnswer), ({"GET /v": (200, {}, "[]")}, WrongFormat)],
    ),
    "rows": (
        lambda service, measure: library.has_rows(service, "/n", measure, within="data.items"),
        {"GET /n": (200, {}, json.dumps({"data": {"items": [1, 2]}}))},
        [
            ({"GET /n": (200, {}, json.dumps({"data": {"items": []}}))}, WrongAnswer),
            ({"GET /n": (200, {}, json.dumps({"data": {"items": [None, None]}}))}, WrongAnswer),
            ({"GET /n": (200, {}, json.dumps({"data": {}}))}, WrongFormat),
            ({"GET /n": (200, {}, json.dumps({"data": {"items": 3}}))}, WrongFormat),
            ({"GET /n": (500, {}, "")}, ServerBroke),
        ],
    ),
    "strangers": (
        lambda service, measure: library.refuses_strangers(service, "/admin", measure),
        {"GET /admin": (401, {}, "")},
        [
            ({"GET /admin": (200, {}, '{"users": 2}')}, WrongAnswer),
            ({"GET /admin": (502, {}, "")}, ServerBroke),
        ],
    ),
    "https": (
        lambda service, measure: library.redirects_to_https(service, "/", measure),
        {"GET /": (301, {"Location": "https://notes.example/"}, "")},
        [
            ({"GET /": OK}, WrongAnswer),
            ({"GET /": (301, {"Location": "http://a.example/"}, "")}, WrongAnswer),
        ],
    ),
    "headers": (
        lambda service, measure: library.sends_headers(service, "/", measure, headers=("X-Frame-Options",)),
        {"GET /": (200, {"X-Frame-Options": "DENY"}, "")},
        [({"GET /": OK}, WrongAnswer)],
    ),
    "hardened": (
        lambda service, measure: library.sends_headers(service, "/", measure),
        {"GET /": (200, {"Strict-Transport-Security": "max-age=1", "X-Content-Type-Options": "NoSniff"}, "")},
        [
            ({"GET /": (200, {"X-Content-Type-Options": "nosniff"}, "")}, WrongAnswer),
            (
                {
                    "GET /": (
                        200,
                        {"Strict-Transport-Security": "max-age=1", "X-Content-Type-Options": "no"},
                        "",
                    )
                },
                WrongAnswer,
            ),
        ],
    ),
    "cors": (
        lambda service, measure: library.allows_origin(service, "/", "https://a.example", measure),
        {"GET /": (200, {"Access-Control-Allow-Origin": "https://a.example"}, "")},
        [
            ({"GET /": OK}, WrongAnswer),
            ({"GET /": (200, {"Access-Control-Allow-Origin": "https://b.example"}, "")}, WrongAnswer),
        ],
    ),
    "foreign": (
        lambda service, measure: library.refuses_origin(service, "/", "https://b.example", measure),
        {"GET /": (200, {"Access-Control-Allow-Origin": "https://a.example"}, "")},
        [
            ({"GET /": (200, {"Access-Control-Allow-Origin": "https://b.example"}, "")}, WrongAnswer),
            ({"GET /": (404, {"Access-Control-Allow-Origin": "*"}, "")}, WrongAnswer),
            ({"GET /": (503, {}, "")}, ServerBroke),
        ],
    ),
    "commit": (
        lambda service, measure: library.serves_commit(
            service, "0123456789", CommitSource(header="X-Commit"), measure
        ),
        {"GET /": (200, {"X-Commit": "0123456789abcdef"}, "")},
        [({"GET /": (200, {"X-Commit": "fedcba9876543210"}, "")}, WrongAnswer), ({"GET /": OK}, WrongAnswer)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_healthy_service_passes_and_is_measured(case: str) -> None:
    call, healthy, _ = CASES[case]
    measured = Measured()
    with serving(healthy) as origin:
        call(opened(origin), measured)
    assert measured


@pytest.mark.parametrize(
    ("case", "number"), [(case, n) for case, (_, _, bad) in CASES.items() for n in range(len(bad))]
)
def test_a_broken_service_fails(case: str, number: int) -> None:
    call, _, bad = CASES[case]
    said, why = bad[number]
    with serving(said) as origin, pytest.raises(why):
        call(opened(origin), Measured())


@pytest.mark.parametrize(
    ("send", "request_line", "signed_in"),
    [
        (SentAs.JSON, "POST /login", {"POST /login": (200, {}, '{"token": "abc"}')}),
        (SentAs.FORM, "POST /login", {"POST /login": (200, {"Set-Cookie": "session=abc"}, "Welcome")}),
        (SentAs.BASIC, "GET /login", {"GET /login": (401, {}, ""), "GET /login as ann": OK}),
    ],
)
def test_every_way_to_sign_in(send: SentAs, request_line: str, signed_in: dict[str, Said]) -> None:
    with serving(signed_in) as origin:
        library.signs_in(opened(origin, account(send)), "/login", Measured())
    with serving({request_line: OK}) as origin, pytest.raises(Unverified, match="does not show whether"):
        library.signs_in(opened(origin, account(send)), "/login", Measured())
    with serving({request_line: (401, {}, "")}) as origin, pytest.raises(Refused, match="NOTES_PASSWORD"):
        library.signs_in(opened(origin, account(send)), "/login", Measured())
    with serving({request_line: (500, {}, "")}) as origin, pytest.raises(ServerBroke):
        library.signs_in(opened(origin, account(send)), "/login", Measured())


def test_what_is_not_configured_is_said() -> None:
    with pytest.raises(Unverified, match="nothing tells which commit answers"):
        library.serves_commit(opened("http://127.0.0.1:1"), "0123456789", CommitSource(), Measured())
    with pytest.raises(NotApplicable):
        library.serves_commit(opened("http://127.0.0.1:1"), "", CommitSource(), Measured())
    with pytest.raises(Unverified, match="nobody can sign in"):
        library.signs_in(opened("http://127.0.0.1:1"), "/login", Measured())
    with pytest.raises(NotApplicable, match="not https"):
        library.certificate_lasts(opened("http://127.0.0.1:1"), Measured())


def test_a_certificate_that_ends_soon_and_one_that_nobody_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    for days, issuer, why in ((90, authority, None), (3, authority, WrongAnswer), (90, stranger, NoAnswer)):
        issued = issuer.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=days))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        with serving({}, context) as origin:
            if why is None:
                measured = Measured()
                library.certificate_lasts(opened(origin), measured)
                assert 89 < float(str(measured["certificate_days"])) < 91
            else:
                with pytest.raises(why):
                    library.certificate_lasts(opened(origin), Measured())
