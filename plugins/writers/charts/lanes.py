"""Stretches of time under one another, each below its own words: a waterfall, or a timeline.

The words are the page's, so that they break and grow as all others; only the bars are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from plugins.writers.charts.frame import EDGE, Axis, Layer, Point, picture
from plugins.writers.inert import one_line

_DOWN = 0.74
"""Where in the height of its lane a bar lies, from above."""

_SIZE = (1000, 100)


@dataclass(frozen=True, slots=True)
class Span:
    """From here to there; `look` as of `Layer`."""

    began: float
    ended: float
    look: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One line: what it is, its numbers in words, and its stretches."""

    label: str
    told: str
    spans: Sequence[Span]


def lanes(
    name: str,
    title: str,
    told: str,
    rows: Sequence[Lane],
    *,
    ends: tuple[float, float],
    ticks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Bars on one scale.

    Args:
        name: as of `picture`, and so are the next two.
        title: what is drawn.
        told: the same in sentences.
        rows: from above.
        ends: of the scale.
        ticks: what is written below it, and where.
    """
    low, high = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1)
    svg = picture(
        name,
        title,
        told,
        [*_layers(rows, (low, high))],
        x=Axis(low, high, ()),
        y=Axis(0, 1, ()),
        size=_SIZE,
        stretched=True,
    )
    words = Markup("").join(
        Markup("<li><span>{}</span> <span>{}</span></li>").format(
            one_line(row.label, 80), one_line(row.told, 160)
        )
        for row in rows
    )
    below = Markup("").join(
        Markup('<span style="left: {:.1f}%">{}</span>').format(
            100 * _share(at, low, high), one_line(text, 24)
        )
        for at, text in ticks
    )
    axis = Markup('<div class="c-ticks" aria-hidden="true">{}</div>').format(below) if ticks else Markup()
    return Markup('<div class="c-lanes"><ul>{}</ul>{}</div>{}').format(words, svg, axis)


def _layers(rows: Sequence[Lane], ends: tuple[float, float]) -> Iterator[Layer]:
    """A track for each lane, and above it its stretches; those that look alike are one layer."""
    heights = [_height(n, len(rows)) for n in range(len(rows))]
    yield Layer([point for height in heights for point in _bar(*ends, height)], "track")
    for look in dict.fromkeys(span.look for row in rows for span in row.spans):
        points = [
            point
            for row, height in zip(rows, heights, strict=True)
            for span in row.spans
            if span.look == look
            for point in _bar(span.began, span.ended, height)
        ]
        yield Layer(points, f"lane {look}")


def _bar(began: float, ended: float, height: float) -> tuple[Point, Point, None]:
    return (began, height), (ended, height), None


def _height(row: int, rows: int) -> float:
    """In the range of 0 to 1, so that pygal puts it where the row's words are."""
    return (1 - (row + _DOWN) / rows - EDGE) / (1 - 2 * EDGE)


def _share(at: float, low: float, high: float) -> float:
    return (at - low) / (high - low)
