"""Stripe's data on our webhook: its endpoints, and whether events were delivered."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from kamiyo_verify.model.outside.shapes import Moment, Whole


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class WebhookEndpoint(_Shape):
    """One address that Stripe delivers to; Stripe returns its secret only at creation."""

    id: str
    url: str
    status: str
    events: tuple[str, ...] = Field(alias="enabled_events")
    livemode: bool
    api_version: str | None = None
    application: str | None = None

    @property
    def connect(self) -> bool:
        """Whether it receives the events of connected accounts, and none of the account's own.

        As Stripe's command line decides it: https://github.com/stripe/stripe-cli/blob/master/pkg/proxy/proxy.go.
        """
        return bool(self.application)

    @property
    def enabled(self) -> bool:
        """Whether Stripe delivers to it."""
        return self.status == "enabled"

    def lacks(self, events: Iterable[str]) -> tuple[str, ...]:
        """Return which of these event types it does not receive; "*" in its settings means all."""
        return () if "*" in self.events else tuple(name for name in events if name not in self.events)


class StripeEvent(_Shape):
    """An event in the account.

    Attributes:
        pending_webhooks: number of deliveries that have not succeeded (yet); None if not reported.
    """

    id: str
    type: str
    created: Moment
    livemode: bool
    pending_webhooks: Whole | None = Field(ge=0, default=None)
