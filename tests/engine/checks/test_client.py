"""Declared credentials: sent as the file says, to its services alone, shown nowhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from kamiyo_verify.checks.client import Effect, ServiceClient
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import Refused, Unverified
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.services import DeclaredCredential, SentAs
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Mutations

SECRET = "s3cr&t of notes"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent; /away redirects to another origin, /refused answers 401."""

    seen: ClassVar[list[tuple[str, str, dict[str, str]]]] = []
    away: ClassVar[str] = ""

    def answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        self.seen.append((self.command, self.path, dict(self.headers.items())))
        told = json.dumps({"headers": dict(self.headers.items()), "path": self.path, "body": body}).encode()
        status = 302 if self.path.startswith("/away") else 401 if self.path.startswith("/refused") else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"{self.away}/landed")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - named by http.server

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@contextmanager
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as running:
        thread = Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def origin() -> Iterator[str]:
    Echo.seen = []
    with server() as own:
        yield own


def declared(send: SentAs, value: str | None = SECRET, **more: Any) -> DeclaredCredential:
    variable = Credential(name="NOTES_SECRET", value=SecretStr(value) if value else None)
    return DeclaredCredential(variable=variable, send=send, services=("notes",), **more)


def client(
    origin: str,
    credential: DeclaredCredential | None,
    *,
    mutations: Mutations = Mutations.ALLOWED,
    record: list[Exchange] | None = None,
    once: list[str] | None = None,
) -> ServiceClient:
    noted: list[Exchange] = [] if record is None else record
    http = HttpClient(origin, ClientContext(Timeouts(), noted.append, lambda: 20.0))
    return ServiceClient(http, credential, mutations, ([] if once is None else once).append)


WAYS = [
    (declared(SentAs.HEADER, field="X-Notes-Key"), "X-Notes-Key", SECRET),
    (declared(SentAs.BEARER), "Authorization", f"Bearer {SECRET}"),
    (
        declared(SentAs.BASIC, user="ann"),
        "Authorization",
        "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode(),
    ),
    (declared(SentAs.COOKIE, field="sid"), "Cookie", f"sid={SECRET}"),
]


@pytest.mark.parametrize(("credential", "header", "value"), WAYS)
def test_a_credential_is_sent_as_declared(
    origin: str, credential: DeclaredCredential, header: str, value: str
) -> None:
    client(origin, credential).get("/notes", params={"page": 2})

    _, path, headers = Echo.seen[0]
    assert (path, headers[header]) == ("/notes?page=2", value)


def test_a_credential_in_the_query_joins_the_other_parameters(origin: str) -> None:
    client(origin, declared(SentAs.QUERY, field="k")).get("/notes", params={"page": 2})
    assert Echo.seen[0][1] == "/notes?page=2&k=s3cr%26t+of+notes"


@pytest.mark.parametrize("credential", [*(way[0] for way in WAYS), declared(SentAs.QUERY, field="k")])
def test_no_message_and_no_evidence_shows_a_credential_that_the_server_echoes(
    origin: str, credential: DeclaredCredential
) -> None:
    record: list[Exchange] = []
    answer = client(origin, credential, record=record).get("/notes")

    shown = f"{answer.mismatch('201')} {answer.search('s3cr.*')} {record}"
    assert "s3cr" not in shown
    assert base64.b64encode(f"ann:{SECRET}".encode()).decode() not in shown


@pytest.mark.parametrize("credential", [*(way[0] for way in WAYS), declared(SentAs.QUERY, field="k")])
def test_a_credential_never_reaches_another_origin(origin: str, credential: DeclaredCredential) -> None:
    with server() as other:
        Echo.away = other
        answer = client(origin, credential).get("/away")

    assert answer.status == 302
    assert [path.partition("?")[0] for _, path, _ in Echo.seen] == ["/away"]


def test_evidence_names_the_variable_and_how_it_fared(origin: str) -> None:
    record: list[Exchange] = []
    notes = client(origin, declared(SentAs.BEARER), record=record)
    notes.get("/notes")
    with pytest.raises(Refused, match="NOTES_SECRET") as refused:
        notes.accepted(notes.get("/refused"))

    assert [(one.credential, one.accepted) for one in record] == [
        ("NOTES_SECRET", True),
        ("NOTES_SECRET", False),
    ]
    assert refused.value.refusal.variable == "NOTES_SECRET"


def test_a_missing_credential_is_named_and_nothing_is_sent(origin: str) -> None:
    with pytest.raises(Unverified, match="NOTES_SECRET is not set"):
        client(origin, declared(SentAs.BEARER, value=None)).get("/notes")
    assert Echo.seen == []


@pytest.mark.parametrize("method", ["put", "patch", "post", "delete"])
def test_forbidden_mutations_send_nothing(origin: str, method: str) -> None:
    effect = {"effect": "idempotent"} if method in {"patch", "post"} else {}
    with pytest.raises(Unverified, match="forbidden"):
        getattr(client(origin, None, mutations=Mutations.FORBIDDEN), method)("/notes", **effect)
    assert Echo.seen == []


def test_every_method_is_spoken(origin: str) -> None:
    notes = client(origin, None)
    notes.put("/notes/1", json={"text": "a"})
    notes.patch("/notes/1", json={"text": "b"}, effect=Effect.IDEMPOTENT)
    notes.post("/notes", json={"text": "c"}, effect="once")
    notes.delete("/notes/1")
    assert [method for method, _, _ in Echo.seen] == ["PUT", "PATCH", "POST", "DELETE"]


def test_a_query_by_post_is_no_mutation(origin: str) -> None:
    client(origin, None, mutations=Mutations.FORBIDDEN).post("/graphql", json={}, effect="none")
    assert len(Echo.seen) == 1


def test_what_is_sent_once_is_announced_before_it_is_sent(origin: str) -> None:
    once: list[str] = []
    client(origin, None, once=once).post("/notes", json={}, effect="once")
    assert once == ["POST /notes"]


@pytest.mark.parametrize(
    ("send", "more", "why"),
    [
        (SentAs.HEADER, {}, "needs a field: the name of the header"),
        (SentAs.QUERY, {}, "needs a field: the name of the query parameter"),
        (SentAs.BEARER, {"field": "X-Key"}, "takes no field"),
        (SentAs.BASIC, {}, "which need it"),
        (SentAs.BEARER, {"user": "ann"}, "user is for"),
    ],
)
def test_an_incomplete_declaration_is_refused(send: SentAs, more: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        declared(send, **more)
