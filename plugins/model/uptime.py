"""Whether an address answered, second by second, and how long it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to an address.

    Attributes:
        at: when it was asked, seconds since the epoch.
        up: it answered, and not with a 5xx; None where nobody can tell (429).
        told: the status, or why no answer came.
    """

    at: float
    up: bool | None
    told: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without service: from the first question that failed to the first one answered again.

    Attributes:
        ended: seconds since the epoch; None where it was still down at the last question.
    """

    began: float
    ended: float | None
    told: str
    last_seen: float

    @property
    def seconds(self) -> float:
        """How long, at the least."""
        return (self.last_seen if self.ended is None else self.ended) - self.began


def outages(probes: Sequence[Probe]) -> tuple[Outage, ...]:
    """Every outage that the probes of one address saw, in order."""
    found: list[Outage] = []
    down: Probe | None = None
    last = 0.0
    for probe in sorted((probe for probe in probes if probe.up is not None), key=lambda probe: probe.at):
        last = probe.at
        if not probe.up:
            down = down or probe
        elif down:
            found.append(Outage(down.at, probe.at, down.told, probe.at))
            down = None
    if down:
        found.append(Outage(down.at, None, down.told, last))
    return tuple(found)
