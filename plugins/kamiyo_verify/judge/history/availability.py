"""Availability over a window, the remaining error budget, and its burn rate.

Burn rates and their thresholds are those of Google's SRE Workbook, chapter 5 "Alerting on SLOs", table 5-8
(https://sre.google/workbook/alerting-on-slos/): 14.4 over one hour spends 2 % of a 30-day budget, 6 over six
hours spends 5 %; the short window, a twelfth of the long one, shows whether it is still burning. A rate is
reported only if requests are known from nearly the whole window.

Outages last for minutes, so availability is judged by the time that requests cover, not by their number: each
ten minutes count as one observation. If less than a tenth of the window is covered, availability is not
judged, whatever the counts are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kamiyo_verify.model.history.history import Availability, Burn, Source, Tally, TrafficSlice

_HOUR = 3600.0
_UNITS = {"h": _HOUR, "d": 24 * _HOUR, "w": 7 * 24 * _HOUR}
_PAIRS = ((_HOUR, _HOUR / 12, 14.4), (6 * _HOUR, _HOUR / 2, 6.0))
"""Long window, short window (seconds), threshold."""

_WHOLE = 0.9
"""Share of a burn rate's window from which requests must be known."""

LEAST_COVERED = 0.1
"""Share of an objective's window from which requests must be known."""

OBSERVATION_S = 600.0
"""Seconds that count as one independent observation: as long as most outages last."""

MONTH_S = 30 * 24 * _HOUR


def window_seconds(text: str) -> float:
    """Return a window such as "30d" in seconds; 30 days for "".

    Raises:
        ValueError: the text is not a window.
    """
    if not text:
        return MONTH_S
    found = re.fullmatch(r"([1-9]\d*)([hdw])", text)
    if found is None:
        raise ValueError(f'"{text}" is no window: "30d", "4w" and "12h" are')
    return int(found[1]) * _UNITS[found[2]]


def availability(
    slices: Iterable[TrafficSlice], *, objective: float, window_s: float, now: float, downtime_s: float = 0.0
) -> Availability:
    """Return the availability over the window that ends now.

    Users' requests count if any are known in the window; our own samples, which are few and come in runs,
    count only if none are. Downtime of deployments is measured to the second and counts against the budget
    separately: whichever of the two has spent more of it decides.

    Args:
        slices: traffic of any time.
        objective: the share of requests that should be served, 0..1.
        window_s: length of the window, in seconds.
        now: seconds since the epoch.
        downtime_s: downtime of the deployments in the window, in seconds.
    """
    known = counted_once(one for one in slices if now - window_s <= one.began_at <= now)
    source = next((one for one in Source if any(slice_.source is one for slice_ in known)), None)
    chosen = [one for one in known if one.source is source]
    bad, total = sum(one.bad for one in chosen), sum(one.total for one in chosen)
    spent = max(bad / total if total else 0.0, downtime_s / window_s) / (1 - objective)
    whose = "requests of users" if source is Source.USERS else "sampled requests"
    return Availability(
        tally=Tally(bad, total, whose),
        source=source,
        objective=objective,
        window_s=window_s,
        observed_s=_covered(chosen),
        downtime_s=downtime_s,
        budget_left=1 - spent if total or downtime_s else None,
        burns=burns(chosen, objective=objective, now=now),
    )


def burns(slices: Sequence[TrafficSlice], *, objective: float, now: float) -> tuple[Burn, ...]:
    """Return the burn rate over each pair of windows that ends now."""

    def rate(window_s: float) -> float | None:
        begin = now - window_s
        inside = [one for one in slices if begin < one.began_at + one.seconds and one.began_at <= now]
        if _covered([_within(one, begin, now) for one in inside]) < _WHOLE * window_s:
            return None
        total = sum(one.total for one in inside)
        return sum(one.bad for one in inside) / total / (1 - objective) if total else None

    return tuple(
        Burn(long_s, short_s, rate(long_s), rate(short_s), threshold) for long_s, short_s, threshold in _PAIRS
    )


def counted_once(slices: Iterable[TrafficSlice]) -> list[TrafficSlice]:
    """Remove users' traffic that several runs saw; keep every run's own samples."""
    kept: list[TrafficSlice] = []
    ends: dict[str, float] = {}
    for one in sorted(slices, key=lambda one: (one.began_at, one.seconds, one.service)):
        if one.source is Source.USERS:
            if one.began_at < ends.get(one.service, -math.inf):
                continue
            ends[one.service] = one.began_at + one.seconds
        kept.append(one)
    return kept


def coverage(found: Availability) -> float:
    """Return the share of the window from which requests are known, 0..1."""
    return found.observed_s / found.window_s


def _within(one: TrafficSlice, begin: float, end: float) -> TrafficSlice:
    """Return the part of a slice that lies between two moments."""
    first = max(one.began_at, begin)
    return replace(one, began_at=first, seconds=min(one.began_at + one.seconds, end) - first)


def _covered(slices: Sequence[TrafficSlice]) -> float:
    """Return the seconds that lie in at least one slice."""
    covered, end = 0.0, -math.inf
    for one in slices:
        last = one.began_at + one.seconds
        covered += max(0.0, last - max(one.began_at, end))
        end = max(end, last)
    return covered
