"""Waterfall chart of one request: the duration of each step."""

from __future__ import annotations

from markupsafe import Markup

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.chart_data import Breakdown
from kamiyo_verify.reporting.charts.lanes import Lane, Span, lanes
from kamiyo_verify.reporting.charts.plots import figure

_LOOKS = {"wait for the first byte": "wait", "transfer": "transfer"}


def waterfall(name: str, shown: Breakdown) -> Markup:
    """Draw a `<figure>`; `name` is unique on its page."""
    rows = [
        Lane(
            step.name,
            _ms(step.ended_ms - step.began_ms),
            [Span(step.began_ms, step.ended_ms, _LOOKS.get(step.name, "setup"))],
        )
        for step in shown.steps
    ]
    steps = ", ".join(f"{row.label} {row.description}" for row in rows)
    return figure(title(shown), lanes(name, title(shown), f"{steps}.", rows, ends=(0.0, shown.total_ms)))


def title(shown: Breakdown) -> str:
    """Return the service and its whole duration."""
    return f"{shown.service or shown.item}: {_ms(shown.total_ms)} in all"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2g} ms" if milliseconds < 10 else duration(milliseconds / 1000)
