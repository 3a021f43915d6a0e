"""Build the complete record of one deployment from its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from kamiyo_verify.judge.history.events import moments
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.history.deployment_record import DeploymentFile, FailedItem, ToDo
from kamiyo_verify.model.history.history import DeploymentRecord
from kamiyo_verify.model.history.recorded_run import RecordedRun
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Status

_USUAL = 10
"""Number of earlier deployments from which the usual duration is computed."""

_MOST_TODOS = 12


def deployment_file(
    environment: str,
    record: DeploymentRecord,
    runs: Sequence[RecordedRun],
    before: Sequence[DeploymentRecord],
    *,
    earlier_runs: int = 0,
) -> DeploymentFile:
    """Return the complete record of one deployment.

    Args:
        environment: name of the environment.
        record: the summary of its runs.
        runs: the runs to include, at least one, oldest first.
        before: the deployments before it, oldest first.
        earlier_runs: number of its runs that `runs` does not include.
    """
    decisions = sorted((one for run in runs for one in run.decisions), key=lambda one: one.at)
    durations = [one.seen.duration_s for one in before[-_USUAL:] if one.seen.duration_s is not None]
    troubles = tuple(_troubles(runs))
    return DeploymentFile(
        environment=environment,
        record=record,
        drill=any(run.drill for run in runs),
        runs=tuple(runs),
        earlier_runs=earlier_runs,
        events=moments(record, runs, decisions),
        troubles=troubles,
        slos=_last_words(runs),
        decisions=tuple(decisions),
        todos=tuple(_todos(troubles, runs[-1])),
        usual_s=median(durations) if durations else None,
    )


def _troubles(runs: Sequence[RecordedRun]) -> Iterable[FailedItem]:
    found: dict[str, FailedItem] = {}
    passed_since: set[str] = set()
    for run in reversed(runs):
        for item in run.verdict.items:
            if item.status is Status.FAILED and item.id in found:
                known = found[item.id]
                found[item.id] = FailedItem(known.item, known.run, known.times + 1, known.over)
            elif item.status is Status.FAILED:
                found[item.id] = FailedItem(item, run.id, 1, item.id in passed_since)
            elif item.status is Status.PASSED:
                passed_since.add(item.id)
    return found.values()


def _todos(troubles: Sequence[FailedItem], last: RecordedRun) -> Iterator[ToDo]:
    for trouble in troubles[:_MOST_TODOS]:
        since = " (a later run saw it pass)" if trouble.over else ""
        yield ToDo(f"Repair for good: {trouble.item.title}", f"{trouble.item.message}{since}")
    if (more := len(troubles) - _MOST_TODOS) > 0:
        yield ToDo(f"Repair {counted(more, 'more item')}", "they failed too, see the evidence")
    remedies = {trouble.item.remedy.id: trouble.item.remedy for trouble in troubles if trouble.item.remedy}
    for remedy in remedies.values():
        yield ToDo(f"{remedy.title}: {' '.join(remedy.steps)}", remedy.cause)
    for item in last.verdict.items:
        if item.flaky:
            yield ToDo(f"Find out why it is flaky: {item.title}", "it passed on another try only")
    for why, count in Counter(missing.why for missing in last.verdict.unverified).items():
        yield ToDo(f"Have {counted(count, 'item')} verified next time", why)


def _last_words(runs: Iterable[RecordedRun]) -> tuple[SloReport, ...]:
    """Return for each objective the last report that has a value, else the last report."""
    found: dict[str, SloReport] = {}
    for run in runs:
        for report in run.verdict.slos:
            known = found.get(report.id)
            if report.value is not None or known is None or known.value is None:
                found[report.id] = report
    return tuple(found.values())
