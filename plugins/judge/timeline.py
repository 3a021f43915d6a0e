"""The moments of a deployment that a run knows of, as stretches of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from plugins.judge.evidence import Evidence
from plugins.judge.seen import DOWNTIME_ITEM, DURATION_ITEM, traffic
from plugins.model.figures import counted, duration
from plugins.model.history import Deployed, Source
from plugins.model.picture import Band, Look
from plugins.model.result import Result
from plugins.model.words import Attribution, Phase, Status

_CHECKS = "checks: {}"
_MOST_OUTAGES = 20


def bands(evidence: Evidence, seen: Deployed) -> tuple[Band, ...]:
    """Everything whose time is known: a lane's stretches together, lanes by kind and when they began.

    Args:
        evidence: of the run.
        seen: what this run and earlier ones saw of the deployment.
    """
    found = [*_deploys(evidence, seen), *_outages(evidence), *_checks(evidence), *_first_errors(evidence)]
    first: dict[str, float] = {}
    for band in found:
        first[band.lane] = min(band.began, first.get(band.lane, band.began))
    looks = list(Look)
    return tuple(sorted(found, key=lambda one: (looks.index(one.look), first[one.lane], one.lane, one.began)))


def why_less(evidence: Evidence, seen: Deployed) -> str:
    """What the timeline lacks; "" for nothing."""
    lacking = [] if seen.began_at else ["when the deployment began"]
    if seen.downtime_s is None:
        lacking.append("whether it was reachable meanwhile")
    elif seen.downtime_s and not _outage_series(evidence.result(DOWNTIME_ITEM)):
        lacking.append(f"when it was away for {duration(seen.downtime_s)}, which an earlier run saw")
    return f"not known: {', and '.join(lacking)}" if lacking else ""


def _deploys(evidence: Evidence, seen: Deployed) -> Iterator[Band]:
    measured = evidence.result(DURATION_ITEM)
    texts = {
        taken.name: taken.value
        for taken in (measured.measurements if measured else ())
        if isinstance(taken.value, str)
    }
    services = [name.removesuffix("_finished_at") for name in texts if name.endswith("_finished_at")]
    for service in services:
        began, ended = _epoch(texts.get(f"{service}_began_at")), _epoch(texts[f"{service}_finished_at"])
        built = _epoch(texts.get(f"{service}_built_at"))
        if began is None or ended is None or ended < began:
            continue
        if built and began <= built <= ended:
            yield Band(f"{service}: build", Look.WORK, began, built)
            yield Band(f"{service}: deploy", Look.WORK, built, ended)
        else:
            yield Band(f"{service}: build and deploy", Look.WORK, began, ended)
    whole = _epoch(seen.began_at)
    if not services and whole is not None:
        yield Band("deployment", Look.WORK, whole, whole + (seen.duration_s or 0.0))


def _outages(evidence: Evidence) -> Iterator[Band]:
    for service, began, seconds in _outage_series(evidence.result(DOWNTIME_ITEM)):
        yield Band(f"{service} not reachable".strip(), Look.DOWN, began, began + seconds, duration(seconds))


def _outage_series(result: Result | None) -> list[tuple[str, float, float]]:
    """Service, beginning and seconds of each outage that was watched."""
    found: list[tuple[str, float, float]] = []
    for taken in result.measurements if result else ():
        name, _, service = taken.name.partition("[")
        if result is None or name != "outages_began" or not isinstance(taken.value, tuple):
            continue
        suffix = f"[{service}" if service else ""
        lasted = result.measurement(f"outages_lasted{suffix}")
        if lasted and isinstance(lasted.value, tuple):
            # The first variant of several has no name of its own: see `_worst` in plugins/results.py.
            label = service.removesuffix("]") or result.nodeids[0].partition("[")[2].removesuffix("]")
            found += [
                (label, began, seconds) for began, seconds in zip(taken.value, lasted.value, strict=False)
            ]
    return found[:_MOST_OUTAGES]


def _checks(evidence: Evidence) -> Iterator[Band]:
    for phase in Phase:
        spans = [
            (began, began + result.duration_s)
            for result in evidence.results
            if result.phase is phase and (began := _epoch(result.started_at)) is not None
        ]
        if spans:
            began, ended = min(span[0] for span in spans), max(span[1] for span in spans)
            told = counted(len(spans), "item")
            yield Band(_CHECKS.format(phase), Look.CHECK, began, ended, told)


def _first_errors(evidence: Evidence) -> Iterator[Band]:
    failed = [
        (began, evidence.item(result.item).title)
        for result in evidence.results
        if result.status is Status.FAILED and result.attribution is not Attribution.PROBER
        for attempt in result.attempts[:1]
        if (began := _epoch(attempt.started_at)) is not None
    ]
    if failed:
        moment, title = min(failed)
        yield Band("first failed check", Look.BAD, moment, moment, title)
    users = [
        slice_
        for slice_ in traffic(evidence.runbook, evidence.results)
        if slice_.source is Source.USERS and slice_.bad
    ]
    if users:
        first = min(users, key=lambda one: one.began_at)
        told = f"{first.bad:,} of {first.total:,} requests failed"
        yield Band("users' first errors", Look.BAD, first.began_at, first.began_at + first.seconds, told)


def _epoch(moment: str | None) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp() if moment else None
    except ValueError:
        return None
