"""Where the time of one request went, step under step."""

from __future__ import annotations

from markupsafe import Markup

from plugins.model.figures import duration
from plugins.model.picture import Breakdown
from plugins.writers.charts.lanes import Lane, Span, lanes
from plugins.writers.charts.plots import figure

_LOOKS = {"wait for the first byte": "wait", "transfer": "transfer"}


def waterfall(name: str, shown: Breakdown) -> Markup:
    """A `<figure>`; `name` is unique on its page."""
    rows = [
        Lane(
            step.name,
            _ms(step.ended_ms - step.began_ms),
            [Span(step.began_ms, step.ended_ms, _LOOKS.get(step.name, "setup"))],
        )
        for step in shown.steps
    ]
    steps = ", ".join(f"{row.label} {row.told}" for row in rows)
    title = f"{shown.service or shown.item}: {_ms(shown.total_ms)} in all"
    return figure(title, lanes(name, title, f"{steps}.", rows, ends=(0.0, shown.total_ms)))


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2g} ms" if milliseconds < 10 else duration(milliseconds / 1000)
