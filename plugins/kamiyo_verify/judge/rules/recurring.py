"""Find a crash loop that only items of little impact met, each of which passed at a second try."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from kamiyo_verify.judge.attribution.failures import GATEWAY
from kamiyo_verify.judge.confirmation.confirmed import limit, reading
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.figures import counted, percent
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.words import Action, Phase

_FEWEST = 3
"""Unanswered requests that are judged; fewer may be single failures."""

_LONGER = 3
"""The silence is over after this many times the most answers that came between two silent spells."""

_ENOUGH = 8
"""The silence is never over with fewer answers in a row than this."""

_WHILE_IT_CHANGES = {Phase.PREFLIGHT, Phase.DEPLOY}


def falls_silent_again(evidence: Evidence) -> Finding | None:
    """Prevent "proceed" where a service may be in a crash loop, though each check passes at a second try.

    An item that can lead to a rollback, and met the silence, was rechecked: that result stands.
    """
    if evidence.records_baseline or set(evidence.phases) <= _WHILE_IT_CHANGES:
        return None
    looked = {
        service
        for item, result in evidence.outcomes
        if evidence.runbook.policy.rollback_clause(item.impact) and reading(evidence, result) is not None
        for service in item.services
    }
    line = limit(evidence)
    found = [
        message for one in evidence.timelines if one.service not in looked and (message := _recurs(one, line))
    ]
    reasons = tuple(Reason("", None, None, "", message) for message in found)
    return Finding(Action.INCONCLUSIVE, "; ".join(found), reasons) if reasons else None


def _recurs(timeline: ServiceTimeline, line: float) -> str:
    """Describe the silence of a service that came at least twice and may come again; "" if it did not."""
    runs = [(silent, sum(1 for _ in run)) for silent, run in groupby(_silent(timeline))]
    spells = [length for silent, length in runs if silent]
    between = [length for silent, length in runs[1:-1] if not silent]
    bad, total = sum(spells), sum(length for _, length in runs)
    if len(spells) < 2 or bad < _FEWEST or bad < line * total:
        return ""
    since = 0 if runs[-1][0] else runs[-1][1]
    if since >= max(_ENOUGH, _LONGER * max(between)):
        return ""
    times = f"{len(spells)} times, {percent(bad / total)} of {counted(total, 'request')} unanswered"
    return f"{timeline.service} fell silent {times}: it may be in a crash loop"


def _silent(timeline: ServiceTimeline) -> Iterator[bool]:
    """Yield for each request whether nobody answered it; errors of the service's own are left out."""
    gateway = {str(status) for status in GATEWAY}
    for failure in timeline.failures:
        if not failure or failure in gateway or not failure.isdigit():
            yield bool(failure)
