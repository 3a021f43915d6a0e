"""Availability of an address, second by second, and its outages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """One request to an address.

    Attributes:
        at: when it was sent, seconds since the epoch.
        up: whether it was answered, and not with a 5xx; None if unknown (429).
        detail: the status, or why no answer came.
    """

    at: float
    up: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without service: from the first probe that failed to the first one answered again.

    Attributes:
        ended: seconds since the epoch; None if it was still down at the last probe.
    """

    began: float
    ended: float | None
    detail: str
    last_seen: float

    @property
    def seconds(self) -> float:
        """Minimum duration in seconds."""
        return (self.last_seen if self.ended is None else self.ended) - self.began


def outages(probes: Sequence[Probe]) -> tuple[Outage, ...]:
    """Return every outage that the probes of one address saw, in order."""
    found: list[Outage] = []
    down: Probe | None = None
    last = 0.0
    for probe in sorted((probe for probe in probes if probe.up is not None), key=lambda probe: probe.at):
        last = probe.at
        if not probe.up:
            down = down or probe
        elif down:
            found.append(Outage(down.at, probe.at, down.detail, probe.at))
            down = None
    if down:
        found.append(Outage(down.at, None, down.detail, last))
    return tuple(found)
