"""A fake of Stripe that other people wrote: its deliveries reach our webhook, its events our client."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx2
import pytest
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.routing import Route

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.stripe.client import StripeAccount
from kamiyo_verify.integrations.stripe.settings import Stripe as StripeSettings
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from sandbox.faults import Faults
from sandbox.payments import Payments
from sandbox.platform import Platform, Secrets
from tests.contract.validator import Seen
from tests.support.outside import TIMEOUTS, credential
from tests.support.serving import Wire, serving

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("localstripe") is None,
    reason="localstripe is not installed (GPL-3, for this test only): pip install localstripe",
)

# By itself it listens on all addresses, on a port of its own choosing, and keeps its state in /tmp.
LOCALSTRIPE = """
import socket
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
bound = socket.create_server(("127.0.0.1", 0))
print(bound.getsockname()[1], flush=True)
web.run_app(server.app, sock=bound, access_log=None, print=None)
"""
KEY = "sk_test_" + sha256(b"localstripe").hexdigest()[:24]
PATIENCE_S = 15.0


@pytest.fixture(scope="module")
def localstripe() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LOCALSTRIPE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def webhook(secrets: Secrets) -> Wire:
    """The sandbox's own webhook endpoint."""
    platform = Platform(
        secrets=secrets,
        faults=Faults(),
        pool=AsyncConnectionPool("", open=False),
        api_url="http://127.0.0.1:1",
        frontend_url="http://127.0.0.1:1",
        heartbeat_s=2,
        latency_ms=1,
        commit="5a" * 20,
    )
    handle = Payments(platform).webhook
    return Wire(Starlette(routes=[Route("/api/payment/webhook", handle, methods=["GET", "POST"])]))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def types_of(seen: list[Seen], status: int) -> list[str]:
    return sorted(json.loads(one.request_body)["type"] for one in seen if one.status == status)


def subscribe(stripe: httpx2.Client) -> None:
    """What happens when someone buys a plan."""

    def post(path: str, **form: str) -> str:
        answer = stripe.post(path, data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    product = post("/v1/products", name="Kamiyo Pro")
    plan = post(
        "/v1/plans", product=product, interval="month", currency="usd", amount="9900", id="pro-monthly"
    )
    customer = post("/v1/customers", email="release-test@sandbox.invalid")
    method = post(
        "/v1/payment_methods",
        **{
            "type": "card",
            "card[number]": "4242424242424242",
            "card[exp_month]": "12",
            "card[exp_year]": "2099",
            "card[cvc]": "123",
        },
    )
    post(f"/v1/payment_methods/{method}/attach", customer=customer)
    post(f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": method})
    post("/v1/subscriptions", **{"customer": customer, "items[0][plan]": plan})


def test_its_deliveries_are_accepted_and_its_events_are_read(localstripe: str) -> None:
    secrets, began = Secrets(), datetime.now(UTC) - timedelta(seconds=5)
    good, strange = webhook(secrets), webhook(Secrets())
    with ExitStack() as stack:
        stripe = stack.enter_context(
            httpx2.Client(base_url=localstripe, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)
        )
        for name, wire in (("ours", good), ("another", strange)):
            url = stack.enter_context(serving(wire)) + "/api/payment/webhook"
            form = {"url": url, "secret": secrets.webhook_secret}
            assert stripe.post(f"/_config/webhooks/{name}", data=form).status_code == 200
        subscribe(stripe)
        client = StripeAccount(
            StripeSettings(address=localstripe, key=credential("STRIPE_API_KEY", KEY)),
            ClientContext.unrecorded(TIMEOUTS, lambda: 20.0),
        )
        stack.callback(client.close)
        everything = client.recent_events((), began)
        wait_for(lambda: len(good.seen) == len(strange.seen) == len(everything))
        assert not any(event.livemode for event in everything)
        (subscribed,) = client.recent_events(("customer.subscription.created",), began)
        assert began <= subscribed.created <= datetime.now(UTC)
        with pytest.raises(NoAnswer, match="answered 4") as missing:  # it has no webhook endpoints
            client.webhook_endpoints()

    happened = sorted(event.type for event in everything)
    assert {"customer.created", "customer.subscription.created", "invoice.payment_succeeded"} <= set(happened)
    assert types_of(good.seen, 200) == happened
    assert types_of(strange.seen, 400) == happened  # signed with a secret that is not its own
    assert missing.value.kind is NoAnswerKind.UNUSABLE
