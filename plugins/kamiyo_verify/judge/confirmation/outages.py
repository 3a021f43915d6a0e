"""Outages: time spans in which every request to a service failed, found in a run's own requests.

Single failures among answers are errors, not an outage. A sequence of failures with no answer between them is
an outage if it lasted at least two seconds, or if chance does not explain it: with N requests in total and a
share q of the others failing, sequences of n failures are expected at most N q^n times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.downtime.outages import ServiceOutage, ServiceTimeline
from kamiyo_verify.model.history.history import Deployed
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Status

_LONG_S = 2.0
"""Seconds. A cold start or a restart takes longer; a single failure that is answered at once is shorter."""

_BY_CHANCE = 0.05
"""Expected number of failure sequences of this length from which chance explains the sequence."""

_Spell = list[int]


def outages(timelines: Iterable[ServiceTimeline]) -> tuple[ServiceOutage, ...]:
    """Return every outage of every service, ordered by when it began."""
    found = [outage for timeline in timelines for outage in _of_service(timeline)]
    return tuple(sorted(found, key=lambda outage: (outage.began_at, outage.service)))


def behind(evidence: Evidence, result: Result) -> ServiceOutage | None:
    """Return the outage that explains every try of an item that did not pass; None if none does.

    An outage explains a try that overlaps it, if that service serves the item, or the item names none.
    """
    bad = [attempt for attempt in result.attempts if attempt.status is not Status.PASSED]
    services = {*evidence.item(result.item).services}
    for outage in outages(evidence.timelines):
        if services and outage.service not in services:
            continue
        began = _moment(outage.began_at)
        ended = _moment(outage.ended_at) if outage.ended else began + timedelta(seconds=outage.seconds)
        spans = [(_moment(one.started_at), one.duration_s) for one in bad if one.started_at]
        if len(spans) == len(bad) and all(
            at <= ended and at + timedelta(seconds=took) >= began for at, took in spans
        ):
            return outage
    return None


def with_downtime(seen: Deployed, timelines: Iterable[ServiceTimeline]) -> Deployed:
    """Return the deployment with the longest downtime of any service, if it exceeds the watched downtime."""
    away: dict[str, float] = {}
    for outage in outages(timelines):
        away[outage.service] = round(away.get(outage.service, 0.0) + outage.seconds, 3)
    longest = max(away.values(), default=None)
    if longest is None or (seen.downtime_s is not None and seen.downtime_s >= longest):
        return seen
    return replace(seen, downtime_s=longest)


def _of_service(timeline: ServiceTimeline) -> Iterator[ServiceOutage]:
    spells = _spells(timeline.failures)
    bad = sum(bool(failure) for failure in timeline.failures)
    total = len(timeline.failures)
    for spell in spells:
        outage = _outage(timeline, spell)
        others, others_bad = total - len(spell), bad - len(spell)
        share = (others_bad + 0.5) / (others + 1)
        rare = total * share ** len(spell) <= _BY_CHANCE if others else len(spell) > 1
        if _failing_s(timeline, spell) >= _LONG_S or (len(spell) > 1 and rare):
            yield outage


def _spells(failures: tuple[str, ...]) -> Iterator[_Spell]:
    """Yield the index ranges of consecutive failures."""
    spell: _Spell = []
    for place, failure in enumerate(failures):
        if failure:
            spell.append(place)
        elif spell:
            yield spell
            spell = []
    if spell:
        yield spell


def _failing_s(timeline: ServiceTimeline, spell: _Spell) -> float:
    """Return the seconds from the first failing request to the end of the last, before the next answer."""
    ended = max(timeline.offsets_s[place] + timeline.durations_s[place] for place in spell)
    return ended - timeline.offsets_s[spell[0]]


def _outage(timeline: ServiceTimeline, spell: _Spell) -> ServiceOutage:
    start = _moment(timeline.began_at)
    first, after = spell[0], spell[-1] + 1
    began = timeline.offsets_s[first]
    answered = after < len(timeline.offsets_s)
    ended = timeline.offsets_s[after] if answered else began + _failing_s(timeline, spell)
    return ServiceOutage(
        service=timeline.service,
        began_at=_iso(start + timedelta(seconds=began)),
        ended_at=_iso(start + timedelta(seconds=ended)) if answered else "",
        seconds=round(ended - began, 3),
        requests=len(spell),
        failures=tuple(dict.fromkeys(timeline.failures[place] for place in spell)),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
