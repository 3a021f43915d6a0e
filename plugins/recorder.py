"""What a try at an item leaves behind: its exchanges with the platform, its measurements, its pictures."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from plugins.model.figures import counted, duration
from plugins.model.result import Exchange, Measurement, Scalar, Screenshot

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHOWN = 12


class Tape:
    """Records one try, or one background task. Appending is safe from any thread."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.measurements: dict[str, Measurement] = {}
        self.screenshots: list[Screenshot] = []
        self._sent = (0, 0, 0)

    def record(self, exchange: Exchange) -> None:
        """Keep one exchange."""
        self.exchanges.append(exchange)

    def picture(self, screenshot: Screenshot) -> None:
        """Keep the note of a picture, whose file is written."""
        self.screenshots.append(screenshot)

    def measure(self, name: str, value: Scalar | Sequence[float], unit: str = "", *, of: str = "") -> None:
        """Keep one measurement, before it is judged.

        Args:
            name: snake_case, once per item.
            value: a number, a text, true, false or None; or numbers in the order taken.
            unit: "ms", "s", "count", "share" … or "" for none.
            of: which of several that are measured alike; it is kept as "name[of]".

        Raises:
            ValueError: the name is taken or not snake_case, or a number is not finite.
            TypeError: the value is of another type, which JSON could not carry.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"measure({name!r}): a name is in snake_case, such as first_byte_ms")
        full = f"{name}[{of}]" if of else name
        if full in self.measurements:
            raise ValueError(f"measure({name!r}): this item has measured {full} already")
        self.measurements[full] = Measurement(full, _json_safe(name, value), unit)

    def news(self) -> dict[str, Any]:
        """JSON-safe: what came since the last call."""
        if self._sent == (len(self.exchanges), len(self.measurements), len(self.screenshots)):
            return {"exchanges": [], "measurements": [], "screenshots": []}
        exchanges, measurements = list(self.exchanges), list(self.measurements.values())
        screenshots = list(self.screenshots)
        before, self._sent = self._sent, (len(exchanges), len(measurements), len(screenshots))
        return {
            "exchanges": [asdict(exchange) for exchange in exchanges[before[0] :]],
            "measurements": [asdict(taken) for taken in measurements[before[1] :]],
            "screenshots": [asdict(taken) for taken in screenshots[before[2] :]],
        }

    def told(self) -> list[str]:
        """The tape for a reader, one line each, the latest exchanges only where there are many."""
        lines = [f"  measured {taken.name} = {_short(taken)}" for taken in self.measurements.values()]
        exchanges = list(self.exchanges)
        if len(exchanges) > _SHOWN:
            lines.append(f"  ({counted(len(exchanges) - _SHOWN, 'earlier exchange')})")
        return lines + [f"  {_exchange(exchange)}" for exchange in exchanges[-_SHOWN:]]


class Recorder:
    """The tape of the try that is under way in this process; what comes between two tries is dropped."""

    def __init__(self) -> None:
        self.tape = Tape()

    def begin(self) -> Tape:
        """A new try, a new tape."""
        self.tape = Tape()
        return self.tape

    def record(self, exchange: Exchange) -> None:
        """Keep one exchange of the current try."""
        self.tape.record(exchange)


def exchange_from(data: dict[str, Any]) -> Exchange:
    """An exchange from its JSON-safe form."""
    return Exchange(**data)


def screenshot_from(data: dict[str, Any]) -> Screenshot:
    """The note of a picture from its JSON-safe form."""
    return Screenshot(**data)


def measurement_from(data: dict[str, Any]) -> Measurement:
    """A measurement from its JSON-safe form."""
    value = data["value"]
    return Measurement(data["name"], tuple(value) if isinstance(value, list | tuple) else value, data["unit"])


def _json_safe(name: str, value: Scalar | Sequence[float]) -> Scalar | tuple[float, ...]:
    match value:
        case None | bool() | str():
            return value
        case int() | float():
            return _finite(name, value)
        case Sequence() if not isinstance(value, bytes | bytearray):
            return tuple(float(_finite(name, number)) for number in value)
        case _:
            raise TypeError(f"measure({name!r}): a {type(value).__name__} is no number, text or series")


def _finite(name: str, number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"measure({name!r}): a series holds numbers only, not {type(number).__name__}")
    if not math.isfinite(number):
        raise ValueError(f"measure({name!r}): {number} is no finite number: it was not measured")
    return number


def _short(taken: Measurement) -> str:
    if isinstance(taken.value, tuple):
        return counted(len(taken.value), "value")
    return f"{taken.value} {taken.unit}".strip()


def _exchange(exchange: Exchange) -> str:
    # The item's message says what is wrong; a reader of many exchanges looks for the one that differs.
    came = exchange.status if exchange.status is not None else "no answer"
    took = duration(exchange.duration_ms / 1000)
    request = f" (request {exchange.request_id})" if exchange.request_id else ""
    return f"{exchange.method} {exchange.url} → {came} in {took}{request}"
