"""The table [stripe] of an environment file."""

from __future__ import annotations

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class Stripe(Table):
    """The Stripe account; the key may be a restricted one that reads endpoints and events."""

    address: BaseAddress = "https://api.stripe.com"
    key: Credential = Credential(name="STRIPE_API_KEY")
    events: tuple[str, ...] = (
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "invoice.payment_succeeded",
        "invoice.payment_failed",
        "checkout.session.completed",
    )
