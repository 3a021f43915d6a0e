"""Requests to a simulated platform that lives in time: what each gets, and when it was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from kamiyo_verify.calibration.truth import Truth
from kamiyo_verify.model.downtime.outages import ServiceTimeline

ANSWER_S, SILENCE_S = 0.1, 2.0
_BEGAN = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@dataclass
class Traffic:
    """The requests of one run, in any order.

    Attributes:
        broken: the items whose requests a share of the instances cannot serve.
        stale: the items whose credential nobody knows any more.
        sent: (seconds, duration, failure) of each request, by service.
    """

    truth: Truth
    random: Random
    broken: frozenset[str]
    stale: frozenset[str]
    sent: dict[str, list[tuple[float, float, str]]] = field(default_factory=dict)

    def ask(self, service: str, item: str, at_s: float) -> int | None:
        """Return the status that a request gets at that moment; None for silence."""
        truth, status = self.truth, 200
        if service == truth.service and any(begin <= at_s < begin + long for begin, long in truth.spells):
            self._note(service, at_s, SILENCE_S, "no answer")
            return None
        if item in self.stale:
            status = 401
        elif item in self.broken and self.random.random() < truth.share:
            status = 500
        self._note(service, at_s, ANSWER_S, str(status) if status >= 500 else "")
        return status

    def timelines(self) -> tuple[ServiceTimeline, ...]:
        """Return when each service answered, as a run records it."""
        return tuple(_timeline(service, sorted(sent)) for service, sent in sorted(self.sent.items()))

    def _note(self, service: str, at_s: float, took_s: float, failure: str) -> None:
        self.sent.setdefault(service, []).append((at_s, took_s, failure))


def is_well(status: int | None) -> bool:
    """Return whether a request was served."""
    return status is not None and status < 300


def moment(at_s: float) -> str:
    """Return the time so many seconds after the run began, UTC, ISO 8601."""
    return (_BEGAN + timedelta(seconds=at_s)).isoformat(timespec="milliseconds")


def seconds_of(at: str) -> float:
    """Return the seconds from the beginning of the run to a time of `moment`."""
    return (datetime.fromisoformat(at) - _BEGAN).total_seconds()


def _timeline(service: str, sent: list[tuple[float, float, str]]) -> ServiceTimeline:
    return ServiceTimeline(
        service,
        moment(0.0),
        tuple(at_s for at_s, _, _ in sent),
        tuple(took_s for _, took_s, _ in sent),
        tuple(failure for _, _, failure in sent),
    )
