"""Line and bar charts of a few numbers, each with a caption and a table of the same numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from kamiyo_verify.reporting.charts.frame import Axis, Kind, Layer, Point, number, picture
from kamiyo_verify.reporting.inert import one_line

SIZE = (320, 150)
"""In px: as wide as a phone's screen, so that texts there have their normal size."""

_FEWEST_BETWEEN_TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers in order.

    Attributes:
        name: the name of the series.
        values: the numbers; None was not measured.
        look: the class by which charts.css colours it: "now", "before", "other", "good", "bad".
    """

    name: str
    values: Sequence[float | None]
    look: str = "now"


def lines(
    name: str,
    title: str,
    description: str,
    *,
    labels: Sequence[str],
    series: Sequence[Series],
    unit: str = "",
    limit: tuple[str, float] | None = None,
    numbers: bool = True,
) -> Markup:
    """Draw a `<figure>` with lines over the labels, from left to right.

    Args:
        name: unique on its page.
        title: the caption.
        description: the content in a sentence with its numbers.
        labels: one for each value.
        series: the last one covers the others.
        unit: of all values: "ms", "s", "share" …
        limit: a horizontal line, such as ("objective", 500.0).
        numbers: add a table of the numbers; False if the page shows them elsewhere.
    """
    layers = [layer for one in series for layer in (_line(one), _alone(one))]
    return _plotted(
        (name, title, description),
        layers,
        labels=labels,
        series=series,
        unit=unit,
        limit=limit,
        numbers=numbers,
    )


def bars(
    name: str,
    title: str,
    description: str,
    *,
    labels: Sequence[str],
    series: Sequence[Series],
    unit: str = "",
    limit: tuple[str, float] | None = None,
    numbers: bool = True,
) -> Markup:
    """Draw a `<figure>` as `lines` does, with a bar for each value; several series are side by side."""
    width = 0.8 / max(1, len(series))
    layers = [
        Layer([*_bars(one.values, -0.4 + n * width, width * 0.94)], one.look, Kind.BAR)
        for n, one in enumerate(series)
    ]
    return _plotted(
        (name, title, description),
        layers,
        labels=labels,
        series=series,
        unit=unit,
        limit=limit,
        numbers=numbers,
    )


def figure(title: str, svg: Markup, *below: Markup) -> Markup:
    """Combine a caption, a chart and the parts below it."""
    caption = escape(one_line(title, 120))
    return Markup('<figure class="c-chart"><figcaption>{}</figcaption>{}{}</figure>').format(
        caption, svg, Markup("").join(below)
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Format the numbers of a chart as a collapsed table; the first column names each row."""
    cells = Markup("").join(Markup('<th scope="col">{}</th>').format(one_line(text, 60)) for text in head)
    body = Markup("").join(_row(row) for row in rows)
    return Markup(
        '<details class="c-numbers"><summary>The numbers</summary>'
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>"
    ).format(cells, body)


def key(entries: Iterable[tuple[str, str]]) -> Markup:
    """Format the legend: looks and their names."""
    description = Markup("").join(
        Markup('<li><span class="c-key c-{}" aria-hidden="true"></span> {}</li>').format(
            look, one_line(name, 80)
        )
        for look, name in entries
    )
    return Markup('<ul class="c-keys">{}</ul>').format(description)


def _row(row: Sequence[str]) -> Markup:
    first, *others = (one_line(text, 80) for text in row)
    cells = Markup("").join(Markup("<td>{}</td>").format(text) for text in others)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(first, cells)


def _plotted(
    words: tuple[str, str, str],
    layers: Sequence[Layer],
    *,
    labels: Sequence[str],
    series: Sequence[Series],
    unit: str,
    limit: tuple[str, float] | None,
    numbers: bool,
) -> Markup:
    name, title, description = words
    known = [value for one in series for value in one.values if value is not None and math.isfinite(value)]
    ends = (*known, *((limit[1],) if limit else ()), 0.0)
    low, high = min(ends), max(ends)
    across = (-0.5, len(labels) - 0.5)
    if limit:
        layers = [*layers, Layer([(across[0], limit[1]), (across[1], limit[1])], "limit")]
    svg = picture(
        name,
        title,
        description,
        layers,
        x=Axis(*across, _some(labels)),
        y=Axis(low, high if high > low else low + 1, format_value=lambda value: number(value, unit)),
        size=SIZE,
    )
    entries = [(one.look, one.name) for one in series]
    if limit:
        entries.append(("limit", f"{limit[0]} {number(limit[1], unit)}"))
    rows = (
        [label, *("–" if value is None else number(value, unit) for value in values)]
        for label, *values in zip(labels, *(one.values for one in series), strict=True)
    )
    full_table = table(["", *(one.name for one in series)], rows) if numbers else Markup()
    return figure(title, svg, key(entries), full_table)


def _line(one: Series) -> Layer:
    return Layer([None if value is None else (n, value) for n, value in enumerate(one.values)], one.look)


def _alone(one: Series) -> Layer:
    """Draw the last value, and any value without a neighbour, as dots."""
    known = [value is not None for value in one.values]
    last = max((n for n, is_known in enumerate(known) if is_known), default=-1)
    return Layer(
        [
            (n, value)
            for n, value in enumerate(one.values)
            if value is not None and (n == last or not any(known[max(0, n - 1) : n] + known[n + 1 : n + 2]))
        ],
        one.look,
        Kind.DOTS,
    )


def _bars(values: Sequence[float | None], offset: float, width: float) -> Iterable[Point]:
    for n, value in enumerate(values):
        if value is not None:
            left, right = n + offset, n + offset + width
            yield from ((left, 0.0), (left, value), (right, value), (right, 0.0), None)


def _some(labels: Sequence[str]) -> list[tuple[float, str]]:
    """Return as many labels as fit, always with the last one."""
    step = max(1, math.ceil(len(labels) / _FEWEST_BETWEEN_TICKS))
    shown = range((len(labels) - 1) % step, len(labels), step)
    return [(float(n), one_line(labels[n], 12)) for n in shown]
