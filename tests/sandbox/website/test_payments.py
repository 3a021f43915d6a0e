"""The Stripe webhook accepts what Stripe signed, and nothing else."""

from __future__ import annotations

import hmac
import time

import httpx2
import pytest
import stripe

from sandbox.platform import Platform

pytestmark = pytest.mark.anyio

EVENT = b'{"id": "evt_1", "object": "event", "type": "kamiyo_verify.ping", "data": {"object": {}}}'


def signed(secret: str, body: bytes, *, at: float | None = None) -> str:
    """Stripe's scheme, written out: HMAC-SHA256 of "{t}.{body}" under the whole secret."""
    moment = int(time.time() if at is None else at)
    return f"t={moment},v1={hmac.digest(secret.encode(), b'%d.%s' % (moment, body), 'sha256').hex()}"


async def deliver(website: httpx2.AsyncClient, signature: str | None, body: bytes = EVENT) -> httpx2.Response:
    headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": signature} if signature else {})
    return await website.post("/api/payment/webhook", content=body, headers=headers)


async def test_a_good_signature_is_received(website: httpx2.AsyncClient, platform: Platform) -> None:
    secret = platform.secrets.webhook_secret
    for signature in (
        signed(secret, EVENT),
        stripe.WebhookSignature.generate_signature_header(EVENT.decode(), secret),
    ):
        answer = await deliver(website, signature)
        assert (answer.status_code, answer.json()) == (200, {"received": True})


@pytest.mark.parametrize("kind", ["bad", "stale", "missing", "garbage", "of another body"])
async def test_any_other_signature_is_refused(
    website: httpx2.AsyncClient, platform: Platform, kind: str
) -> None:
    secret = platform.secrets.webhook_secret
    signature = {
        "bad": signed("whsec_other", EVENT),
        "stale": signed(secret, EVENT, at=time.time() - 3600),
        "missing": None,
        "garbage": "v1",
        "of another body": signed(secret, EVENT + b" "),
    }[kind]

    refused = await deliver(website, signature)
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("Webhook Error: ")
    assert secret not in refused.text

    platform.faults.switch_on("webhook-unsigned-accepted")
    assert (await deliver(website, signature)).json() == {"received": True}


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b"\xff"])
async def test_a_signed_body_that_is_no_event_is_a_bad_request(
    website: httpx2.AsyncClient, platform: Platform, body: bytes
) -> None:
    answer = await deliver(website, signed(platform.secrets.webhook_secret, body), body)

    assert (answer.status_code, answer.json()) == (400, {"error": "Webhook Error: Invalid payload"})


async def test_webhook_wrong_secret(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("webhook-wrong-secret")

    assert (await deliver(website, signed(platform.secrets.webhook_secret, EVENT))).status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_the_webhook_takes_nothing_but_post(website: httpx2.AsyncClient, method: str) -> None:
    answer = await website.request(method, "/api/payment/webhook")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_body_beyond_the_limit_is_refused(website: httpx2.AsyncClient) -> None:
    assert (await deliver(website, None, b"x" * (1024 * 1024 + 1))).status_code == 413
