"""Stripe's webhook endpoints as people report them: leftovers, Connect, events that are split.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.preflight.webhooks import deliveries, wiring
from kamiyo_verify.model.outside.deliveries import WebhookEndpoint
from tests.engine.integrations.stripe.test_wiring import EVENTS, URL, endpoint, event, problems

Report = pytest.param


def account() -> WebhookEndpoint:
    """An endpoint of the account's own events, as Stripe lists it."""
    return endpoint(api_version=None, application=None, object="webhook_endpoint", metadata={})


def connect(url: str = URL, status: str = "enabled", events: tuple[str, ...] = EVENTS) -> WebhookEndpoint:
    """One for connected accounts: Stripe's own command line knows it by its application."""
    return endpoint(url, status, events, application="ca_1")


@pytest.mark.parametrize(
    "endpoints",
    [
        Report(
            [account(), connect(status="disabled"), connect()],
            id="stripe/stripe-cli#723",
        ),
        Report([account(), connect(events=("account.updated",))], id="ProgixDev/incacook-app#5"),
        Report([connect(events=("*",)), account()], id="tansengming/stripe-rails#161"),
        Report(
            [endpoint(status="disabled"), account(), endpoint(status="disabled")],
            id="mysociety/alaveteli#5302",
        ),
        Report(
            [endpoint(events=EVENTS[:1]), endpoint(events=EVENTS[1:])],
            id="spatie/laravel-stripe-webhooks#190",
        ),
        Report(
            [account(), endpoint("https://staging.kamiyo.ai/api/payment/webhook")], id="stripe/stripe-cli#711"
        ),
        Report([account(), endpoint(events=("charge.failed",))], id="chobbledotcom/tickets#705"),
    ],
)
def test_each_event_that_comes_once_is_no_problem(endpoints: list[WebhookEndpoint]) -> None:
    assert problems(*endpoints) == ()


@pytest.mark.parametrize(
    ("endpoints", "told"),
    [
        Report(
            [account(), account()], "2 enabled endpoints deliver to", id="mysociety/alaveteli#5302, before"
        ),
        Report(
            [account(), endpoint(events=EVENTS[:1])],
            "invoice.payment_failed comes 2 times",
            id="chobbledotcom/tickets#705, as well",
        ),
        Report([connect()], "of connected accounts alone", id="ProgixDev/incacook-app#5, reversed"),
        Report(
            [endpoint(events=EVENTS[:1]), endpoint(events=("charge.failed",))],
            "is not sent checkout.session.completed",
            id="a split that leaves one out",
        ),
    ],
)
def test_what_comes_twice_or_never_is_told(endpoints: list[WebhookEndpoint], told: str) -> None:
    [problem] = problems(*endpoints)
    assert told in problem


def test_a_test_mode_endpoint_of_our_address_is_no_second_one() -> None:
    """vercel/nextjs-subscription-payments#176: one endpoint of each mode, with one address."""
    assert problems(account(), endpoint(livemode=False)) == ()


@pytest.mark.parametrize("other", [connect(), connect("https://x.example/1")])
def test_an_endpoint_of_connected_accounts_is_sent_none_of_our_events(other: WebhookEndpoint) -> None:
    found = deliveries([event("evt_1")], [event("evt_1", 1)], [account(), other], URL)
    assert (len(found.failed), found.unattributed) == (1, ())


def test_events_of_an_address_that_only_connected_accounts_deliver_to_are_not_ours() -> None:
    assert wiring([connect()], URL).enabled == ()
