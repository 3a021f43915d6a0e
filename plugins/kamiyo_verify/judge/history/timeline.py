"""The time spans of a deployment that a run knows, as bands of a timeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kamiyo_verify.judge.causes import cause_title
from kamiyo_verify.judge.confirmation.outages import outages
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.observations import DOWNTIME_ITEM, DURATION_ITEM, traffic
from kamiyo_verify.model.figures import counted, duration
from kamiyo_verify.model.history.chart_data import Band, BandKind
from kamiyo_verify.model.history.history import Deployed, Source
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Attribution, Phase, Status

_CHECKS = "checks: {}"
_MOST_OUTAGES = 20


def bands(evidence: Evidence, seen: Deployed) -> tuple[Band, ...]:
    """Return every band whose time is known, grouped by lane; lanes are ordered by kind, then by beginning.

    Args:
        evidence: the evidence of the run.
        seen: what this run and earlier ones saw of the deployment.
    """
    found = [*_deploys(evidence, seen), *_outages(evidence), *_checks(evidence), *_first_errors(evidence)]
    first: dict[str, float] = {}
    for band in found:
        first[band.lane] = min(band.began, first.get(band.lane, band.began))
    looks = list(BandKind)
    return tuple(sorted(found, key=lambda one: (looks.index(one.look), first[one.lane], one.lane, one.began)))


def why_less(evidence: Evidence, seen: Deployed) -> str:
    """Return what the timeline lacks; "" if it is complete."""
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
        name = service.replace("_", "-")
        if built and began <= built <= ended:
            yield Band(f"{name}: build", BandKind.WORK, began, built)
            yield Band(f"{name}: deploy", BandKind.WORK, built, ended)
        else:
            yield Band(f"{name}: build and deploy", BandKind.WORK, began, ended)
    whole = _epoch(seen.began_at)
    if not services and whole is not None:
        yield Band("deployment", BandKind.WORK, whole, whole + (seen.duration_s or 0.0))


def _outages(evidence: Evidence) -> Iterator[Band]:
    for service, began, seconds in _outage_series(evidence.result(DOWNTIME_ITEM)):
        yield Band(
            f"{service} not reachable".strip(), BandKind.DOWN, began, began + seconds, duration(seconds)
        )
    for outage in outages(evidence.timelines)[:_MOST_OUTAGES]:
        started = _epoch(outage.began_at)
        if started is not None:
            description = f"{duration(outage.seconds)}, {', '.join(outage.failures)}"
            lane = f"{outage.service} not reachable"
            yield Band(lane, BandKind.DOWN, started, started + outage.seconds, description)


def _outage_series(result: Result | None) -> list[tuple[str, float, float]]:
    """Return (service, beginning, seconds) of each outage that was watched."""
    found: list[tuple[str, float, float]] = []
    for taken in result.measurements if result else ():
        name, _, service = taken.name.partition("[")
        if result is None or name != "outages_began" or not isinstance(taken.value, tuple):
            continue
        suffix = f"[{service}" if service else ""
        lasted = result.measurement(f"outages_lasted{suffix}")
        if lasted and isinstance(lasted.value, tuple):
            # The first of several variants has no name of its own: see evidence/results.py.
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
            description = counted(len(spans), "item")
            yield Band(_CHECKS.format(phase), BandKind.CHECK, began, ended, description)


def _first_errors(evidence: Evidence) -> Iterator[Band]:
    failed = [
        (began, cause_title(evidence, result))
        for result in evidence.results
        if result.status is Status.FAILED and result.attribution is not Attribution.PROBER
        for attempt in result.attempts[:1]
        if (began := _epoch(attempt.started_at)) is not None
    ]
    if failed:
        moment, title = min(failed)
        yield Band("first failed check", BandKind.BAD, moment, moment, title)
    users = [
        slice_
        for slice_ in traffic(evidence.runbook, evidence.results)
        if slice_.source is Source.USERS and slice_.bad
    ]
    if users:
        first = min(users, key=lambda one: one.began_at)
        description = f"{first.bad:,} of {first.total:,} requests failed"
        yield Band(
            "users' first errors", BandKind.BAD, first.began_at, first.began_at + first.seconds, description
        )


def _epoch(moment: str | None) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp() if moment else None
    except ValueError:
        return None
