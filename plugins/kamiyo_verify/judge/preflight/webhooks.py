"""Check how Stripe's webhook endpoints are configured for our address, and whose deliveries failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.outside.deliveries import StripeEvent, WebhookEndpoint

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Wiring:
    """The endpoints of a Stripe account, compared with our webhook address.

    Attributes:
        url: our address.
        enabled: endpoints that deliver to our address.
        disabled: endpoints with our address that deliver nothing; harmless if another one delivers.
        near: enabled endpoints whose address differs only by "www." or a trailing slash.
        connect: endpoints with our address for the events of connected accounts, which are not ours.
    """

    url: str
    enabled: tuple[WebhookEndpoint, ...]
    disabled: tuple[WebhookEndpoint, ...]
    near: tuple[WebhookEndpoint, ...]
    connect: tuple[WebhookEndpoint, ...] = ()

    def problems(self, events: Iterable[str], *, production: bool) -> tuple[str, ...]:
        """Return the problems of the configuration.

        Args:
            events: the event types that we handle.
            production: True if the endpoint must be in live mode, False for test mode.

        Raises:
            Unverified: only an endpoint with a similar address delivers.
        """
        if not self.enabled:
            return (self._missing(),)
        events = tuple(events)
        delivering = [one for one in self.enabled if one.livemode == production]
        if not delivering:
            return self._of_the_other_mode(events)
        times = {name: sum(not one.lacks([name]) for one in delivering) for name in events}
        lacking = ", ".join(name for name, count in times.items() if not count)
        problems = [f"{', '.join(one.id for one in delivering)} is not sent {lacking}"] if lacking else []
        if repeated := [f"{name} comes {count} times" for name, count in times.items() if count > 1]:
            twice = f"{', '.join(repeated)}, signed with a different secret each time"
            problems.append(f"{len(delivering)} enabled endpoints deliver to {self.url}: {twice}")
        return tuple(problems)

    def _of_the_other_mode(self, events: tuple[str, ...]) -> tuple[str, ...]:
        endpoint = self.enabled[0]
        lacking = endpoint.lacks(events)
        modes = {True: "live", False: "test"}
        mode = f"{modes[endpoint.livemode]} mode, not the {modes[not endpoint.livemode]} mode"
        problem = f"{endpoint.id} is of the {mode}"
        return (f"{endpoint.id} is not sent {', '.join(lacking)}", problem) if lacking else (problem,)

    def _missing(self) -> str:
        if self.near:
            raise Unverified(
                f"Stripe delivers to {self.near[0].url}, and [payments] names {self.url}; Stripe follows no"
                " redirect from one to the other: give both the same address"
            )
        if self.disabled:
            ids = ", ".join(one.id for one in self.disabled)
            return f"{ids} is {self.disabled[0].status}: no payment is reported to us"
        if self.connect:
            ids = ", ".join(one.id for one in self.connect)
            return f"{ids} is sent the events of connected accounts alone: no payment of our own is reported"
        return f"no endpoint delivers to {self.url}: no payment is reported to us"


def wiring(endpoints: Iterable[WebhookEndpoint], url: str) -> Wiring:
    """Sort the endpoints of an account by how their address compares with ours."""
    ours = [one for one in endpoints if _loose(one.url) == _loose(url)]
    exact = [one for one in ours if _exact(one.url) == _exact(url) and not one.connect]
    return Wiring(
        url=url,
        enabled=tuple(one for one in exact if one.enabled),
        disabled=tuple(one for one in exact if not one.enabled),
        near=tuple(one for one in ours if one.enabled and not one.connect and one not in exact),
        connect=tuple(one for one in ours if one.connect),
    )


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The delivery results of the latest events that we handle.

    Attributes:
        events: number of events.
        failed: events that have not arrived at our endpoint.
        unattributed: events that have not arrived at one of several endpoints; Stripe does not report which.
    """

    events: int
    failed: tuple[StripeEvent, ...]
    unattributed: tuple[StripeEvent, ...] = ()

    def known(self) -> Deliveries:
        """Return itself if it is known whether our deliveries failed.

        Raises:
            Unverified: it is unknown.
        """
        if self.unattributed and not self.failed:
            raise Unverified(
                f"{len(self.unattributed)} of {self.events} events did not arrive at one of several"
                " endpoints, and Stripe does not tell at which: look at each endpoint in its dashboard"
            )
        return self


def deliveries(
    recent: Iterable[StripeEvent],
    failed: Iterable[StripeEvent],
    endpoints: Iterable[WebhookEndpoint],
    url: str,
) -> Deliveries:
    """Return the delivery results of events; an event that is both recent and failed counts once.

    `pending_webhooks` counts endpoints. If it equals the number of endpoints that receive the event, ours is
    one of them; if it is smaller, the failed delivery may be another endpoint's.

    Args:
        recent: all events that we handle.
        failed: events that have not arrived everywhere.
        endpoints: endpoints of the account.
        url: our address.
    """
    # Stripe disables an endpoint whose deliveries fail for days; such deliveries failed at that endpoint.
    own = [one for one in endpoints if not one.connect]
    sent_to = [one for one in own if one.enabled or _loose(one.url) == _loose(url)]
    undelivered = {event.id: event for event in failed}
    ours: list[StripeEvent] = []
    unknown: list[StripeEvent] = []
    for event in undelivered.values():
        sent = [one for one in sent_to if one.livemode == event.livemode and not one.lacks([event.type])]
        to_us = [one for one in sent if _loose(one.url) == _loose(url)]
        if event.pending_webhooks == 0 or (sent and not to_us):
            continue  # it has arrived since, or was never sent to us
        everywhere = bool(sent) and event.pending_webhooks is not None and event.pending_webhooks >= len(sent)
        only_ours = bool(sent) and len(to_us) == len(sent)
        (ours if only_ours or everywhere else unknown).append(event)
    count = len({event.id for event in recent} | undelivered.keys())
    return Deliveries(count, tuple(ours), tuple(unknown))


def _exact(url: str) -> tuple[str, str, int | None, str, str]:
    """Normalise a URL as HTTP clients do: lower-case host, default port filled in, no empty path."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", url, None, "", ""
    return parts.scheme, (parts.hostname or "").lower(), port, parts.path or "/", parts.query


def _loose(url: str) -> tuple[str, int | None, str]:
    """Return host, non-default port and path, without "www.", trailing slash, scheme and query."""
    scheme, host, port, path, _ = _exact(url)
    return host.removeprefix("www."), None if port == _PORTS.get(scheme) else port, path.rstrip("/")
