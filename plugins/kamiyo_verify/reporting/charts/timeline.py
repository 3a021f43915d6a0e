"""Timeline of a deployment: builds, deploys, downtime, first errors, checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.chart_data import Band
from kamiyo_verify.reporting.charts.lanes import Lane, Span, lanes
from kamiyo_verify.reporting.charts.plots import figure

_STEPS_S = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
    172800,
    604800,
)
_MOST_TICKS = 5
_A_DAY_S = 86400


def timeline(name: str, bands: Sequence[Band]) -> Markup:
    """Draw a `<figure>`; `name` is unique on its page, and `bands` is not empty."""
    by_lane: dict[str, list[Band]] = {}
    for band in bands:
        by_lane.setdefault(band.lane, []).append(band)
    rows = [
        Lane(lane, "; ".join(map(_words, found)), [Span(one.began, one.ended, one.look) for one in found])
        for lane, found in by_lane.items()
    ]
    began, ended = min(band.began for band in bands), max(band.ended for band in bands)
    description = ". ".join(f"{row.label}: {row.description}" for row in rows)
    title = f"{_day(began)}, times in UTC"
    ticks = [*_ticks(began, ended)]
    return figure(
        title, lanes(name, "Timeline of the deployment", description, rows, ends=(began, ended), ticks=ticks)
    )


def _words(band: Band) -> str:
    lasted = band.ended - band.began
    when = _clock(band.began, lasted)
    return " · ".join(
        filter(
            None,
            (
                when,
                duration(lasted) if lasted else "",
                band.description.removeprefix(duration(lasted)).lstrip(", "),
            ),
        )
    )


def _ticks(began: float, ended: float) -> Iterator[tuple[float, str]]:
    """Yield at most five ticks, at round times."""
    step = next((one for one in _STEPS_S if (ended - began) / one <= _MOST_TICKS), _STEPS_S[-1])
    at = began - began % step + step
    while at <= ended and step * _MOST_TICKS * 2 >= ended - began:
        yield at, _clock(at, step)
        at += step


def _clock(moment: float, precision: float) -> str:
    form = (
        "%d %b %H:%M"
        if precision >= _A_DAY_S
        else "%H:%M"
        if precision >= 60 and moment % 60 == 0
        else "%H:%M:%S"
    )
    return f"{datetime.fromtimestamp(moment, UTC):{form}}"


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
