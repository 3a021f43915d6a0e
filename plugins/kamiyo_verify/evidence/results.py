"""Convert pytest's reports, as they arrive, into one result per item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kamiyo_verify.evidence.on_report import verification_in
from kamiyo_verify.evidence.recorder import exchange_from, measurement_from, screenshot_from
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.judge.slo.readings import OUTCOMES, SENT_AT
from kamiyo_verify.model.adapters import adapter
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.credentials import Refusal
from kamiyo_verify.model.result import FIRST_SAMPLE, Attempt, Exchange, Measurement, Result, Screenshot
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import WORST_FIRST, Attribution, FailureKind, Status

_DIED = "the process that ran it died before it was done: a crash of the suite, not of the platform"
_SILENT = "it ended without a result"


@dataclass(frozen=True, slots=True)
class _Found:
    """The outcome of one phase of an attempt."""

    status: Status
    message: str
    attribution: Attribution | None = None
    failure: FailureKind | None = None
    refusal: Refusal | None = None


@dataclass
class _Try:
    """One attempt at a test, from the reports received so far."""

    started_at: str = ""
    duration_s: float = 0.0
    found: list[_Found] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    screenshots: list[Screenshot] = field(default_factory=list)

    def take(self, report: pytest.TestReport, data: dict[str, Any] | None) -> None:
        if not self.started_at:
            self.started_at = datetime.fromtimestamp(report.start, UTC).isoformat(timespec="milliseconds")
        self.duration_s += report.duration
        if data is None:
            if report.failed:
                self.add(Status.ERROR, "it broke outside of its check", Attribution.PROBER)
            return
        if data["status"] is not None:
            attribution, failure, refusal = (data.get(key) for key in ("attribution", "failure", "refusal"))
            self.found.append(
                _Found(
                    Status(data["status"]),
                    data["message"],
                    Attribution(attribution) if attribution else None,
                    FailureKind(failure) if failure else None,
                    adapter(Refusal).validate_python(refusal) if refusal else None,
                )
            )
        self.measurements += [measurement_from(taken) for taken in data["measurements"]]
        self.exchanges += [exchange_from(sent) for sent in data["exchanges"]]
        self.screenshots += [screenshot_from(taken) for taken in data["screenshots"]]

    def add(self, status: Status, message: str, attribution: Attribution | None) -> None:
        self.found.append(_Found(status, message, attribution))

    def result(self, item: Item, nodeid: str, before: Iterable[Attempt]) -> Result:
        """Return the result of this attempt: the worst of its phases."""
        found = self.found or [_Found(Status.ERROR, _SILENT, Attribution.PROBER)]
        worst = min(found, key=lambda one: WORST_FIRST.index(one.status))
        attempt = Attempt(worst.status, worst.message, self.started_at, round(self.duration_s, 3))
        attempts = (*before, attempt)
        return Result(
            item=item.id,
            phase=item.phase,
            status=worst.status,
            message=worst.message,
            attribution=worst.attribution,
            measurements=tuple(self.measurements),
            exchanges=tuple(self.exchanges),
            attempts=attempts,
            started_at=attempts[0].started_at,
            duration_s=round(sum(one.duration_s for one in attempts), 3),
            nodeids=(nodeid,),
            screenshots=tuple(self.screenshots),
            failure=worst.failure,
            refusal=worst.refusal,
        )


class Results:
    """Collects reports by test, and returns results by item; `begun` has the tests that were started."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        self._open: dict[str, _Try] = {}
        self._of_tests: dict[str, Result] = {}
        self._tries: dict[str, list[Result]] = {}
        self._tests_of: dict[str, dict[str, None]] = {}
        self._confirmations: dict[str, Confirmation] = {}
        self._others: list[Exchange] = []

    def take(self, report: pytest.TestReport, item: Item) -> Result | None:
        """Add one report; return the result if it ends an attempt, else None."""
        current = self._open.setdefault(report.nodeid, _Try())
        if report.when not in {"setup", "call", "teardown"}:
            # xdist reports a worker that died in this way; no teardown report follows.
            current.started_at = current.started_at or now()
            current.add(Status.ERROR, _DIED, Attribution.PROBER)
            return self._close(report.nodeid, item)
        current.take(report, verification_in(report))
        return self._close(report.nodeid, item) if report.when == "teardown" else None

    def add_untried(self, nodeid: str, item: Item, why: str) -> None:
        """Add an error for a selected test that did not finish; it is attributed to nobody."""
        current = self._open.setdefault(nodeid, _Try())
        current.found.append(_Found(Status.ERROR, why, failure=FailureKind.NOT_TRIED))
        self._close(nodeid, item)

    def restore(self, result: Result) -> None:
        """Add an attempt from a line of evidence; `result` holds only this attempt."""
        [nodeid] = result.nodeids
        before = self._of_tests.get(nodeid)
        attempts = (*before.attempts, *result.attempts) if before else result.attempts
        self._of_tests[nodeid] = replace(result, attempts=attempts)

    def of_items(self) -> dict[str, Result]:
        """Return one result for each finished item: the worst result of its tests."""
        by_item: dict[str, list[Result]] = {}
        # Sorted by test id, because workers finish in any order.
        for _, result in sorted(self._of_tests.items()):
            by_item.setdefault(result.item, []).append(result)
        return {
            item: replace(_worst(results), confirmation=self._confirmations.get(item))
            for item, results in by_item.items()
        }

    def tries(self, item_id: str) -> tuple[Result, ...]:
        """Return every attempt at every test of an item, in order, as results of one attempt each."""
        return tuple(one for nodeid in self._tests_of.get(item_id, ()) for one in self._tries[nodeid])

    def confirm(self, item_id: str, confirmation: Confirmation) -> None:
        """Store the outcome of the rechecks of an item."""
        self._confirmations[item_id] = confirmation

    def replace_evidence(self, fresh: Result) -> None:
        """Replace the measurements and exchanges of a test with those of a recheck.

        The replaced counts and their times stay under other names: later runs count them too.
        """
        [nodeid] = fresh.nodeids
        before = self._of_tests[nodeid]
        measurements = (*fresh.measurements, *_first_sample(before.measurements, fresh.measurements))
        self._of_tests[nodeid] = replace(before, measurements=measurements, exchanges=fresh.exchanges)

    def supersede(self, fresh: Result) -> None:
        """Replace the result of a test by that of a recheck; the earlier attempts stay before it."""
        [nodeid] = fresh.nodeids
        before = self._of_tests[nodeid]
        attempts = (*before.attempts, *fresh.attempts)
        exchanges = (*before.exchanges, *fresh.exchanges)
        started_at = before.started_at
        self._of_tests[nodeid] = replace(fresh, attempts=attempts, exchanges=exchanges, started_at=started_at)

    def add_exchanges(self, exchanges: Iterable[Exchange]) -> None:
        """Store requests that belong to no attempt: samples and rechecks."""
        self._others += exchanges

    def exchanges(self) -> tuple[Exchange, ...]:
        """Return every request of the run: from attempts, samples and rechecks."""
        of_tries = [sent for tries in self._tries.values() for one in tries for sent in one.exchanges]
        return (*of_tries, *self._others)

    def tests_done(self) -> frozenset[str]:
        """Return the ids of all tests that finished at least once."""
        return frozenset(self._of_tests)

    def _close(self, nodeid: str, item: Item) -> Result:
        before = self._of_tests.get(nodeid)
        result = self._open.pop(nodeid).result(item, nodeid, before.attempts if before else ())
        if before and {SENT_AT, OUTCOMES} <= {taken.name for taken in before.measurements}:
            replaced = tuple(_first_sample(before.measurements, result.measurements))
            result = replace(result, measurements=(*result.measurements, *replaced))
        self._of_tests[nodeid] = result
        self._tries.setdefault(nodeid, []).append(replace(result, attempts=result.attempts[-1:]))
        self._tests_of.setdefault(item.id, {})[nodeid] = None
        return result


