"""From pygal's drawing to a picture that is inert, small, and coloured by the page's own style sheet.

pygal decides the scales, the axes and every coordinate. Of what it writes only shapes and texts are kept: no
script, no style, no link, no tool tip, and no colour, so that a chart follows light, dark and paper.

A line chart, in a page whose style sheet holds `css()`:

    from plugins.writers.charts import Series, lines

    markup = lines(
        "p95-trend",                                    # unique on its page
        "API p95",                                      # the caption
        "The API's p95 rose from 212 ms to 240 ms over the last three deployments.",
        labels=["3b0cca2", "77aa01f", "9c41d07"],       # one for each point
        series=[Series("p95", [212.0, None, 240.0])],   # None is what nobody measured: a gap, never a zero
        unit="ms",
        limit=("objective", 500.0),
    )

`bars` takes the same. Both give a whole `<figure>` with a table of the numbers, safe to put into a template.
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

from plugins.model.figures import quantity
from plugins.writers.charts.shapes import TEXT, Element, shapes
from plugins.writers.inert import one_line

Point: TypeAlias = tuple[float, float] | None
"""x and y; None parts two strokes of one layer."""

MOST_POINTS = 240
"""Of one layer: a picture shows no more of them, and a page has many pictures."""

EDGE = 0.02 / 1.04
"""The share of a drawing's width, and of its height, that pygal leaves free at each side of a range."""

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
    """Points that are drawn alike; later layers lie over earlier ones.

    Attributes:
        look: the classes by which charts.css colours it: "now", "before", "other", "good", "bad" …
        labels: of LABELS, one for each point.
    """

    points: Sequence[Point]
    look: str
    kind: Kind = Kind.LINE
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two directions.

    Attributes:
        low, high: its ends.
        ticks: what is written beside it, and where; None lets pygal choose, () writes nothing.
        told: a number as text, for ticks that pygal chooses.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float, str]] | None = None
    told: Callable[[float], str] = "{:g}".format


@cache
def css() -> str:
    """The colours of a page in light, in dark and on paper, and the looks of its charts."""
    return "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("palette.css", "charts.css"))


def picture(
    name: str,
    title: str,
    told: str,
    layers: Iterable[Layer],
    *,
    x: Axis,
    y: Axis,
    size: tuple[int, int],
    stretched: bool = False,
) -> Markup:
    """One `<svg>` of these layers, with a title and a description for who does not see it.

    Args:
        name: unique on its page: letters, digits, hyphens.
        title: what is drawn, in a few words.
        told: what there is to be seen, in a sentence with its numbers.
        layers: numbers that are not finite are left out.
        x: to the right.
        y: upwards.
        size: width and height in px, at which its texts have the size of small print.
        stretched: fills its box in both directions; then it shows no text, and strokes keep their width.
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
        one_line(told, 600),
        Markup("").join(shapes(child, looks) for child in root),
        id=slug(name),
    )


def slug(name: str) -> str:
    """An id that is safe in a page: the name in lower case, and hyphens for all but letters and digits."""
    return "chart-" + re.sub(r"[^a-z0-9]+", "-", name[:80].lower()).strip("-")


def number(value: float, unit: str) -> str:
    """A number as a chart tells it."""
    return one_line(quantity(value, unit), TEXT)


def _drawable(layer: Layer) -> Layer:
    """With at most MOST_POINTS, gaps for what is no number, and nothing larger than can be drawn."""
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
    import pygal  # noqa: PLC0415 - no run should wait for it before it has something to draw
    from pygal.style import Style  # noqa: PLC0415

    # Its finder of plugins, which nobody here has, speaks a protocol that Python has left: Python warns
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
        x_value_formatter=lambda value: one_line(x.told(value), TEXT),
        value_formatter=lambda value: one_line(y.told(value), TEXT),
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
