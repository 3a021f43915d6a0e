"""The events of one deployment, from its commit to the restoration of service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.deployment_record import Event, Happened
from kamiyo_verify.model.history.history import DeploymentRecord
from kamiyo_verify.model.history.recorded_run import Decision, Ending, RecordedRun
from kamiyo_verify.model.words import Status

_ORDER = tuple(Happened)
"""The order of events with the same time."""


def moments(
    record: DeploymentRecord, runs: Sequence[RecordedRun], decisions: Iterable[Decision]
) -> tuple[Event, ...]:
    """Return every known event, oldest first."""
    found = [
        *_deployed(record),
        *(event for run in runs for event in _checked(run)),
        *_first_failure(runs),
        *(Event(one.at, Happened.DECIDED, _decided(one), one.run) for one in decisions),
    ]
    if record.restored_at:
        found.append(Event(record.restored_at, Happened.RESTORED, "service was restored"))
    return tuple(sorted(found, key=lambda event: (epoch(event.at), _ORDER.index(event.what))))


def epoch(moment: str) -> float:
    """Return an ISO 8601 time in seconds since the epoch.

    Raises:
        ValueError: the text is not an ISO 8601 time.
    """
    return datetime.fromisoformat(moment).timestamp()


def seconds_between(earlier: str, later: str) -> float | None:
    """Return the seconds between two times; None if one of them is "", or they are in the reverse order."""
    if not earlier or not later:
        return None
    seconds = epoch(later) - epoch(earlier)
    return seconds if seconds >= 0 else None


def _deployed(record: DeploymentRecord) -> Iterator[Event]:
    seen = record.seen
    if seen.committed_at:
        yield Event(seen.committed_at, Happened.COMMITTED, "the commit was made")
    if not seen.began_at:
        return
    by = f", by {seen.deployer}" if seen.deployer else ""
    yield Event(seen.began_at, Happened.BEGAN, f"the deployment began{by}")
    if seen.duration_s is not None:
        ended = datetime.fromisoformat(seen.began_at) + timedelta(seconds=seen.duration_s)
        description = "it ended, and is not live" if seen.failed else "it was live"
        at = ended.isoformat(timespec="milliseconds")
        yield Event(at, Happened.LIVE, f"{description}, after {duration(seen.duration_s)}")


def _checked(run: RecordedRun) -> Iterator[Event]:
    phases = ", ".join(run.phases) or "no phase"
    yield Event(run.started_at, Happened.CHECKED, f"checks began: {phases}", run.id)
    if run.ending is Ending.FINISHED:
        text = f"{run.verdict.recommendation.replace('_', ' ')}: {run.verdict.headline}"
        yield Event(run.finished_at, Happened.CALLED, text, run.id)
    else:
        yield Event(run.finished_at, Happened.CALLED, "the checks were cut short", run.id)


def _first_failure(runs: Iterable[RecordedRun]) -> Iterator[Event]:
    failures = [
        (epoch(at), at, item.title, run.id)
        for run in runs
        for item in run.verdict.items
        if item.status is Status.FAILED and (at := _failed_at(run, item.id))
    ]
    if failures:
        _, at, title, run_id = min(failures)
        yield Event(at, Happened.FAILED, f"the first failing try: {title}", run_id)


def _failed_at(run: RecordedRun, item: str) -> str:
    """Return when a failed item was first seen to fail."""
    result = run.result(item)
    if result is None:
        return run.finished_at
    tries = [one.started_at for one in result.attempts if one.status is Status.FAILED and one.started_at]
    return min(tries, default=result.started_at or run.finished_at)


def _decided(decision: Decision) -> str:
    note = f": {decision.note}" if decision.note else ""
    return f"{decision.who} decided: {decision.deed.replace('_', ' ')}{note}"
