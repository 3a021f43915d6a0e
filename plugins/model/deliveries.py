"""What Stripe itself knows of our webhook: its endpoints, and whether its events arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from plugins.model.platform import Moment


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class WebhookEndpoint(_Shape):
    """One address that Stripe delivers to; its secret is told at its creation only."""

    id: str
    url: str
    status: str
    events: tuple[str, ...] = Field(alias="enabled_events")
    livemode: bool
    api_version: str | None = None

    @property
    def enabled(self) -> bool:
        """Stripe delivers to it."""
        return self.status == "enabled"

    def lacks(self, events: Iterable[str]) -> tuple[str, ...]:
        """Which of those it is not sent; "*" stands for all."""
        return () if "*" in self.events else tuple(name for name in events if name not in self.events)


class StripeEvent(_Shape):
    """Something that happened in the account.

    Attributes:
        pending_webhooks: deliveries that have not succeeded (yet); None where that is not told.
    """

    id: str
    type: str
    created: Moment
    livemode: bool
    pending_webhooks: int | None = Field(ge=0, default=None)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the latest events that we handle.

    Attributes:
        events: how many there were.
        failed: those that have not arrived everywhere.
    """

    events: int
    failed: tuple[StripeEvent, ...]

    @staticmethod
    def of(recent: Iterable[StripeEvent], failed: Iterable[StripeEvent]) -> Deliveries:
        """What two answers of Stripe's come to; an event that both name counts once."""
        undelivered = {event.id: event for event in failed}
        return Deliveries(
            len({event.id for event in recent} | undelivered.keys()), tuple(undelivered.values())
        )