def _first_sample(before: Iterable[Measurement], fresh: Iterable[Measurement]) -> Iterator[Measurement]:
    """Yield what a replaced sample counted, and the times and outcomes of its requests, under other names.

    Several replaced samples are one. A try that measured the same sample again replaces nothing.
    """
    old, new = ({taken.name: taken for taken in measurements} for measurements in (before, fresh))
    counts = {name: taken for name, taken in old.items() if "[" not in name and _is_of_a_sample(taken)}
    again = all(name in new and new[name].value == taken.value for name, taken in counts.items())
    for name, taken in counts.items():
        earlier = old.get(f"{name}[{FIRST_SAMPLE}]")
        if earlier is not None:
            yield earlier if again else replace(earlier, value=_joined(name, earlier.value, taken.value))
        elif not again:
            yield replace(taken, name=f"{name}[{FIRST_SAMPLE}]")


def _is_of_a_sample(taken: Measurement) -> bool:
    counts = isinstance(taken.value, int) and not isinstance(taken.value, bool)
    return counts or taken.name in {SENT_AT, OUTCOMES}


def _joined(name: str, first: object, second: object) -> int | tuple[float, ...]:
    """Return the sum of two counts, or one series after the other."""
    if isinstance(first, tuple) and isinstance(second, tuple):
        after = max(first, default=0.0) if name == SENT_AT else 0.0
        return (*first, *(after + one for one in second))
    return (first if isinstance(first, int) else 0) + (second if isinstance(second, int) else 0)


def line_of(result: Result) -> dict[str, Any]:
    """Return the latest attempt of a result as a line of evidence, JSON-safe."""
    latest = replace(result, attempts=result.attempts[-1:])
    line: dict[str, Any] = adapter(Result).dump_python(latest, mode="json")
    return line | {"attempt": len(result.attempts)}


def _worst(results: list[Result]) -> Result:
    """Return the worst result, with the measurements of all; among equals the one with most attempts."""
    stands = min(results, key=lambda one: (WORST_FIRST.index(one.status), -len(one.attempts)))
    measurements: dict[str, Measurement] = {}
    for result in results:
        variant = result.nodeids[0].partition("[")[2].removesuffix("]")
        for taken in result.measurements:
            name = f"{taken.name}[{variant}]" if taken.name in measurements else taken.name
            measurements[name] = replace(taken, name=name)
    return replace(
        stands,
        measurements=tuple(measurements.values()),
        exchanges=tuple(exchange for result in results for exchange in result.exchanges),
        duration_s=round(sum(result.duration_s for result in results), 3),
        nodeids=tuple(nodeid for result in results for nodeid in result.nodeids),
        screenshots=tuple(taken for result in results for taken in result.screenshots),
    )
