"""Judge each objective by this run's measurements: met, breached, or not enough data.

The interval is exact for a sample of a fixed size, and holds at every moment for one that a rule ended.
An objective "below 500 ms" is met if the upper bound lies below it, and breached if the lower bound reaches
it: a p95 of exactly 500 ms does not meet it. "Above" is the reverse.

Real users' requests are preferred if there are at least as many as we sent ourselves. If only one of the two
sources shows a breach, that one decides, and the report says that the other one disagrees: users' numbers
arrive late and come mostly from the most used addresses; our own samples are few.

Our own samples are those of all runs of this commit (`pooling`). What this run alone shows to be breached
stays breached.
"""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.estimates import AVAILABILITY, Estimate, by_samples, by_users, early_users, words
from kamiyo_verify.judge.slo.pooling import pooled
from kamiyo_verify.judge.slo.readings import NotMeasured
from kamiyo_verify.judge.slo.users import Users
from kamiyo_verify.model.figures import percent, quantity
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import SloVerdict

_FEWEST = 10
"""Deployments below which their success objective is not breached: one failure of one is not a rate."""


def judge(evidence: Evidence) -> tuple[SloReport, ...]:
    """Return the report on every objective, in the runbook's order."""
    return tuple(_report(slo, evidence) for slo in evidence.runbook.slos)


def _report(slo: Slo, evidence: Evidence) -> SloReport:
    confidence = evidence.runbook.policy.confidence
    try:
        estimate = _estimate(slo, evidence)
    except NotMeasured as why:
        return _without_samples(slo, str(why))
    verdict = _verdict(slo, estimate)
    return SloReport(
        id=slo.id,
        title=slo.title,
        objective=slo.objective,
        better=slo.better,
        unit=slo.unit,
        verdict=verdict,
        value=estimate.value,
        interval=(estimate.lower, estimate.upper),
        samples=estimate.samples,
        samples_needed=None if verdict is SloVerdict.BREACHED else estimate.needed,
        message=_message(slo, estimate, verdict, confidence),
        runs=estimate.runs,
    )


def users_judged(slo: Slo, evidence: Evidence) -> Users | None:
    """Return the real users whose numbers an objective's report uses; None if it uses our own samples."""
    try:
        return _estimate(slo, evidence).users
    except NotMeasured:
        return None


def _estimate(slo: Slo, evidence: Evidence) -> Estimate:
    users = by_users(slo, evidence)
    try:
        own = _own(slo, evidence)
    except NotMeasured:
        if users is None:
            raise
        return users
    if users is None or users.users is None:
        early = early_users(slo, evidence)
        return replace(own, source=f"{own.source}; {early}") if early else own
    own_breach = _verdict(slo, own) is SloVerdict.BREACHED
    users_breach = _verdict(slo, users) is SloVerdict.BREACHED
    if own_breach is not users_breach:
        return _beside(*((own, users) if own_breach else (users, own)))
    return users if users.users.requests >= own.samples else own


def _own(slo: Slo, evidence: Evidence) -> Estimate:
    """Return the estimate by the samples of all runs of this commit; by this run's if they show a breach."""
    own = by_samples(slo, evidence)
    together = pooled(slo, evidence, own)
    if together is None:
        return own
    if together.runs > 1 and _verdict(slo, own) is SloVerdict.BREACHED:
        return replace(own, source=f"{own.source}; all together: {together.seen}")
    return together


def _beside(worse: Estimate, better: Estimate) -> Estimate:
    """Return the worse of two estimates, with a note that the other source disagrees."""
    return replace(worse, source=f"{worse.source}; {better.source} disagree: {better.seen}")


def _verdict(slo: Slo, estimate: Estimate) -> SloVerdict:
    if slo.better == "below":
        met = estimate.upper is not None and estimate.upper < slo.objective
        breached = estimate.lower is not None and estimate.lower >= slo.objective
    else:
        met = estimate.lower is not None and estimate.lower > slo.objective
        breached = estimate.upper is not None and estimate.upper <= slo.objective
    if met:
        return SloVerdict.MET
    if _too_few(slo, estimate):
        return SloVerdict.INSUFFICIENT_EVIDENCE
    return SloVerdict.BREACHED if breached and estimate.bad else SloVerdict.INSUFFICIENT_EVIDENCE


def _too_few(slo: Slo, estimate: Estimate) -> bool:
    """Return whether an objective that counts deployments has too few of them to be breached."""
    return slo.kind == "history" and slo.id != AVAILABILITY and estimate.samples < _FEWEST


def _message(slo: Slo, estimate: Estimate, verdict: SloVerdict, confidence: float) -> str:
    """Return the observed and expected numbers, their confidence, and how many more samples are needed."""
    objective = quantity(slo.objective, _unit(slo))
    source = f" ({estimate.source})" if estimate.source else ""
    lower, upper = estimate.lower, estimate.upper
    below = "" if upper is None else f"below {quantity(upper, _unit(slo))}"
    above = "" if lower is None else f"at least {quantity(lower, _unit(slo))}"
    sure = f"with {percent(confidence)} confidence{', whenever it ended' if estimate.watched else ''}"
    if verdict is SloVerdict.INSUFFICIENT_EVIDENCE:
        known, missing = (below, "no upper bound") if slo.better == "below" else (above, "no lower bound")
        more = f"; {objective} needs {_needed(slo, estimate)}" if estimate.needed else ""
        few = f"; fewer than {_FEWEST} show no breach" if estimate.bad and _too_few(slo, estimate) else ""
        return f"{estimate.seen}: {known or missing} {sure}{few}{more}{source}"
    known = below if (verdict is SloVerdict.MET) == (slo.better == "below") else above
    until = ""
    if verdict is SloVerdict.BREACHED and estimate.until:
        until = f", and breached until {estimate.until:,} more {_clean(slo, estimate.bad)} were sent"
    return f"{estimate.seen}: {known} {sure}; the objective is {slo.better} {objective}{until}{source}"


def _needed(slo: Slo, estimate: Estimate) -> str:
    """Return how many samples show that the objective is met, and of several runs how many are missing."""
    total = f"{estimate.needed:,} {_clean(slo, estimate.bad)}"
    if estimate.runs == 1 or estimate.needed is None:
        return total
    return f"{total}, {estimate.needed - estimate.samples:,} more than there are"


def _clean(slo: Slo, bad: int) -> str:
    """Return the kind of samples that are still needed, in addition to the bad ones already seen."""
    if slo.kind == "history":
        return "of them with no further bad one" if bad else "clean ones"
    if slo.kind == "ratio":
        return f"{words(slo.total)} with no further bad one" if bad else f"clean {words(slo.total)}"
    side = "over" if slo.better == "below" else "under"
    return f"samples with {'no further one' if bad else 'none'} {side} it"


def _unit(slo: Slo) -> str:
    return "share" if slo.kind != "quantile" else slo.unit


def _without_samples(slo: Slo, why: str) -> SloReport:
    return SloReport(
        id=slo.id,
        title=slo.title,
        objective=slo.objective,
        better=slo.better,
        unit=slo.unit,
        verdict=SloVerdict.INSUFFICIENT_EVIDENCE,
        value=None,
        interval=None,
        samples=0,
        samples_needed=None,
        message=why,
    )
