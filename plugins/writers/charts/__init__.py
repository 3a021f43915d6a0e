"""Charts as inert SVG: see `frame` for how one is made."""

from plugins.writers.charts.frame import css
from plugins.writers.charts.plots import Series, bars, lines

__all__ = ["Series", "bars", "css", "lines"]
