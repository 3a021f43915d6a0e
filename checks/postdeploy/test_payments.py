"""Step 4: only deliveries from Stripe are processed."""

import pytest

from kamiyo_verify.model.words import Signing


@pytest.mark.item("postdeploy.stripe-webhook")
@pytest.mark.needs("payments.webhook_secret")
def test_a_signed_delivery_is_accepted(payments):
    """A harmless event signed with the configured secret gets a 2xx: the app uses that secret."""
    answer = payments.deliver(Signing.GOOD)

    assert answer.ok, answer.mismatch(
        "2xx (else Stripe's deliveries are lost, and paid customers get nothing)"
    )


@pytest.mark.item("postdeploy.stripe-webhook-refuses")
@pytest.mark.needs("payments.webhook_secret")
@pytest.mark.parametrize("signing", [Signing.BAD, Signing.STALE, Signing.MISSING])
def test_a_delivery_that_is_not_stripes_is_refused(payments, delivery_let_in, signing):
    """A wrong signature, one that is an hour old, and a missing one are each refused."""
    delivery = payments.deliver(signing)

    assert not delivery_let_in(delivery), delivery.mismatch(
        f"400 for a {signing} signature: anybody can forge a payment"
    )
