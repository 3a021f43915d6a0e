"""From evidence to a verdict."""

from __future__ import annotations

import math
from dataclasses import replace

from plugins.judge import advice, rollback, slo
from plugins.judge.attribution import attributed, compared_with
from plugins.judge.confidence import confidence
from plugins.judge.escalation import who_acts
from plugins.judge.evidence import Evidence
from plugins.judge.finding import Finding
from plugins.judge.flip import flip
from plugins.judge.history import known_of
from plugins.judge.seen import deployed
from plugins.judge.sources import sourced
from plugins.judge.way_back import way_back
from plugins.model.figures import counted
from plugins.model.result import Measurement, Result
from plugins.model.runbook import Item
from plugins.model.verdict import Entry, ItemReport, Missing, Reason, Verdict
from plugins.model.words import Action, Phase, Status


def decide(evidence: Evidence) -> Verdict:
    """The verdict that this evidence supports; the same evidence always gives the same one."""
    evidence = sourced(attributed(evidence))
    found = rollback.findings(evidence)
    action = found[0].action if found else Action.PROCEED
    reasons, slos = _reasons(found), slo.judge(evidence)
    return Verdict(
        project=evidence.project,
        environment=evidence.environment,
        phase="+".join(phase for phase in Phase if phase in evidence.phases),
        commit=evidence.commit,
        started_at=evidence.started_at,
        finished_at=evidence.finished_at,
        recommendation=action,
        exit_code=action.exit_code,
        headline="; ".join(finding.headline for finding in found) or _all_well(evidence),
        flip=flip(evidence, action, reasons, slos),
        next_step=advice.next_step(evidence, action),
        escalation=who_acts(evidence.runbook, action, evidence.deploy_minutes),
        reasons=reasons,
        slos=slos,
        items=tuple(_report(evidence, item, result) for item, result in evidence.outcomes),
        unverified=tuple(
            Missing(result.item, result.message) for result in evidence.with_status(Status.UNVERIFIED)
        ),
        rollback=way_back(evidence, action, reasons),
        deployment=_entry(evidence),
        confidence=confidence(evidence, action, reasons, slos),
        compared=compared_with(evidence),
        deploy_minutes=evidence.deploy_minutes,
    )


def _reasons(found: tuple[Finding, ...]) -> tuple[Reason, ...]:
    """Every item once, with the worst that was found of it."""
    by_item: dict[str, Reason] = {}
    for finding in found:
        for reason in finding.reasons:
            by_item.setdefault(reason.item, reason)
    return tuple(by_item.values())


def _all_well(evidence: Evidence) -> str:
    passed = counted(len(evidence.with_status(Status.PASSED)), "item")
    unverified = len(evidence.with_status(Status.UNVERIFIED))
    return f"{passed} passed" + (f"; {unverified} not verified" if unverified else "")


def _report(evidence: Evidence, item: Item, result: Result) -> ItemReport:
    remedy = evidence.runbook.remedy(item.remedy) if result.status is Status.FAILED else None
    return ItemReport(
        id=item.id,
        title=item.title,
        section=item.section,
        phase=item.phase,
        status=result.status,
        impact=item.impact,
        attribution=evidence.attribution(result),
        message=result.message,
        measurements=tuple(_finite(taken) for taken in result.measurements),
        duration_s=result.duration_s,
        loses=item.loses,
        remedy=remedy,
        attempts=result.attempts if len(result.attempts) > 1 else (),
        flaky=result.flaky,
        screenshots=result.screenshots,
    )


def _entry(evidence: Evidence) -> Entry:
    past = evidence.history
    return Entry(
        seen=known_of(deployed(evidence.commit, evidence.results), past),
        previous=past.previous.commit if past and past.previous else "",
        rolled_back=bool(past and past.current and past.current.rolled_back),
    )


def _finite(taken: Measurement) -> Measurement:
    """JSON has no word for infinity, nor for what is no number: such a value is told as text."""
    numbers = taken.value if isinstance(taken.value, tuple) else (taken.value,)
    odd = sum(isinstance(number, float) and not math.isfinite(number) for number in numbers)
    if not odd:
        return taken
    if isinstance(taken.value, tuple):
        return replace(taken, value=f"{counted(len(numbers), 'value')}, {odd} of them not finite")
    return replace(taken, value=str(taken.value))
