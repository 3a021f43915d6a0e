"""Format numbers for people: three significant figures, a unit, shares in percent."""

import math
from collections.abc import Iterable


def quantity(value: float, unit: str = "") -> str:
    """Format a number with its unit, such as "212 ms" or "1,240"; a share is given in percent.

    Three significant figures; a share keeps two of its distance to 0 or 1, so that 99.97 % is not rounded.
    """
    if unit == "share":
        return percent(value)
    return f"{_figures(value, 3)} {unit}".rstrip()


def percent(share: float) -> str:
    """Format a share of 0 to 1, such as "2.5 %" or "99.97 %"."""
    if not math.isfinite(share):
        return f"{share} %"
    distance = min(abs(share), abs(1 - share)) * 100
    return f"{_rounded(share * 100, _places(distance, 2))} %"


def counted(count: int, one: str, many: str = "") -> str:
    """Format a count with its noun: "1 item", "2 items"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Iterable[str]) -> str:
    """Join names for a sentence: "a", "a and b", "a, b and c"."""
    *first, last = tuple(names) or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def duration(seconds: float) -> str:
    """Format seconds in a suitable unit: "340 ms", "4.2 s", "1 min 4 s", "23 h 50 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{_figures(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _figures(value: float, figures: int) -> str:
    return _rounded(value, _places(abs(value), figures)) if math.isfinite(value) else str(value)


def _places(value: float, figures: int) -> int:
    return max(0, figures - 1 - math.floor(math.log10(value))) if value else 0


def _rounded(value: float, places: int) -> str:
    text = f"{value:,.{min(places, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
