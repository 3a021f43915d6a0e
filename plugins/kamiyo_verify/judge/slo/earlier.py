"""Select the samples of earlier runs that count for this run's objectives, and weigh their spells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from kamiyo_verify.judge.attribution.before import addresses, changed_address
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.history import known_of
from kamiyo_verify.judge.observations import commit_answering, deployed
from kamiyo_verify.judge.rollback.comparisons import MEASUREMENTS, comparisons, served
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM, JUDGED, Serves
from kamiyo_verify.judge.slo.readings import OUTCOMES, SENT_AT, NotMeasured, checked
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.history.earlier import ANY_ITEM, EarlierRuns, EarlierSample, SampledRun
from kamiyo_verify.model.history.history import PastRun
from kamiyo_verify.model.history.recorded_run import DecisionKind, RecordedRun
from kamiyo_verify.model.result import FIRST_SAMPLE, Measurement, Result
from kamiyo_verify.model.runbook import Runbook, Slo
from kamiyo_verify.model.words import Action, Phase, Status

_RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Counted:
    """The bad events among all events of one run's samples, and their design effect."""

    bad: int
    total: int
    effect: float


def may_pool(evidence: Evidence) -> bool:
    """Return whether earlier runs can count: the commit is known, and an objective counts events."""
    ratios = any(slo.kind == _RATIO for slo in evidence.runbook.slos)
    return ratios and not evidence.records_baseline and bool(_commit(evidence))


def measurements_needed(runbook: Runbook) -> Mapping[str, Collection[str]]:
    """Return the names of the measurements that `earlier_runs` reads; see `Reader.sampled`."""
    found: dict[str, set[str]] = {}
    for slo in runbook.slos:
        if slo.kind == _RATIO:
            names = (slo.measurement, slo.total, SENT_AT, OUTCOMES)
            found.setdefault(slo.item, set()).update(names, map(_first, names))
    return {**found, COMMIT_ITEM: (), ANY_ITEM: MEASUREMENTS}


def oldest(evidence: Evidence) -> str:
    """Return the time before which no run counts, by the baseline's maximum age; UTC, ISO 8601."""
    age = timedelta(hours=evidence.baseline_max_age_h)
    return (datetime.fromisoformat(evidence.started_at) - age).isoformat(timespec="milliseconds")


def earlier_runs(
    evidence: Evidence, sampled: Sequence[SampledRun], past: Iterable[PastRun] = ()
) -> EarlierRuns:
    """Return the samples of the earlier runs that count for this run.

    A run counts if it began after the commit's latest deployment, as far as that is known, and if the service
    of the objective ran the commit. A run that did not ask which commit answers is taken at its word.

    Args:
        evidence: the evidence of this run; its deployment and hosts are read, and its results are not.
        sampled: the runs of this environment and place that are young enough, without drills and baselines.
        past: the recorded runs of the environment, with people's decisions about them.
    """
    commit = _commit(evidence)
    since = max([oldest(evidence), *_beginnings(evidence, commit, sampled, past)], key=_moment)
    samples = tuple(
        sample
        for run in sorted(sampled, key=lambda run: (run.started_at, run.id))
        if same_commit(run.commit, commit) and _moment(run.started_at) >= _moment(since)
        for slo in evidence.runbook.slos
        if (sample := _sample(evidence.runbook, slo, run, commit)) is not None
    )
    return EarlierRuns(since=since, samples=samples)


def of_these_addresses(evidence: Evidence, found: EarlierRuns, runs: Iterable[RecordedRun]) -> EarlierRuns:
    """Leave out the samples of runs that asked another address, as one with `--url` may.

    Args:
        evidence: the evidence of this run, with its results.
        found: the samples of earlier runs.
        runs: those runs.
    """
    here = addresses(evidence.results)
    elsewhere = {run.id for run in runs if changed_address(addresses(run.results), here)}
    return replace(found, samples=tuple(one for one in found.samples if one.run not in elsewhere))


def on_the_release(runbook: Runbook, slo: Slo, serves: Mapping[str, Serves]) -> bool:
    """Return whether the objective's services ran the commit under verification, as far as that is known."""
    item = runbook.item(slo.item)
    services = item.services if item and item.services else tuple(serves)
    return all(serves.get(service, Serves.RELEASE) in JUDGED for service in services)


def counted(slo: Slo, measurements: Iterable[Measurement]) -> Counted | None:
    """Return what a run counted for an objective; None if it counted nothing.

    A sample that a second one replaced counts too: leaving out the first would leave out what was bad.
    """
    by_name = {taken.name: taken for taken in measurements}
    both = [
        _counts(by_name.get(slo.measurement), by_name.get(slo.total)),
        _counts(by_name.get(_first(slo.measurement)), by_name.get(_first(slo.total))),
    ]
    parts = [part for part in both if part is not None]
    if not parts:
        return None
    bad, total = sum(part[0] for part in parts), sum(part[1] for part in parts)
    return Counted(bad, total, _effect(bad, total, *_series(by_name)))


