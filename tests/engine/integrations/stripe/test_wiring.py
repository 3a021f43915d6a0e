"""How Stripe is wired to us: leftovers beside the endpoint that delivers, like addresses, permissions."""

from __future__ import annotations

import json

import pytest
import stripe
from pydantic import SecretStr

from kamiyo_platform.payments import PaymentsClient
from kamiyo_verify.config.environment import Payments
from kamiyo_verify.judge.preflight.webhooks import deliveries, wiring
from kamiyo_verify.model.outcomes import NoAnswer, Unverified
from kamiyo_verify.model.outside.deliveries import StripeEvent, WebhookEndpoint
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Signing
from sandbox.platform import Secrets
from tests.platform.test_clients import head_of, http
from tests.support.hostile_server import Peer, Server, answer, saying
from tests.support.outside import Clients

URL = "https://kamiyo.ai/api/payment/webhook"
EVENTS = ("invoice.payment_failed", "checkout.session.completed")


def endpoint(
    url: str = URL, status: str = "enabled", events: tuple[str, ...] = EVENTS, **more: object
) -> WebhookEndpoint:
    told = {"id": f"we_{abs(hash((url, status, events)))}", "url": url, "status": status}
    return WebhookEndpoint.model_validate({**told, "enabled_events": events, "livemode": True, **more})


def problems(*endpoints: WebhookEndpoint) -> tuple[str, ...]:
    return wiring(endpoints, URL).problems(EVENTS, production=True)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://KAMIYO.ai/api/payment/webhook",
        "https://kamiyo.ai:443/api/payment/webhook",
        " https://kamiyo.ai/api/payment/webhook",
    ],
)
def test_an_endpoint_of_our_address_delivers_however_it_is_spelled(url: str) -> None:
    assert problems(endpoint(url)) == ()


@pytest.mark.parametrize(
    "leftovers",
    [
        [endpoint(status="disabled")],
        [endpoint(status="disabled", api_version="2019-12-03"), endpoint(status="disabled", events=("*",))],
        [endpoint("https://hooks.zapier.com/1"), endpoint("https://staging.kamiyo.ai/api/payment/webhook")],
        [endpoint("https://kamiyo.ai/api/payment/webhook/", "disabled")],
    ],
    ids=["one-disabled", "two-disabled", "others", "like-ours-disabled"],
)
def test_leftovers_beside_the_endpoint_that_delivers_are_no_problem(leftovers: list[WebhookEndpoint]) -> None:
    assert problems(endpoint(), *leftovers) == ()
    assert problems(*leftovers, endpoint(events=("*",))) == ()


@pytest.mark.parametrize(
    ("endpoints", "problem"),
    [
        ([], "no endpoint delivers to"),
        ([endpoint(status="disabled")], "is disabled: no payment is reported to us"),
        ([endpoint(), endpoint(events=("*",))], "2 enabled endpoints deliver to"),
        ([endpoint(events=EVENTS[:1])], "is not sent checkout.session.completed"),
        ([endpoint(livemode=False)], "is of the test mode, not the live mode"),
    ],
)
def test_what_is_wrong_with_the_endpoint_is_told(endpoints: list[WebhookEndpoint], problem: str) -> None:
    (told,) = problems(*endpoints)
    assert problem in told


@pytest.mark.parametrize(
    "url",
    [
        "https://kamiyo.ai/api/payment/webhook/",
        "https://www.kamiyo.ai/api/payment/webhook",
        "http://kamiyo.ai/api/payment/webhook",
        "https://kamiyo.ai/api/payment/webhook?version=2024-06-20",
    ],
)
def test_an_endpoint_of_a_like_address_is_not_known_to_deliver(url: str) -> None:
    with pytest.raises(Unverified, match="Stripe follows no redirect"):
        problems(endpoint(url))


def event(name: str, pending: int | None = 1) -> StripeEvent:
    told = {"id": name, "type": EVENTS[0], "created": 1_700_000_000, "livemode": True}
    return StripeEvent.model_validate({**told, "pending_webhooks": pending})


