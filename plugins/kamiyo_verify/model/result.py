"""The result of one item: frozen, JSON-safe data that is passed between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.credentials import Refusal
from kamiyo_verify.model.words import Attribution, FailureKind, Phase, Status

Scalar: TypeAlias = float | int | str | bool | None


FIRST_SAMPLE = "first sample"
"""Variant of the measurements of a sample that a second one replaced, as in "errors[first sample]"."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One named number (or a series) that a check measured before it judged.

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
    """One request and its outcome; never a body, never a credential.

    Attributes:
        method: HTTP method, or "WS", "SQL", or "RUN" for a command of the team's own.
        url: without user, password and masked query values; of "RUN", the command line.
        status: the HTTP status; None if no answer came.
        duration_ms: from first byte sent (including connection set-up) to last byte read.
        request_id: the platform's own id of the request, or "".
        problem: the problem if no usable answer came, else "".
        at: when the request began, UTC, ISO 8601; "" if not recorded.
        credential: the variable whose credential was sent, such as "KAMIYO_API_KEY"; "" for none.
        leak: internal details in the body of a server error, at most 80 characters; "" for none.
        accepted: whether the answer shows that this credential was accepted; None if unknown.
        cached: the headers by which a cache shows that it answered, such as "Age: 7200"; "" for none.
        stored_at: when the service gave that answer to the cache, UTC, ISO 8601; "" if unknown.
        page: a fingerprint of the HTML page that was answered, without its text; "" for none.
        leads_to: the other origin to which the answer redirects, or "".
    """

    method: str
    url: str
    status: int | None
    duration_ms: float
    request_id: str = ""
    problem: str = ""
    at: str = ""
    credential: str = ""
    leak: str = ""
    accepted: bool | None = None
    cached: str = ""
    stored_at: str = ""
    page: str = ""
    leads_to: str = ""

    @property
    def command(self) -> str:
        """The command line if this is a command of the team's own; "" for a request."""
        return self.url if self.method == "RUN" else ""

    @property
    def ending(self) -> str:
        """How a command ended, such as "ended with exit code 1"; older recordings have "exit 1"."""
        code = self.problem.removeprefix("exit ")
        if not self.problem:
            return "succeeded"
        return f"ended with exit code {code}" if code.lstrip("-").isdigit() else self.problem


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A browser screenshot of one step.

    Attributes:
        file: PNG or JPEG file, relative to the report's folder, such as "screenshots/ITEM-1-signed-in.png".
        caption: the step that it shows, in a few words.
    """

    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of an item; the last one of a `Result` is the valid one."""

    status: Status
    message: str
    started_at: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one runbook item in this run.

    Attributes:
        message: why it did not pass, in one or two sentences; "" if it passed.
        attempts: every try, in order; more than one if a failure was tried again.
        started_at: UTC, ISO 8601.
        nodeids: node ids of its tests.
        screenshots: in the order taken; empty if no browser was used.
        failure: how it failed; None if it did not, and in recordings of older versions.
        refusal: the credential of ours that was refused; None if none was.
        confirmation: the rechecks after a try that did not pass; None if there were none.
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
    confirmation: Confirmation | None = None
    failure: FailureKind | None = None
    refusal: Refusal | None = None

    @property
    def flaky(self) -> bool:
        """Whether it passed after a try that did not."""
        return self.status is Status.PASSED and any(
            attempt.status is not Status.PASSED for attempt in self.attempts
        )

    def measurement(self, name: str) -> Measurement | None:
        """Return the measurement with that name, if the check took it."""
        return next((taken for taken in self.measurements if taken.name == name), None)