def _commit(evidence: Evidence) -> str:
    return evidence.commit or commit_answering(evidence.results)


def _beginnings(
    evidence: Evidence, commit: str, sampled: Sequence[SampledRun], past: Iterable[PastRun]
) -> Iterator[str]:
    """Yield the times at which this commit's deployment began, or before which it was not live."""
    began = known_of(deployed(commit, evidence.results), evidence.history).began_at
    if _is_moment(began):
        yield began
    for state in evidence.hosted:
        if state.live is not None and state.live.is_of(commit):
            yield state.live.created_at.isoformat(timespec="milliseconds")
    yield from _rolled_back(commit, past)
    runbook = evidence.runbook
    for run in sampled:
        answered = commit_answering([_commits(run)])
        serves = set(_serving(runbook, run, commit).values()) if same_commit(run.commit, commit) else set()
        if (answered and not same_commit(answered, commit)) or serves == {Serves.ANOTHER}:
            yield run.started_at


def _rolled_back(commit: str, past: Iterable[PastRun]) -> Iterator[str]:
    """Yield when the commit was rolled back, by people's latest decision or by a run that saw it."""
    ours = [run for run in past if same_commit(run.deployed.commit, commit)]
    latest = max(((at, decision) for run in ours for decision, at in run.deeds), default=None)
    if latest is not None and latest[1] == DecisionKind.ROLLED_BACK:
        yield latest[0]
    for run in ours:
        if run.phases == (Phase.ROLLBACK,) and run.recommendation is Action.PROCEED:
            yield run.started_at


def _sample(runbook: Runbook, slo: Slo, run: SampledRun, commit: str) -> EarlierSample | None:
    if slo.kind != _RATIO or slo.item in run.disturbed:
        return None
    found = counted(slo, run.measurements.get(slo.item, ()))
    if found is None or not on_the_release(runbook, slo, _serving(runbook, run, commit)):
        return None
    return EarlierSample(
        run=run.id,
        objective=slo.id,
        began_at=run.started_at,
        bad=found.bad,
        total=found.total,
        effect=found.effect,
    )


def _serving(runbook: Runbook, run: SampledRun, commit: str) -> dict[str, Serves]:
    """Return what each service ran, by every item that compares commits."""
    measured = (
        (item, Result(item.id, item.phase, Status.UNVERIFIED, measurements=taken))
        for item in runbook.items
        if (taken := run.measurements.get(item.id))
    )
    return served(comparisons(measured, commit))


def _commits(run: SampledRun) -> Result:
    measured = run.measurements.get(COMMIT_ITEM, ())
    return Result(COMMIT_ITEM, Phase.POSTDEPLOY, Status.PASSED, measurements=measured)


def _counts(bad: Measurement | None, total: Measurement | None) -> tuple[int, int] | None:
    try:
        return checked(bad.value, total.value) if bad and total else None
    except NotMeasured:
        return None


def _series(by_name: Mapping[str, Measurement]) -> tuple[list[float], list[bool]]:
    """Return when each request was sent, and whether it failed; the first sample comes first."""
    times: list[float] = []
    failed: list[bool] = []
    for sent_at, outcome in ((_first(SENT_AT), _first(OUTCOMES)), (SENT_AT, OUTCOMES)):
        sent, outcomes = by_name.get(sent_at), by_name.get(outcome)
        if sent and outcomes and isinstance(sent.value, tuple) and isinstance(outcomes.value, tuple):
            after = times[-1] if times else 0.0
            times += [after + at for at in sent.value]
            failed += [bool(one) for one in outcomes.value]
    return times, failed


def _effect(bad: int, total: int, times: Sequence[float], failed: Sequence[bool]) -> float:
    """Return the design effect; failures in a row are one event, and so are all whose times are unknown."""
    if not bad:
        return 1.0
    if len(failed) != total or sum(failed) != bad:
        return float(bad)
    in_order = [one for _, one in sorted(zip(times, failed, strict=False), key=lambda pair: pair[0])]
    spells = sum(one for one, _ in groupby(in_order))
    try:
        return max(bad / spells, design_effect(times, failed))
    except ValueError:
        return float(bad)


def _first(name: str) -> str:
    return f"{name}[{FIRST_SAMPLE}]"


def _is_moment(text: str) -> bool:
    try:
        return _moment(text).tzinfo is not None
    except ValueError:
        return False


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
