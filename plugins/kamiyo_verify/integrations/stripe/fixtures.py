"""Fixture for our Stripe account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.stripe.client import StripeAccount


@pytest.fixture(scope="session")
def stripe_account(environment: Environment, outside_context: ClientContext) -> Iterator[StripeAccount]:
    """A client of our Stripe account."""
    from kamiyo_verify.integrations.stripe.client import StripeAccount  # noqa: PLC0415

    table = configured(environment, "stripe", environment.stripe)
    client = StripeAccount(table, outside_context)
    yield client
    client.close()
