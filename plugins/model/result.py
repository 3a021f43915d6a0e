"""What one item gave: plain, frozen, JSON-safe data that travels between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from plugins.model.words import Attribution, Phase, Status

Scalar: TypeAlias = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One named number (or a series of them) that a check took before it judged.

    Attributes:
        name: snake_case, unique within its item.
        value: the number; for a series the whole list, in the order taken.
        unit: "ms", "s", "count", "share" … or "" for none.
    """

    name: str
    value: Scalar | tuple[float, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it; never a body, never a credential.

    Attributes:
        method: HTTP method, or "WS" or "SQL".
        url: without user, password and masked query values.
        status: the HTTP status; None where no answer came.
        duration_ms: from first byte sent (connection set-up included) to last byte read.
        request_id: the platform's own id of the request, or "".
        problem: what went wrong where no usable answer came, else "".
    """

    method: str
    url: str
    status: int | None
    duration_ms: float
    request_id: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A picture that a browser took of one step.

    Attributes:
        file: of a PNG or JPEG, relative to the report's folder, such as "screenshots/ITEM-1-signed-in.png".
        caption: what it shows, in a few words: the step.
    """

    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an item: the last one of a `Result` is the one that stands."""

    status: Status
    message: str
    started_at: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item of the runbook in this run.

    Attributes:
        message: why it is not passed, in one or two sentences; "" where it passed.
        attempts: every try, in order; more than one where a failure was tried again.
        started_at: UTC, ISO 8601.
        nodeids: the tests behind it.
        screenshots: in the order taken; empty where no browser was used.
    """

    item: str
    phase: Phase
    status: Status
    message: str = ""
    attribution: Attribution | None = None
    measurements: tuple[Measurement, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    started_at: str = ""
    duration_s: float = 0.0
    nodeids: tuple[str, ...] = ()
    screenshots: tuple[Screenshot, ...] = ()

    @property
    def flaky(self) -> bool:
        """It passed in the end, after a try that did not."""
        return self.status is Status.PASSED and any(
            attempt.status is not Status.PASSED for attempt in self.attempts
        )

    def measurement(self, name: str) -> Measurement | None:
        """The measurement of that name, if the check took it."""
        return next((taken for taken in self.measurements if taken.name == name), None)
