"""From reports, as they arrive, to one result for each item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from plugins.evidence import verification_in
from plugins.model.result import Attempt, Exchange, Measurement, Result, Screenshot
from plugins.model.runbook import Item
from plugins.model.words import WORST_FIRST, Attribution, Status
from plugins.recorder import exchange_from, measurement_from, screenshot_from
from plugins.run import now

_DIED = "the process that ran it died before it was done: a crash of the suite, not of the platform"
_SILENT = "it ended without a result"

_RESULT: TypeAdapter[Result] = TypeAdapter(Result)


@dataclass
class _Try:
    """One try at a test, as far as its reports have come."""

    started_at: str = ""
    duration_s: float = 0.0
    found: list[tuple[Status, str, Attribution | None]] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    screenshots: list[Screenshot] = field(default_factory=list)

    def take(self, report: pytest.TestReport, data: dict[str, Any] | None) -> None:
        started = datetime.fromtimestamp(report.start, UTC).isoformat(timespec="milliseconds")
        self.started_at = self.started_at or started
        self.duration_s += report.duration
        if data is None:
            if report.failed:
                self.add(Status.ERROR, "it broke outside of its check", Attribution.PROBER)
            return
        if data["status"] is not None:
            attribution = data["attribution"]
            self.add(
                Status(data["status"]), data["message"], Attribution(attribution) if attribution else None
            )
        self.measurements += [measurement_from(taken) for taken in data["measurements"]]
        self.exchanges += [exchange_from(sent) for sent in data["exchanges"]]
        self.screenshots += [screenshot_from(taken) for taken in data["screenshots"]]

    def add(self, status: Status, message: str, attribution: Attribution | None) -> None:
        self.found.append((status, message, attribution))

    def result(self, item: Item, nodeid: str, before: Iterable[Attempt]) -> Result:
        """What this try came to; the worst of its phases stands."""
        found = self.found or [(Status.ERROR, _SILENT, Attribution.PROBER)]
        status, message, attribution = min(found, key=lambda one: WORST_FIRST.index(one[0]))
        attempt = Attempt(status, message, self.started_at, round(self.duration_s, 3))
        attempts = (*before, attempt)
        return Result(
            item=item.id,
            phase=item.phase,
            status=status,
            message=message,
            attribution=attribution,
            measurements=tuple(self.measurements),
            exchanges=tuple(self.exchanges),
            attempts=attempts,
            started_at=attempts[0].started_at,
            duration_s=round(sum(one.duration_s for one in attempts), 3),
            nodeids=(nodeid,),
            screenshots=tuple(self.screenshots),
        )


class Results:
    """Collects reports by test, and gives the results by item."""

    def __init__(self) -> None:
        self._open: dict[str, _Try] = {}
        self._of_tests: dict[str, Result] = {}

    def take(self, report: pytest.TestReport, item: Item) -> Result | None:
        """Take one report; the result of the try that it ends, or None while it goes on."""
        current = self._open.setdefault(report.nodeid, _Try())
        if report.when not in {"setup", "call", "teardown"}:
            # So xdist reports a worker that died; no teardown will follow.
            current.started_at = current.started_at or now()
            current.add(Status.ERROR, _DIED, Attribution.PROBER)
            return self._close(report.nodeid, item)
        current.take(report, verification_in(report))
        return self._close(report.nodeid, item) if report.when == "teardown" else None

    def add_untried(self, nodeid: str, item: Item, why: str) -> None:
        """A test was chosen, and was not tried to the end."""
        current = self._open.setdefault(nodeid, _Try())
        current.add(Status.ERROR, why, Attribution.PROBER)
        self._close(nodeid, item)

    def restore(self, result: Result) -> None:
        """Take a try that was written down as a line of evidence: `result` holds that try alone."""
        [nodeid] = result.nodeids
        before = self._of_tests.get(nodeid)
        attempts = (*before.attempts, *result.attempts) if before else result.attempts
        self._of_tests[nodeid] = replace(result, attempts=attempts)

    def of_items(self) -> dict[str, Result]:
        """One result for each item that was tried to the end: the worst of its tests'."""
        by_item: dict[str, list[Result]] = {}
        # By name, because workers finish in any order.
        for _, result in sorted(self._of_tests.items()):
            by_item.setdefault(result.item, []).append(result)
        return {item: _worst(results) for item, results in by_item.items()}

    def tests_done(self) -> frozenset[str]:
        """The ids of all tests that were tried to the end at least once."""
        return frozenset(self._of_tests)

    def _close(self, nodeid: str, item: Item) -> Result:
        before = self._of_tests[nodeid].attempts if nodeid in self._of_tests else ()
        result = self._open.pop(nodeid).result(item, nodeid, before)
        self._of_tests[nodeid] = result
        return result


def line_of(result: Result) -> dict[str, Any]:
    """JSON-safe: the latest try of a result, as a line of evidence."""
    latest = replace(result, attempts=result.attempts[-1:])
    line: dict[str, Any] = _RESULT.dump_python(latest, mode="json")
    return line | {"attempt": len(result.attempts)}


def _worst(results: list[Result]) -> Result:
    """The worst result, with the measurements of all; among equals the one that took the most tries."""
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
