"""Places: the same deployment, verified from several networks."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.model.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReport:
    """One place's part in the verdict of several places.

    Attributes:
        place: its name.
        recommendation: the call of its own run.
        headline: that call in one sentence.
        finished_at: when its run ended; UTC, ISO 8601.
        left_out: why its run does not count, in one sentence; "" if it counts.
    """

    place: str
    recommendation: Action
    headline: str
    finished_at: str
    left_out: str = ""
