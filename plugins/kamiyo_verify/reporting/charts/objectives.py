"""An objective as a small chart: the interval of the measurement, and the line of the objective."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.charts.frame import Axis, Layer, number, picture

_SIZE = (400, 24)
_ROOM = 1.25
"""Factor by which a scale extends beyond its furthest mark."""

_MIDDLE = 0.5


def objective(report: SloReport) -> Markup:
    """Draw the chart with the ends of its scale; without an interval it shows only the objective."""
    low, high = _ends(report)
    unit = words.objective_unit(report)
    svg = picture(
        f"slo-{report.id}",
        f"{words.short_title(report.title)}: the interval against the objective",
        describe(report),
        [*_layers(report, low, high)],
        x=Axis(low, high, ()),
        y=Axis(0, 1, ()),
        size=_SIZE,
        stretched=True,
    )
    ends = Markup("").join(Markup("<span>{}</span>").format(number(end, unit)) for end in (low, high))
    below = Markup('<p class="c-ends" aria-hidden="true">{}</p>').format(ends)
    return Markup('<div class="c-objective">{}{}</div>').format(svg, below)


def describe(report: SloReport) -> str:
    """Describe the chart in a sentence."""
    agreed, called = words.objective(report), words.OBJECTIVES[report.verdict][1]
    if report.value is None or report.interval is None:
        return f"Agreed: {agreed}. No samples: {called}."
    value = number(report.value, words.objective_unit(report))
    ends = words.interval(report)
    return f"Agreed: {agreed}. Measured: {value}, interval {ends} (… is an end that is not known): {called}."


def _ends(report: SloReport) -> tuple[float, float]:
    marks = [report.objective, *((report.value,) if report.value is not None else ())]
    marks += [end for end in report.interval or () if end is not None]
    if report.better == "above" and max(marks) <= 1 and not report.unit:
        return max(0.0, 1 - (1 - min(marks)) * _ROOM), 1.0
    return min(0.0, *marks), max(marks) * _ROOM or 1.0


def _layers(report: SloReport, low: float, high: float) -> Iterator[Layer]:
    good = (low, report.objective) if report.better == "below" else (report.objective, high)
    yield Layer([(low, _MIDDLE), (high, _MIDDLE)], "track" if report.interval else "track nothing")
    yield Layer([(end, _MIDDLE) for end in good], "agreed")
    if report.interval is not None and report.value is not None:
        lower, upper = report.interval
        left = low if lower is None else lower
        right = high if upper is None else upper
        if lower is None:
            yield Layer([(low, _MIDDLE), (report.value, _MIDDLE)], f"open {report.verdict}")
        if upper is None:
            yield Layer([(report.value, _MIDDLE), (high, _MIDDLE)], f"open {report.verdict}")
        known = (report.value if lower is None else left, report.value if upper is None else right)
        yield Layer([(end, _MIDDLE) for end in known], f"interval {report.verdict}")
        yield Layer([(report.value, _MIDDLE), (report.value, _MIDDLE)], "point")
    yield Layer([(report.objective, 0.0), (report.objective, 1.0)], "limit")
