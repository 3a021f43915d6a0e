"""Bars on a time scale, one lane below the other, each with text above: a waterfall or a timeline.

The text is HTML, so that it wraps and scales like other text; only the bars are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kamiyo_verify.reporting.charts.frame import EDGE, Axis, Layer, Point, picture
from kamiyo_verify.reporting.inert import one_line

_DOWN = 0.74
"""Vertical position of a bar within its lane, as a share from the top."""

_SIZE = (1000, 100)


@dataclass(frozen=True, slots=True)
class Span:
    """A bar from `began` to `ended`; for `look` see `Layer`."""

    began: float
    ended: float
    look: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: its label, its values as text, and its bars."""

    label: str
    description: str
    spans: Sequence[Span]


def lanes(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Lane],
    *,
    ends: tuple[float, float],
    ticks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Draw bars on one scale.

    Args:
        name: see `picture`, also for the next two.
        title: the subject.
        description: the content in sentences.
        rows: the lanes, from top to bottom.
        ends: the ends of the scale.
        ticks: positions and texts below the scale.
    """
    low, high = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1)
    svg = picture(
        name,
        title,
        description,
        [*_layers(rows, (low, high))],
        x=Axis(low, high, ()),
        y=Axis(0, 1, ()),
        size=_SIZE,
        stretched=True,
    )
    words = Markup("").join(
        Markup("<li><span>{}</span> <span>{}</span></li>").format(
            one_line(row.label, 80), one_line(row.description, 160)
        )
        for row in rows
    )
    below = Markup("").join(
        Markup('<span style="left: clamp(1.8rem, {:.1f}%, calc(100% - 1.8rem))">{}</span>').format(
            100 * _share(at, low, high), one_line(text, 24)
        )
        for at, text in ticks
    )
    axis = Markup('<div class="c-ticks" aria-hidden="true">{}</div>').format(below) if ticks else Markup()
    return Markup('<div class="c-lanes"><ul>{}</ul>{}</div>{}').format(words, svg, axis)


def _layers(rows: Sequence[Lane], ends: tuple[float, float]) -> Iterator[Layer]:
    """Yield background tracks for all lanes, then the bars; bars with the same look share a layer."""
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
    """Return the height from 0 to 1 at which pygal aligns the bar with the row's text."""
    return (1 - (row + _DOWN) / rows - EDGE) / (1 - 2 * EDGE)


def _share(at: float, low: float, high: float) -> float:
    return (at - low) / (high - low)
