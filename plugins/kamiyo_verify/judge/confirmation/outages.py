"""Outages: time spans in which every request to a service failed, found in a run's own requests.

Single failures among answers are errors, not an outage. A sequence of failures with no answer between them is
an outage if it lasted at least two seconds, or if chance does not explain it: with N requests in total and a
share q of the others failing, sequences of n failures are expected at most N q^n times.
"""

from __future__ import annotations

import math
from bisect import bisect, bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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


@dataclass(slots=True)
class _Spell:
    """The requests that failed between two answers: their places in the timeline, and seconds from its begin.

    Attributes:
        began: the first of them was sent by then, and no later request was answered before the next answer.
        back: when the request was sent that was answered next; infinite if none was.
        answered: when that answer came.
        beside: how many of them waited longer beside other answers.
    """

    began: float
    back: float
    answered: float
    beside: int = 0
    places: list[int] = field(default_factory=list)


def _of_service(timeline: ServiceTimeline) -> Iterator[ServiceOutage]:
    bad = sum(bool(failure) for failure in timeline.failures)
    total = len(timeline.failures)
    for spell in _spells(timeline):
        length = len(spell.places) - spell.beside
        others, others_bad = total - length, bad - length
        share = (others_bad + 0.5) / (others + 1)
        rare = total * share**length <= _BY_CHANCE if others else length > 1
        if _failed_until(timeline, spell) - spell.began >= _LONG_S or (length > 1 and rare):
            yield _outage(timeline, spell)


def _spells(timeline: ServiceTimeline) -> Iterator[_Spell]:
    """Yield the failed requests between answers.

    Requests overlap. A request that is not answered, while later ones are, belongs to the longest time
    between those answers in which it waited: a service may fall silent between two requests that were sent
    at almost the same time, and answer the later one.
    """
    sent = timeline.offsets_s
    answers = [place for place, failure in enumerate(timeline.failures) if not failure]
    bounds = [-math.inf, *(sent[place] for place in answers), math.inf]
    answered = [*(sent[place] + timeline.durations_s[place] for place in answers), math.inf]
    spells: dict[int, _Spell] = {}
    for place, failure in enumerate(timeline.failures):
        if not failure:
            continue
        first, ended = bisect(answers, place), sent[place] + timeline.durations_s[place]
        last = max(first, bisect_left(bounds, ended) - 1)
        waits = [
            min(ended, bounds[gap + 1]) - max(sent[place], bounds[gap]) for gap in range(first, last + 1)
        ]
        gap = first + waits.index(max(waits))
        if gap not in spells:
            spells[gap] = _Spell(max(sent[place], bounds[gap]), bounds[gap + 1], answered[gap])
        spells[gap].places.append(place)
        spells[gap].beside += max(waits) < timeline.durations_s[place] / 2
    yield from spells.values()


def _failed_until(timeline: ServiceTimeline, spell: _Spell) -> float:
    """Return when the last of these requests failed, or the next answer came."""
    ended = max(timeline.offsets_s[place] + timeline.durations_s[place] for place in spell.places)
    return min(ended, spell.answered)


def _outage(timeline: ServiceTimeline, spell: _Spell) -> ServiceOutage:
    start = _moment(timeline.began_at)
    ended = _failed_until(timeline, spell)
    is_back = math.isfinite(spell.back)
    if is_back:
        ended = max(ended, spell.back)
    return ServiceOutage(
        service=timeline.service,
        began_at=_iso(start + timedelta(seconds=spell.began)),
        ended_at=_iso(start + timedelta(seconds=ended)) if is_back else "",
        seconds=round(ended - spell.began, 3),
        requests=len(spell.places),
        failures=tuple(dict.fromkeys(timeline.failures[place] for place in spell.places)),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