OTHER = endpoint("https://hooks.zapier.com/1", events=("*",))


@pytest.mark.parametrize(
    ("endpoints", "pending", "failed", "unattributed"),
    [
        ([endpoint()], 1, 1, 0),
        ([endpoint()], None, 1, 0),
        ([endpoint(), OTHER], 2, 1, 0),
        ([endpoint(), OTHER], 1, 0, 1),
        ([endpoint(), OTHER], None, 0, 1),
        ([endpoint(), endpoint("https://x.example/1", "disabled", ("*",))], 1, 1, 0),
        ([endpoint(), endpoint("https://x.example/1", events=("charge.failed",))], 1, 1, 0),
        ([endpoint(), endpoint("https://x.example/1", events=("*",), livemode=False)], 1, 1, 0),
        ([OTHER], 1, 0, 0),
        ([endpoint(status="disabled")], 1, 1, 0),
        ([endpoint()], 0, 0, 0),
    ],
)
def test_whose_delivery_failed(
    endpoints: list[WebhookEndpoint], pending: int | None, failed: int, unattributed: int
) -> None:
    found = deliveries([event("evt_1")], [event("evt_1", pending), event("evt_2", pending)], endpoints, URL)
    assert found.events == 2
    assert (len(found.failed), len(found.unattributed)) == (2 * failed, 2 * unattributed)
    if unattributed:
        with pytest.raises(Unverified, match="Stripe does not tell at which"):
            found.known()
    else:
        assert found.known() is found


def test_no_event_is_no_delivery() -> None:
    assert deliveries([], [], [], URL).events == 0


@pytest.mark.parametrize(
    ("message", "permission"),
    [
        (
            "Having the 'rak_webhook_read' permission would allow this request to continue.",
            "rak_webhook_read",
        ),
        ("Enabling Webhook Endpoints, Event Destinations Read ('webhook_read') permissions", "webhook_read"),
        ("Having the 'rak_event_read' permission would allow this request to continue.", "rak_event_read"),
    ],
)
def test_a_restricted_key_leaves_one_item_unverified_and_names_the_permission(
    message: str, permission: str
) -> None:
    body = json.dumps({"error": {"type": "invalid_request_error", "message": message}}).encode()
    with Server(saying(answer(body, "403 Forbidden"))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(Unverified, match=rf"STRIPE_API_KEY .* without the permission {permission}"):
            clients.stripe.webhook_endpoints()
        clients.close()


def test_a_403_that_is_not_stripes_own_is_no_matter_of_permissions() -> None:
    with Server(saying(answer(b"<html>blocked by a proxy", "403 Forbidden"))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer):
            clients.stripe.webhook_endpoints()
        clients.close()


@pytest.mark.parametrize("held", ["whsec_old1 whsec_new2", "whsec_old1,whsec_new2", "whsec_new2"])
def test_during_a_rotation_the_header_has_a_signature_of_each_secret(held: str) -> None:
    received: list[bytes] = []

    def behave(peer: Peer) -> None:
        asked = peer.hear()
        length = int(head_of(asked)["content-length"])
        while len(asked.split(b"\r\n\r\n", 1)[1]) < length:
            asked += peer.line.recv(65_536)
        received.append(asked)
        peer.say(answer(b"{}"))

    with Server(behave) as server:
        secret = Credential(name="SECRET", value=SecretStr(held))
        client = PaymentsClient(Payments(webhook_secret=secret), http(server), livemode=False)
        client.deliver(Signing.GOOD)
    header, body = head_of(received[0])["stripe-signature"], received[0].split(b"\r\n\r\n", 1)[1]
    for one in held.replace(",", " ").split():
        assert stripe.Webhook.construct_event(body, header, one).type == "kamiyo_verify.ping"
    assert header.count("v1=") == len(held.replace(",", " ").split())
