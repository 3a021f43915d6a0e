"""Record the evidence of an attempt: exchanges with the platform, measurements and screenshots."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

from kamiyo_verify.model.figures import counted, duration
from kamiyo_verify.model.result import Exchange, Measurement, Scalar, Screenshot

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHOWN = 12


class AttemptRecorder:
    """Records one attempt or one background task. Appending is thread-safe."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.measurements: dict[str, Measurement] = {}
        self.screenshots: list[Screenshot] = []
        self._sent = (0, 0, 0)

    def record(self, exchange: Exchange) -> None:
        """Record one exchange."""
        self.exchanges.append(exchange)

    @property
    def last_exchange(self) -> Exchange | None:
        """The latest exchange; None if there is none."""
        return self.exchanges[-1] if self.exchanges else None

    def picture(self, screenshot: Screenshot) -> None:
        """Record a screenshot whose file is already written."""
        self.screenshots.append(screenshot)

    def measure(self, name: str, value: Scalar | Sequence[float], unit: str = "", *, of: str = "") -> None:
        """Record one measurement; call it before asserting on the value.

        Args:
            name: snake_case, once per item.
            value: a number, a text, a boolean or None; or a series of numbers in the order measured.
            unit: "ms", "s", "count", "share" … or "" for none.
            of: the subject, if several are measured; the stored name is "name[of]".

        Raises:
            ValueError: the name is taken or not snake_case, or a number is not finite.
            TypeError: the value has another type, which JSON cannot represent.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"measure({name!r}): a name is in snake_case, such as first_byte_ms")
        full = f"{name}[{of}]" if of else name
        if full in self.measurements:
            raise ValueError(f"measure({name!r}): this item has measured {full} already")
        self.measurements[full] = Measurement(full, _json_safe(name, value), unit)

    def news(self) -> dict[str, Any]:
        """Return the evidence since the last call, JSON-safe."""
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

    def lines(self) -> list[str]:
        """Return the evidence as text, one line per entry, with only the latest 12 exchanges."""
        lines = [f"  measured {taken.name} = {_short(taken)}" for taken in self.measurements.values()]
        exchanges = list(self.exchanges)
        if len(exchanges) > _SHOWN:
            lines.append(f"  ({counted(len(exchanges) - _SHOWN, 'earlier exchange')})")
        return lines + [f"  {_exchange(exchange)}" for exchange in exchanges[-_SHOWN:]]


class Recorder:
    """Holds the recorder of the current attempt; evidence between two attempts is dropped."""

    def __init__(self) -> None:
        self._attempt = AttemptRecorder()
        self._apart: ContextVar[AttemptRecorder | None] = ContextVar("_apart", default=None)

    @property
    def attempt(self) -> AttemptRecorder:
        """The recorder of the current attempt, or in a thread that is `apart` its own."""
        return self._apart.get() or self._attempt

    def begin(self) -> AttemptRecorder:
        """Start a new attempt with an empty recorder."""
        self._attempt = AttemptRecorder()
        return self._attempt

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let what this thread records be no evidence of the current attempt; it is dropped."""
        token = self._apart.set(AttemptRecorder())
        try:
            yield
        finally:
            self._apart.reset(token)

    def record(self, exchange: Exchange) -> None:
        """Record one exchange of the current attempt."""
        self.attempt.record(exchange)


def exchange_from(data: dict[str, Any]) -> Exchange:
    """Return an exchange from its JSON-safe form."""
    return Exchange(**data)


def screenshot_from(data: dict[str, Any]) -> Screenshot:
    """Return a screenshot from its JSON-safe form."""
    return Screenshot(**data)


def measurement_from(data: dict[str, Any]) -> Measurement:
    """Return a measurement from its JSON-safe form."""
    value = data["value"]
    return Measurement(data["name"], tuple(value) if isinstance(value, list | tuple) else value, data["unit"])


def _json_safe(name: str, value: Scalar | Sequence[float]) -> Scalar | tuple[float, ...]:
    # xdist's workers send plain types only: a member of an enum is recorded as its value.
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
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
    return int(number) if isinstance(number, int) else float(number)


def _short(taken: Measurement) -> str:
    if isinstance(taken.value, tuple):
        return counted(len(taken.value), "value")
    return f"{taken.value} {taken.unit}".strip()


def _exchange(exchange: Exchange) -> str:
    if exchange.command:
        return f"`{exchange.command}` {exchange.ending} in {duration(exchange.duration_ms / 1000)}"
    # Short, because the item's message explains the failure and readers compare many of these lines.
    came = exchange.status or ("no answer" if exchange.problem else "done")
    took = duration(exchange.duration_ms / 1000)
    request = f" (request {exchange.request_id})" if exchange.request_id else ""
    return f"{exchange.method} {exchange.url} → {came} in {took}{request}"
