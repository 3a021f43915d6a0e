"""Distribution of an endpoint's response times, with the distribution before the deployment behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.history.chart_data import Latency, Quantile
from kamiyo_verify.reporting.charts.frame import Axis, Kind, Layer, Point, number, picture
from kamiyo_verify.reporting.charts.plots import SIZE, figure, key
from kamiyo_verify.reporting.inert import one_line

_BINS = (12, 36)
"""The smallest and the largest number of bins."""

_ROOM = 1.15
_FLOORS = {0.5: 1.0, 0.95: 0.88, 0.99: 0.76}
"""Height of each quantile's line, different so that the labels never overlap."""


def latency(name: str, shown: Latency) -> Markup:
    """Draw a `<figure>` with the quantiles as text below it; `name` is unique on its page."""
    low, high = _ends(shown)
    bins = _bins(len(shown.values))
    now, before = _shares(shown.values, low, high, bins), _shares(shown.before, low, high, bins)
    top = max(*now, *before, 0.01) * 1.08
    layers = [Layer([*_steps(before, low, high)], "before", Kind.AREA)] if shown.before else []
    layers.append(Layer([*_steps(now, low, high)], "now", Kind.AREA))
    layers += [layer for mark in shown.quantiles for layer in _mark(mark, top, low, high)]
    if low <= shown.objective <= high:
        layers.append(Layer([(shown.objective, 0.0), (shown.objective, top)], "limit"))
    svg = picture(
        name,
        f"How long {title(shown)} took",
        describe(shown),
        layers,
        x=Axis(low, high, format_value=lambda value: number(value, shown.unit)),
        y=Axis(0, top, ()),
        size=SIZE,
    )
    return figure(title(shown), svg, _keys(shown, high), _table(shown, high))


def title(shown: Latency) -> str:
    """Return the service and the endpoint."""
    return " ".join(filter(None, (shown.service, shown.endpoint or "all endpoints")))


def describe(shown: Latency) -> str:
    """Describe the chart in a sentence."""
    marks = ", ".join(
        f"{_named(mark)} {number(mark.value, shown.unit)}"
        + (f" (before the deployment {number(mark.before, shown.unit)})" if mark.before is not None else "")
        for mark in shown.quantiles
    )
    return f"{counted(len(shown.values), 'answer')}: {marks}."


def _ends(shown: Latency) -> tuple[float, float]:
    """Return the scale: from 0, or from just below a large minimum, to just above the highest quantile."""
    fastest = min((*shown.values, *shown.before))
    slow = max(max(mark.value, mark.before or 0.0) for mark in shown.quantiles)
    high = slow * _ROOM or 1.0
    return (0.0 if fastest < high / 4 else fastest - (high - fastest) / 10), high


def _bins(values: int) -> int:
    fewest, most = _BINS
    return max(fewest, min(most, round(2 * math.sqrt(values))))


def _shares(values: Sequence[float], low: float, high: float, bins: int) -> list[float]:
    """Return the share of the values in each bin; values outside the scale are in no bin."""
    counts = [0] * bins
    for value in values:
        at = math.floor((value - low) / (high - low) * bins)
        if 0 <= at < bins:
            counts[at] += 1
    return [count / len(values) if values else 0.0 for count in counts]


def _steps(shares: Sequence[float], low: float, high: float) -> Iterator[Point]:
    """Yield the outline of the bins, from the first to the last that is not empty."""
    width = (high - low) / len(shares)
    held = [n for n, share in enumerate(shares) if share]
    if not held:
        return
    first, last = held[0], held[-1]
    yield low + first * width, 0.0
    for n in range(first, last + 1):
        yield low + n * width, shares[n]
        yield low + (n + 1) * width, shares[n]
    yield low + (last + 1) * width, 0.0


def _mark(mark: Quantile, top: float, low: float, high: float) -> Iterator[Layer]:
    height = top * _FLOORS.get(mark.share, 1.0)
    side = "left" if mark.value > low + (high - low) * 0.85 else "right"
    yield Layer([(mark.value, 0.0), (mark.value, height)], "mark")
    yield Layer([(mark.value, height)], f"mark {side}", Kind.LABELS, [_named(mark)])


def _named(mark: Quantile) -> str:
    return f"p{mark.share * 100:g}"


def _keys(shown: Latency, high: float) -> Markup:
    entries = [("now", f"now, {counted(len(shown.values), 'answer')}")]
    if shown.before:
        entries.append(("before", f"before, {len(shown.before):,}"))
    where = "" if shown.objective <= high else ", further right"
    entries.append(("limit", f"objective {number(shown.objective, shown.unit)}{where}"))
    return key(entries)


def _table(shown: Latency, high: float) -> Markup:
    beyond = sum(value > high for value in shown.values)
    rows = [("now", [mark.value for mark in shown.quantiles])]
    if shown.before:
        rows.append(("before", [mark.before for mark in shown.quantiles if mark.before is not None]))
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(_named(mark)) for mark in shown.quantiles)
    body = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            row,
            Markup("").join(Markup("<td>{}</td>").format(number(value, shown.unit)) for value in values),
        )
        for row, values in rows
    )
    note = (
        f"{counted(beyond, 'slower answer')} not drawn, the slowest {number(max(shown.values), shown.unit)}"
    )
    return Markup(
        '<table class="c-marks"><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>{}'
    ).format(head, body, Markup('<p class="c-note">{}</p>').format(one_line(note)) if beyond else "")
