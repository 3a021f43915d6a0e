"""From evidence to a verdict."""

from __future__ import annotations

import math
from dataclasses import replace

from kamiyo_verify.judge.attribution.attribution import attributed, compared_with
from kamiyo_verify.judge.attribution.before import why_unusable
from kamiyo_verify.judge.attribution.failures import SILENCE, failure_of, whole_service_silent
from kamiyo_verify.judge.causes import causes
from kamiyo_verify.judge.confirmation.confirmed import confirmed
from kamiyo_verify.judge.confirmation.outages import outages, with_downtime
from kamiyo_verify.judge.confirmation.rechecked import rechecked_failure
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.history import known_of
from kamiyo_verify.judge.observations import deployed
from kamiyo_verify.judge.rollback.advice import rollback_advice
from kamiyo_verify.judge.rules import advice
from kamiyo_verify.judge.rules import rules as rollback
from kamiyo_verify.judge.rules.clauses import clause_of
from kamiyo_verify.judge.rules.confidence import confidence
from kamiyo_verify.judge.rules.escalation import escalation
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.judge.rules.flip import flip
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.judge.slo.sources import sourced
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.verdict import Entry, ItemReport, Missing, Verdict
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Phase, Status


def decide(evidence: Evidence) -> Verdict:
    """Return the verdict for this evidence; the same evidence always gives the same verdict."""
    given = evidence
    evidence = sourced(attributed(confirmed(given)))
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
        flip=flip(given, action, reasons, slos, _call),
        next_step=advice.next_step(evidence, action, found[0].kept if found else ""),
        escalation=escalation(evidence, action, critical=_is_down(evidence, action, reasons)),
        reasons=reasons,
        slos=slos,
        items=tuple(_report(evidence, item, result) for item, result in evidence.outcomes),
        unverified=tuple(
            Missing(result.item, result.message) for result in evidence.with_status(Status.UNVERIFIED)
        ),
        rollback=rollback_advice(evidence, action, reasons),
        deployment=_entry(evidence),
        confidence=confidence(evidence, action, reasons, slos),
        compared=compared_with(evidence),
        not_compared=why_unusable(evidence),
        causes=causes(evidence, reasons),
        deploy_minutes=evidence.deploy_minutes,
        outages=outages(evidence.timelines),
        place=evidence.place,
        network_in_doubt=_network_in_doubt(given),
    )


def _network_in_doubt(evidence: Evidence) -> tuple[str, ...]:
    """Return the items that got no answer while no control address showed that our own network works."""
    return tuple(
        result.item
        for result in evidence.with_status(Status.ERROR)
        if result.failure is FailureKind.NO_ANSWER
    )


def _call(evidence: Evidence) -> Action:
    """Return only the action that the rules call for."""
    found = rollback.findings(sourced(attributed(evidence)))
    return found[0].action if found else Action.PROCEED


def _is_down(evidence: Evidence, action: Action, reasons: tuple[Reason, ...]) -> bool:
    """Return whether a service answers nothing and must be rolled back: the runbook's critical outage."""
    results = (evidence.result(reason.item) for reason in reasons if evidence.runbook.item(reason.item))
    return action is Action.ROLL_BACK and any(
        result is not None and whole_service_silent(evidence, result) for result in results
    )


def _reasons(found: tuple[Finding, ...]) -> tuple[Reason, ...]:
    """Return one reason for each item: its worst finding."""
    by_item: dict[str, Reason] = {}
    for finding in found:
        for reason in finding.reasons:
            by_item.setdefault(reason.item, reason)
    return tuple(by_item.values())


def _all_well(evidence: Evidence) -> str:
    passed = counted(len(evidence.with_status(Status.PASSED)), "item")
    passed = f"baseline recorded: {passed}" if evidence.records_baseline else passed
    unverified = len(evidence.with_status(Status.UNVERIFIED))
    return f"{passed} passed" + (f"; {unverified} not verified" if unverified else "")


def _report(evidence: Evidence, item: Item, result: Result) -> ItemReport:
    proven = _proven(evidence, item, result)
    remedy = evidence.runbook.remedy(item.remedy) if proven else None
    return ItemReport(
        id=item.id,
        title=item.title,
        section=item.section,
        phase=item.phase,
        status=result.status,
        impact=item.impact,
        attribution=evidence.attribution(result),
        message=_message(evidence, result),
        measurements=tuple(_finite(taken) for taken in result.measurements),
        duration_s=result.duration_s,
        user_impact=item.user_impact if proven or result.status is not Status.FAILED else "",
        remedy=remedy,
        attempts=result.attempts if len(result.attempts) > 1 else (),
        flaky=result.flaky,
        screenshots=result.screenshots,
    )


def _message(evidence: Evidence, result: Result) -> str:
    """Return why the item did not pass, and what its rechecks showed."""
    seen = rechecked_failure(evidence, result)
    return " – ".join(filter(None, (result.message, seen.description if seen else "")))


def _proven(evidence: Evidence, item: Item, result: Result) -> bool:
    """Return whether the item is known to fail, so that its user impact and remedy apply."""
    if result.status is not Status.FAILED or evidence.attribution(result) is Attribution.PROBER:
        return False
    if failure_of(result) not in {*SILENCE, FailureKind.WRONG_STATUS}:
        return True
    own = evidence.runbook.policy.rollback_clause(item.impact)
    return own is None or clause_of(evidence, item, result) is own


def _entry(evidence: Evidence) -> Entry:
    past = evidence.history
    return Entry(
        seen=known_of(with_downtime(deployed(evidence.commit, evidence.results), evidence.timelines), past),
        previous=past.previous.commit if past and past.previous else "",
        rolled_back=bool(past and past.current and past.current.rolled_back),
        fields=evidence.runbook.deployment_log,
        services=tuple(evidence.runbook.services.names.values()),
    )


def _finite(taken: Measurement) -> Measurement:
    """JSON cannot encode NaN or infinity; render them as text."""
    numbers = taken.value if isinstance(taken.value, tuple) else (taken.value,)
    odd = sum(isinstance(number, float) and not math.isfinite(number) for number in numbers)
    if not odd:
        return taken
    if isinstance(taken.value, tuple):
        return replace(taken, value=f"{counted(len(numbers), 'value')}, {odd} of them not finite")
    return replace(taken, value=str(taken.value))
