"""Who was let in, at a webhook, an admin address, or from a foreign page."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx2
import pytest

from kamiyo_platform.access import admin_access, delivery_let_in
from kamiyo_platform.api import ApiClient
from kamiyo_verify.config.environment import Api
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.leaks import leak_in
from kamiyo_verify.judge.attribution.error_bodies import with_leaks
from kamiyo_verify.model.outcomes import ImproperAnswer, ServerBroke, Unverified
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Phase, Status
from tests.platform.test_clients import head_of, http
from tests.support.evidence_for import LEAK, RUNBOOK
from tests.support.hostile_server import Behaviour, Peer, Server, answer, saying

PAGE = b"<!doctype html><html><head><title>Kamiyo</title></head></html>"
ORIGIN = "https://attacker.example"


def came(status: int, body: bytes = b"{}", media: str = "application/json", path: str = "/x") -> Answer:
    return Answer(
        "GET", f"https://a.example{path}", status, httpx2.Headers({"content-type": media}), body, 1.0
    )


@pytest.mark.parametrize(
    ("delivery", "taken"),
    [
        (came(200, b'{"received": true}'), True),
        (came(202, b""), True),
        (came(204, b"", ""), True),
        (came(400), False),
        (came(401), False),
        (came(403, b"blocked", "text/plain"), False),
    ],
)
def test_a_delivery_was_taken_or_refused(delivery: Answer, taken: bool) -> None:  # noqa: FBT001
    assert delivery_let_in(delivery) is taken


@pytest.mark.parametrize(
    ("delivery", "kind"),
    [
        (came(502, b"<html>Bad Gateway", "text/html"), ServerBroke),
        (came(500), ServerBroke),
        (came(302), ImproperAnswer),
        (came(308), ImproperAnswer),
        (came(200, PAGE, "text/html"), ImproperAnswer),
        (came(200, PAGE, "text/plain"), ImproperAnswer),
        (replace(came(200, b"x", "application/octet-stream"), truncated=True), ImproperAnswer),
        (came(404), Unverified),
        (came(405), Unverified),
        (came(413), Unverified),
    ],
)
def test_what_looked_at_no_signature_neither_took_nor_refused(
    delivery: Answer, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        delivery_let_in(delivery)


def test_admin_addresses_are_open_closed_or_not_there() -> None:
    answers = {"/a": came(200), "/b": came(401), "/c": came(404), "/d": came(302), "/e": came(503)}
    found = admin_access(answers, came(404), {})
    assert (found.open, found.closed, found.missing) == (("/a",), ("/b", "/d"), ("/c",))
    with pytest.raises(ServerBroke):
        found.proven()


@pytest.mark.parametrize("status", [404, 405, 410])
def test_admin_addresses_that_are_not_there_prove_nothing(status: int) -> None:
    with pytest.raises(Unverified, match="nothing there to check: not there: /admin"):
        admin_access({"/admin": came(status)}, None, {}).proven()
    with pytest.raises(Unverified, match="admin_paths is empty"):
        admin_access({}, None, {}).proven()


def test_an_admin_address_that_hides_from_strangers_is_closed() -> None:
    found = admin_access({"/admin": came(404)}, None, {"/admin": came(200)})
    assert found.proven().closed == ("/admin",)


def test_a_site_that_shows_its_page_for_any_address_has_opened_none() -> None:
    page = came(200, PAGE, "text/html")
    assert admin_access({"/admin": page}, page, {}).open == ()
    assert admin_access({"/admin": came(200, b'{"users": []}')}, page, {}).open == ("/admin",)


def leading(to: str) -> Answer:
    return replace(came(302), headers=httpx2.Headers({"location": to}))


@pytest.mark.parametrize(
    ("anything", "closed"),
    [
        (came(404), ("/admin",)),
        (came(401), ("/admin",)),
        (leading("/"), ("/admin",)),
        (leading("/login?next=%2Fno-such-page"), ()),  # whatever is asked leads there
    ],
)
def test_a_redirect_refuses_only_where_other_addresses_are_not_redirected_alike(
    anything: Answer, closed: tuple[str, ...]
) -> None:
    found = admin_access({"/admin": leading("/login?next=%2Fadmin")}, anything, {})
    assert found.closed == closed
    if not closed:
        with pytest.raises(Unverified, match="nothing there to check"):
            found.proven()


def test_a_page_where_data_was_expected_proves_nothing_about_other_origins() -> None:
    page = b"<!doctype html><title>x</title>"
    with Server(saying(answer(page, head="Content-Type: text/html"))) as server:
        found = api(server).cors(ORIGIN)
        with pytest.raises(ImproperAnswer):
            found.proven()


def speaking(statuses: dict[str, str], *, echo: bool) -> Behaviour:
    def behave(peer: Peer) -> None:
        asked = peer.hear()
        method, path = asked.split(b" ", 2)[:2]
        allowed = f"\r\nAccess-Control-Allow-Origin: {head_of(asked)['origin']}" if echo else ""
        status = "204 No Content" if method == b"OPTIONS" else statuses.get(path.decode(), "404 Not Found")
        peer.say(answer(b"{}", status, f"Content-Type: application/json{allowed}"))

    return behave


def api(server: Server) -> ApiClient:
    return ApiClient(Api(), http(server))


def test_a_foreign_origin_echoed_on_a_500_is_seen() -> None:
    with Server(
        speaking({"/chains": "500 Oops", "/health": "500 Oops", "/ready": "500"}, echo=True)
    ) as server:
        seen = api(server).cors(ORIGIN)
    assert seen.allowed == {ORIGIN}


def test_a_500_that_echoes_nothing_proves_nothing() -> None:
    with Server(
        speaking({"/chains": "500 Oops", "/health": "502 Bad", "/ready": "503 No"}, echo=False)
    ) as server:
        seen = api(server).cors(ORIGIN)
    assert not seen.allowed
    with pytest.raises(ServerBroke):
        seen.proven()


def test_our_own_origin_is_looked_for_on_a_path_that_works() -> None:
    with Server(speaking({"/chains": "500 Oops", "/health": "200 OK"}, echo=True)) as server:
        assert api(server).cors("https://kamiyo.ai").proven().echoed == "https://kamiyo.ai"


@pytest.mark.parametrize(
    "body",
    [
        'Traceback (most recent call last):\n  File "/app/api/main.py", line 12, in stats',
        '{"detail": "(psycopg.errors.UndefinedColumn) column \\"loss\\" does not exist"}',
        '{"detail": "SELECT sum(amount_usd) FROM exploits WHERE day > 3"}',
        "error: select * from users where id = 1",
        "TypeError: x is undefined\n    at handler (/var/task/pages/api/stats.js:12:5)",
        "PrismaClientKnownRequestError: Invalid `prisma.user.findMany()` invocation",
        "connection to postgresql://kamiyo failed",
        "could not translate host name dpg-d1a2b3c4e5f6g7h8i9j0-a",
        'connection to server at "10.12.3.4:5432" failed 10.12.3.4:5432',
        "Caused by: at com.example.Stats.sum(Stats.java:42)",
        "Cannot find module '/opt/render/project/src/dist/server.js'",
    ],
)
def test_what_an_error_body_shows_of_the_inside_is_found(body: str) -> None:
    assert leak_in(came(500, body.encode()))


@pytest.mark.parametrize(
    "body",
    [
        '{"error": "Internal Server Error", "detail": "Something went wrong"}',
        "<html><h1>502 Bad Gateway</h1>Please select another page from the list at the top</html>",
        '{"detail": "Exploit not found"}',
        "Your IP: 203.0.113.7. Ray ID: 8f1c2d. Contact us at support@example.com",
        '{"detail": [{"loc": ["query", "page"], "msg": "ensure this value is greater than 0"}]}',
    ],
)
def test_what_people_may_read_is_no_leak(body: str) -> None:
    assert leak_in(came(500, body.encode())) == ""


def test_every_server_error_of_the_run_is_read_for_leaks() -> None:
    recorded: list[Exchange] = []
    body = json.dumps({"detail": "psycopg.OperationalError"}).encode()
    with Server(saying(answer(body, "500 Oops"))) as server:
        client = HttpClient(server.origin, ClientContext(Timeouts(), recorded.append, lambda: 30.0))
        client.get("/stats")
        client.get("/nothing")
    assert [one.leak for one in recorded] == ["psycopg", "psycopg"]


def leaking(*leaks: str) -> tuple[Exchange, ...]:
    return tuple(Exchange("GET", "https://a.example/stats", 500, 1.0, leak=leak) for leak in leaks)


@pytest.mark.parametrize(
    ("leaks", "status"),
    [((), Status.PASSED), (("psycopg",), Status.ERROR), (("psycopg", "psycopg"), Status.FAILED)],
)
def test_a_leak_that_another_item_met_fails_the_item_about_leaks(
    leaks: tuple[str, ...], status: Status
) -> None:
    results = {
        LEAK: Result(LEAK, Phase.POSTDEPLOY, Status.PASSED),
        "postdeploy.data-present": Result(
            "postdeploy.data-present", Phase.POSTDEPLOY, Status.PASSED, exchanges=leaking(*leaks)
        ),
    }
    items = [item.model_copy(update={"reads_errors": item.id == LEAK}) for item in RUNBOOK.items]
    found = with_leaks(results, RUNBOOK.model_copy(update={"items": tuple(items)}))
    assert found[LEAK].status is status
    assert found["postdeploy.data-present"].status is Status.PASSED
    assert ("shows psycopg" in found[LEAK].message) is bool(leaks)
