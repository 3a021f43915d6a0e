"""The drawn parts of a report, each with its heading, its charts, and what is lacking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from plugins.model.picture import Part, Picture
from plugins.model.verdict import Verdict
from plugins.writers.charts.latency import latency
from plugins.writers.charts.objectives import objective
from plugins.writers.charts.timeline import timeline
from plugins.writers.charts.trend import trend
from plugins.writers.charts.waterfall import waterfall

MOST_ENDPOINTS = 12

_TITLES = {
    Part.LATENCY: "Response times",
    Part.TIMING: "Where the time of one request goes",
    Part.TIMELINE: "Timeline",
    Part.TREND: "The last deployments",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One part.

    Attributes:
        lacking: why it shows nothing, or less than it could; one line each.
    """

    part: Part
    title: str
    body: Markup
    lacking: tuple[str, ...]


def objectives(verdict: Verdict) -> dict[str, Markup]:
    """The picture of each objective, by its id."""
    return {report.id: objective(report) for report in verdict.slos}


def parts(picture: Picture, *wanted: Part) -> Iterator[Drawn]:
    """These parts; one of which nothing at all is known says so."""
    for part in wanted:
        body, lacking = _body(picture, part), _lacking(picture, part)
        if body or lacking:
            yield Drawn(part, _TITLES[part], body, lacking)


def _body(picture: Picture, part: Part) -> Markup:
    match part:
        case Part.LATENCY:
            shown = picture.latencies[:MOST_ENDPOINTS]
            return _grid([latency(f"latency-{n}", one) for n, one in enumerate(shown)])
        case Part.TIMING:
            return _grid(
                [waterfall(f"timing-{n}", one) for n, one in enumerate(picture.breakdowns)], "c-grid c-pair"
            )
        case Part.TIMELINE if picture.timeline:
            return timeline("timeline", picture.timeline)
        case Part.TREND if len(picture.recent) > 1:
            return trend(picture.recent, picture.tracked)
        case _:
            return Markup()


def _lacking(picture: Picture, part: Part) -> tuple[str, ...]:
    told = [picture.unknown.get(part, "")]
    if part is Part.LATENCY:
        told.append(picture.unknown.get(Part.BEFORE, "") if picture.latencies else "")
        if beyond := len(picture.latencies) - MOST_ENDPOINTS:
            told.append(f"{beyond} more endpoints are not drawn" if beyond > 0 else "")
    return tuple(filter(None, told))


def _grid(figures: list[Markup], look: str = "c-grid") -> Markup:
    if not figures:
        return Markup()
    return Markup('<div class="{}">{}</div>').format(look, Markup("").join(figures))
