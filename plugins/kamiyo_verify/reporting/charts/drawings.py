"""The chart sections of a report, each with a heading, its charts, and a note about missing data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from kamiyo_verify.model.history.chart_data import ChartData, Latency, Part
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting.charts import waterfall
from kamiyo_verify.reporting.charts.frame import number
from kamiyo_verify.reporting.charts.latency import latency, title
from kamiyo_verify.reporting.charts.objectives import objective
from kamiyo_verify.reporting.charts.timeline import timeline
from kamiyo_verify.reporting.charts.trend import trend

MOST_ENDPOINTS = 12

_TOLD = 3
"""Most charts that a fold names."""

_P95 = 0.95

_TITLES = {
    Part.LATENCY: "Response times",
    Part.TIMING: "The time of one request",
    Part.TIMELINE: "Timeline",
    Part.TREND: "The last deployments",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One section.

    Attributes:
        folded: what stands in place of the charts where a narrow screen folds them; "" if it does not.
        lacking: the reasons why charts are missing or incomplete, one line each.
    """

    part: Part
    title: str
    body: Markup
    folded: str
    lacking: tuple[str, ...]


def objectives(verdict: Verdict) -> dict[str, Markup]:
    """Return the chart of each objective, by its id."""
    return {report.id: objective(report) for report in verdict.slos}


def parts(picture: ChartData, *wanted: Part) -> Iterator[Drawn]:
    """Yield these sections; a section without any data says why."""
    for part in wanted:
        body, lacking = _body(picture, part), _lacking(picture, part)
        if body or lacking:
            yield Drawn(part, _TITLES[part], body, _folded(picture, part), lacking)


def _body(picture: ChartData, part: Part) -> Markup:
    match part:
        case Part.LATENCY:
            shown = picture.latencies[:MOST_ENDPOINTS]
            return _grid([latency(f"latency-{n}", one) for n, one in enumerate(shown)])
        case Part.TIMING:
            return _grid(
                [waterfall.waterfall(f"timing-{n}", one) for n, one in enumerate(picture.breakdowns)],
                "c-grid c-pair",
            )
        case Part.TIMELINE if picture.timeline:
            return timeline("timeline", picture.timeline)
        case Part.TREND if len(picture.recent) > 1:
            return trend(picture.recent, picture.tracked)
        case _:
            return Markup()


def _folded(picture: ChartData, part: Part) -> str:
    """Return the charts' main numbers in a line, or how many charts there are."""
    match part:
        case Part.LATENCY if picture.latencies:
            named = [f"{title(one)}: {p95}" for one in picture.latencies if (p95 := _p95(one))]
            more = len(named) - _TOLD
            return " · ".join([*named[:_TOLD], *([f"and {more} more"] if more > 0 else [])]) or "The charts"
        case Part.TIMING if picture.breakdowns:
            return " · ".join(waterfall.title(one) for one in picture.breakdowns[:_TOLD])
        case Part.TREND if len(picture.recent) > 1:
            return f"{len(picture.recent)} deployments, in charts"
        case _:
            return ""


def _p95(shown: Latency) -> str:
    found = [mark.value for mark in shown.quantiles if mark.share == _P95]
    return f"p95 {number(found[0], shown.unit)}" if found else ""


def _lacking(picture: ChartData, part: Part) -> tuple[str, ...]:
    description = [picture.unknown.get(part, "")]
    if part is Part.LATENCY:
        description.append(picture.unknown.get(Part.BEFORE, "") if picture.latencies else "")
        if beyond := len(picture.latencies) - MOST_ENDPOINTS:
            description.append(f"{beyond} more endpoints are not drawn" if beyond > 0 else "")
    return tuple(filter(None, description))


def _grid(figures: list[Markup], look: str = "c-grid") -> Markup:
    if not figures:
        return Markup()
    return Markup('<div class="{}">{}</div>').format(look, Markup("").join(figures))
