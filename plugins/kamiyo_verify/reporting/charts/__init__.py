"""Charts as inert SVG; see `frame` for how one is made."""

from kamiyo_verify.reporting.charts.frame import css
from kamiyo_verify.reporting.charts.plots import Series, bars, lines

__all__ = ["Series", "bars", "css", "lines"]
