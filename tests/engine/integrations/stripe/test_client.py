"""The client of Stripe's own API tells how our webhook is wired."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.stripe.client import StripeAccount
from kamiyo_verify.integrations.stripe.settings import Stripe as StripeSettings
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.outside.deliveries import WebhookEndpoint
from sandbox.platform import Secrets
from tests.support.hostile_server import Server, answer, saying
from tests.support.outside import TIMEOUTS, Clients, credential, outside

EVENTS = StripeSettings().events
PATH = "/api/payment/webhook"


def ours(*faults: str) -> list[WebhookEndpoint]:
    with outside(*faults) as living:
        url = living.world.frontend_url + PATH
        return [one for one in living.clients.stripe.webhook_endpoints() if one.url == url]


def test_one_enabled_endpoint_of_the_test_mode_is_sent_the_six_events() -> None:
    (endpoint,) = ours()
    assert endpoint.enabled
    assert endpoint.livemode is False
    assert endpoint.lacks(EVENTS) == ()


def test_every_fault_of_the_endpoint_shows() -> None:
    assert ours("stripe-endpoint-missing") == []
    assert len(ours("stripe-endpoint-twice")) == 2
    assert not ours("stripe-endpoint-disabled")[0].enabled
    assert ours("stripe-wrong-mode")[0].livemode is True
    lacking = {"invoice.payment_failed", "checkout.session.completed"}
    assert set(ours("stripe-events-missing")[0].lacks(EVENTS)) == lacking


def test_a_star_stands_for_all_events() -> None:
    endpoint = WebhookEndpoint(id="we", url="u", status="enabled", events=("*",), livemode=False)
    assert endpoint.lacks(EVENTS) == ()


def test_events_are_read_by_type_and_time() -> None:
    with outside() as living:
        client, now = living.clients.stripe, living.world.now()
        everything = client.recent_events((), now - timedelta(days=7))
        some = client.recent_events(EVENTS[:2], now - timedelta(days=7))
        one = client.recent_events(EVENTS[:1], now - timedelta(days=7))
        late = client.recent_events((), now - timedelta(hours=5))
    assert len(everything) > len(some) > len(one) > 0
    assert {event.type for event in some} == set(EVENTS[:2])
    assert {event.type for event in one} == set(EVENTS[:1])
    assert late == tuple(event for event in everything if event.created >= now - timedelta(hours=5))
    assert len({event.id for event in everything}) == len(everything)


def test_pages_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with outside() as living:
        since = living.world.now() - timedelta(days=7)
        whole = living.clients.stripe.recent_events((), since)
        monkeypatch.setattr("kamiyo_verify.integrations.stripe.client._ROWS_A_PAGE", 4)
        living.wire.seen.clear()
        assert living.clients.stripe.recent_events((), since) == whole
        assert len(living.wire.seen) == (len(whole) + 3) // 4


def test_failing_deliveries_are_told_apart_from_those_on_their_way() -> None:
    with outside() as living:
        assert living.clients.stripe.failed_deliveries(living.world.now() - timedelta(days=1)) == ()
    with outside("deliveries-failing") as living:
        now = living.world.now()
        failing = living.clients.stripe.failed_deliveries(now - timedelta(days=1), now)
        before = living.clients.stripe.failed_deliveries(now - timedelta(days=1), now - timedelta(hours=5))
    assert all(event.pending_webhooks for event in failing)
    assert len(failing) > len(before) > 0


@pytest.mark.parametrize(
    ("key", "live"),
    [("sk_live_1", True), ("rk_test_1", False), ("rk_live_1", True), ("sk_1", None), ("x", None)],
)
def test_the_keys_mode_is_known_by_its_form(key: str, live: bool | None) -> None:  # noqa: FBT001
    table = StripeSettings(key=credential("STRIPE_API_KEY", key))
    client = StripeAccount(table, ClientContext.unrecorded(TIMEOUTS, lambda: 1.0))
    assert client.livemode is live


def test_the_library_sends_nothing_of_this_machine_and_the_exchange_no_key() -> None:
    with outside() as living:
        living.clients.stripe.webhook_endpoints()
        (seen,) = living.wire.seen
        (exchange,) = living.clients.exchanges
        assert not any(name.startswith("x-stripe-client") for name in seen.request_headers)
        assert living.secrets.stripe_key not in repr(exchange)
    assert (exchange.status, exchange.method) == (200, "GET")


@pytest.mark.parametrize(
    ("status", "error", "kind", "told"),
    [
        (
            "400 Bad Request",
            {"type": "invalid_request_error", "message": "Bad limit"},
            "unusable",
            "Bad limit",
        ),
        ("401 Unauthorized", {"message": "Invalid API Key"}, "credential", "STRIPE_API_KEY is not accepted"),
        ("402 Payment Required", {"type": "card_error"}, "unusable", "402"),
        (
            "403 Forbidden",
            {"message": "lacks"},
            "credential",
            "it needs webhook endpoints and events, to read",
        ),
        ("404 Not Found", {"message": "Unrecognized request URL"}, "unusable", "Unrecognized request URL"),
        ("400 Bad Request", {"code": "rate_limit"}, "rate_limited", "rate limit"),
        ("409 Conflict", {"type": "idempotency_error"}, "unusable", "409"),
        ("500 Oops", {"type": "api_error"}, "unusable", "500"),
        ("400 Bad Request", "an_oauth_error", "unusable", "400"),
    ],
)
def test_every_error_of_the_library_is_no_answer(status: str, error: object, kind: str, told: str) -> None:
    with Server(saying(answer(json.dumps({"error": error}).encode(), status))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer, match=told) as problem:
            clients.stripe.webhook_endpoints()
        clients.close()
    assert problem.value.kind is NoAnswerKind(kind)


def test_a_notice_of_the_server_reaches_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would warn with whatever the server says, and leave an id in the home folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    body = b'{"object": "list", "data": [], "has_more": false, "url": "/v1/webhook_endpoints"}'
    head = "Content-Type: application/json\r\nStripe-Notice: \x1b[31mUpgrade!\r\nRequest-Id: req_1"
    with Server(saying(answer(body, head=head))) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        clients = Clients(server.origin, Secrets())
        assert clients.stripe.webhook_endpoints() == ()
        clients.close()
    assert not any(tmp_path.iterdir())


def test_rows_that_repeat_are_a_circle() -> None:
    row = {"id": "evt_1", "object": "event", "type": "t", "created": 1, "livemode": False}
    body = {"object": "list", "data": [row], "has_more": True, "url": "/v1/events"}
    with Server(saying(answer(json.dumps(body).encode()))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer, match="Stripe pages in a circle"):
            clients.stripe.recent_events((), datetime(2026, 1, 1, tzinfo=UTC))
        clients.close()
        assert server.connections <= 3
