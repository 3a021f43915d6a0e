"""Step 4: Stripe's deliveries are processed, and nobody else's."""

import pytest

from plugins.model.words import Signing


@pytest.mark.item("postdeploy.stripe-webhook")
@pytest.mark.needs("payments.webhook_secret")
def test_a_signed_delivery_is_accepted(payments):
    """A harmless event, signed with the configured secret, is answered 2xx: the app runs with that secret."""
    answer = payments.deliver(Signing.GOOD)

    assert answer.ok, answer.told("2xx (else Stripe's deliveries are lost, and paid customers get nothing)")


@pytest.mark.item("postdeploy.stripe-webhook-refuses")
@pytest.mark.needs("payments.webhook_secret")
@pytest.mark.parametrize("signing", [Signing.BAD, Signing.STALE, Signing.MISSING])
def test_a_delivery_that_is_not_stripes_is_refused(payments, signing):
    """A bad signature, one of an hour ago, and none at all are each answered 4xx."""
    answer = payments.deliver(signing).usable()

    assert 400 <= answer.status < 500, answer.told(
        f"4xx for a {signing} signature: anybody can forge a payment"
    )
