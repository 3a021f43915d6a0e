"""How sure the call is, and by what: tries that agree, or an interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from plugins.judge.evidence import Evidence
from plugins.model.figures import counted, duration, percent
from plugins.model.result import Result
from plugins.model.verdict import Reason, SloReport
from plugins.model.words import Action, SloVerdict, Status

_NAMED = 3


def confidence(
    evidence: Evidence, action: Action, reasons: Sequence[Reason], slos: Sequence[SloReport]
) -> str:
    """What the call rests on, in a sentence."""
    if action is Action.PROCEED:
        return _all_seen(evidence, slos)
    told = list(dict.fromkeys(_told(evidence, reasons)))
    more = len(told) - _NAMED
    return "; ".join(told[:_NAMED]) + (f"; {more} more" if more > 0 else "")


def _told(evidence: Evidence, reasons: Sequence[Reason]) -> Iterator[str]:
    feeds = {slo.item for slo in evidence.runbook.slos} | {slo.id for slo in evidence.runbook.slos}
    for reason in reasons:
        result = evidence.result(reason.item) if reason.item else None
        if reason.item and reason.item in feeds:
            yield f"{reason.item}: intervals at {percent(evidence.runbook.policy.confidence)} confidence"
        elif result is not None and result.status is Status.FAILED:
            yield f"{reason.item} {_tries(result)}"


def _tries(result: Result) -> str:
    tries = result.attempts
    if len(tries) < 2:
        return "failed at once, and was not tried again"
    bad = sum(attempt.status is not Status.PASSED for attempt in tries)
    told = f"failed in {bad} of {counted(len(tries), 'try', 'tries')}"
    try:
        began, ended = (datetime.fromisoformat(one.started_at) for one in (tries[0], tries[-1]))
    except ValueError:
        return told
    return f"{told} over {duration((ended - began).total_seconds() + tries[-1].duration_s)}"


def _all_seen(evidence: Evidence, slos: Sequence[SloReport]) -> str:
    required = [
        result
        for item, result in evidence.outcomes
        if item.impact in evidence.runbook.policy.required_impacts and item.id not in evidence.no_check
    ]
    seen = sum(result.status is Status.PASSED for result in required)
    met = sum(report.verdict is SloVerdict.MET for report in slos)
    return (
        f"{seen} of {counted(len(required), 'required item')} seen to work;"
        f" {met} of {counted(len(slos), 'objective')} met at"
        f" {percent(evidence.runbook.policy.confidence)} confidence"
    )
