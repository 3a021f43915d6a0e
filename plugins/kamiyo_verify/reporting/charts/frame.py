"""Convert pygal's output to a small, inert SVG that is coloured by the page's style sheet.

pygal decides the scales, the axes and every coordinate. Only shapes and texts of its output are kept: no
script, style, link, tooltip or colour, so that a chart follows the light, dark and print styles.

A line chart, in a page whose style sheet holds `css()`:

    from kamiyo_verify.reporting.charts import Series, lines

    markup = lines(
        "p95-trend",                                    # unique on its page
        "API p95",                                      # the caption
        "The API's p95 rose from 212 ms to 240 ms over the last three deployments.",
        labels=["3b0cca2", "77aa01f", "9c41d07"],       # one for each point
        series=[Series("p95", [212.0, None, 240.0])],   # None was not measured: a gap, never a zero
        unit="ms",
        limit=("objective", 500.0),
    )

`bars` takes the same arguments. Both return a whole `<figure>` with a table of the numbers, as safe markup.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeAlias

from markupsafe import Markup

from kamiyo_verify.model.figures import quantity
from kamiyo_verify.reporting.charts.shapes import TEXT, Element, shapes
from kamiyo_verify.reporting.inert import one_line

Point: TypeAlias = tuple[float, float] | None
"""x and y; None separates two strokes of one layer."""

MOST_POINTS = 240
"""Most points of one layer: a chart cannot show more, and a page has many charts."""

EDGE = 0.02 / 1.04
"""The share of a chart's width and height that pygal leaves free at each side of a range."""

_LABEL_PX = 11
_BESIDE_PX = 3
_LARGEST = 1e12
_SMALLEST_RANGE = 1e-9
_TEMPLATES = Path(__file__).parents[1] / "templates"


class Kind(StrEnum):
    """How the points of a layer are drawn."""

    LINE = "line"
    AREA = "area"
    BAR = "bar"
    DOTS = "dots"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Layer:
    """Points with the same look; later layers cover earlier ones.

    Attributes:
        look: the classes by which charts.css colours it: "now", "before", "other", "good", "bad" …
        labels: one for each point, if the kind is LABELS.
    """

    points: Sequence[Point]
    look: str
    kind: Kind = Kind.LINE
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        low, high: its ends.
        ticks: positions and their texts; None lets pygal choose, () shows none.
        format_value: formats a number, for ticks that pygal chooses.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float, str]] | None = None
    format_value: Callable[[float], str] = "{:g}".format


@cache
def css() -> str:
    """Return the colours of a page in light, dark and print, and the styles of its charts."""
    return "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("palette.css", "charts.css"))


def picture(
    name: str,
    title: str,
    description: str,
    layers: Iterable[Layer],
    *,
    x: Axis,
    y: Axis,
    size: tuple[int, int],
    stretched: bool = False,
) -> Markup:
    """Draw an `<svg>` of these layers, with a title and a description for screen readers.

    Args:
        name: unique on its page: letters, digits, hyphens.
        title: the subject, in a few words.
        description: the content in a sentence with its numbers.
        layers: the layers; numbers that are not finite are left out.
        x: the horizontal axis.
        y: the vertical axis.
        size: width and height in px, at which texts have the size of small print.
        stretched: fill the box in both directions; then no text is shown, and strokes keep their width.
    """
    drawn = [_drawable(layer) for layer in layers]
    root = _render(drawn, x, y, size, texts=not stretched)
    looks = [f"{layer.kind} {layer.look}" for layer in drawn]
    return Markup(
        '<svg class="{}" role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="{}"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>{}</svg>'
    ).format(
        "c-svg c-stretched" if stretched else "c-svg",
        *size,
        "none" if stretched else "xMidYMid",
        one_line(title, 120),
        one_line(description, 600),
        Markup("").join(shapes(child, looks) for child in root),
        id=slug(name),
    )


def slug(name: str) -> str:
    """Return an id that is safe in a page: lower case, with hyphens for all except letters and digits."""
    return "chart-" + re.sub(r"[^a-z0-9]+", "-", name[:80].lower()).strip("-")


def number(value: float, unit: str) -> str:
    """Format a number for a chart."""
    return one_line(quantity(value, unit), TEXT)


def _drawable(layer: Layer) -> Layer:
    """Limit the layer to MOST_POINTS, with gaps for non-finite numbers and a maximum for large ones."""
    step = math.ceil(len(layer.points) / MOST_POINTS) or 1
    points = [
        (_within(point[0]), _within(point[1])) if point and all(map(math.isfinite, point)) else None
        for point in layer.points[::step]
    ]
    return replace(layer, points=points, labels=[one_line(label, TEXT) for label in layer.labels[::step]])


def _within(value: float) -> float:
    return max(-_LARGEST, min(_LARGEST, value))


def _range(axis: Axis) -> tuple[float, float]:
    low, high = (_within(end) if math.isfinite(end) else 0.0 for end in (axis.low, axis.high))
    return low, max(high, low + max(_SMALLEST_RANGE, abs(low) * _SMALLEST_RANGE))


def _render(layers: Sequence[Layer], x: Axis, y: Axis, size: tuple[int, int], *, texts: bool) -> Element:
    import pygal  # noqa: PLC0415 - slow to import; needed only for drawing
    from pygal.style import Style  # noqa: PLC0415

    # pygal's plugin finder, unused here, has an obsolete protocol: Python warns about it.
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
    chart = pygal.XY(
        width=size[0],
        height=size[1],
        margin=2 if texts else 0,
        spacing=4,
        style=Style(label_font_size=_LABEL_PX, major_label_font_size=_LABEL_PX, value_font_size=_BESIDE_PX),
        js=(),
        css=(),
        xrange=_range(x),
        range=_range(y),
        show_legend=False,
        show_x_guides=False,
        show_x_labels=texts and x.ticks != (),
        show_y_labels=texts and y.ticks != (),
        max_scale=5,
        truncate_label=-1,
        x_value_formatter=lambda value: one_line(x.format_value(value), TEXT),
        value_formatter=lambda value: one_line(y.format_value(value), TEXT),
        allow_interruptions=True,
        print_labels=True,
        no_data_text="",
    )
    if x.ticks:
        chart.x_labels = [{"value": at, "label": one_line(label, TEXT)} for at, label in x.ticks]
    if y.ticks:
        chart.y_labels = [{"value": at, "label": one_line(label, TEXT)} for at, label in y.ticks]
    for layer in layers:
        labelled = zip(layer.points, layer.labels, strict=True)
        chart.add(
            "",
            [{"value": at, "label": label} for at, label in labelled] if layer.labels else layer.points,
            stroke=layer.kind in {Kind.LINE, Kind.AREA, Kind.BAR},
            fill=layer.kind in {Kind.AREA, Kind.BAR},
            show_dots=layer.kind in {Kind.DOTS, Kind.LABELS},
            dots_size=0 if layer.kind is Kind.LABELS else 4,
        )
    root: Element = chart.render_tree()
    return root
