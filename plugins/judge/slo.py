"""Each objective against this run's measurements: met, breached, or not enough seen to say.

The interval is exact for a sample of a settled size, and holds at every moment for one that a rule ended.
An objective "below 500 ms" is met where the upper bound lies below it, and breached where the lower bound
reaches it: a p95 of exactly 500 ms does not meet it. "Above" is the mirror image.

Real users come first, where at least as many of their requests were seen as we sent ourselves. Our own
samples are judged where they were not, and where they show a breach that the users' numbers do not: these
come late, and are of the most used addresses above all. So neither source hides what the other one shows.
"""

from __future__ import annotations

from plugins.judge.estimates import Estimate, by_samples, by_users, words
from plugins.judge.evidence import Evidence
from plugins.judge.readings import NotMeasured
from plugins.judge.users import Users
from plugins.model.figures import percent, quantity
from plugins.model.runbook import Slo
from plugins.model.verdict import SloReport
from plugins.model.words import SloVerdict


def judge(evidence: Evidence) -> tuple[SloReport, ...]:
    """Every objective of the runbook, in its order."""
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
    )


def users_judged(slo: Slo, evidence: Evidence) -> Users | None:
    """The real users whose numbers the report of an objective rests on; None where they are our own."""
    try:
        return _estimate(slo, evidence).users
    except NotMeasured:
        return None


def _estimate(slo: Slo, evidence: Evidence) -> Estimate:
    users = by_users(slo, evidence)
    try:
        own = by_samples(slo, evidence)
    except NotMeasured:
        if users is None:
            raise
        return users
    if users is None or users.users is None or users.users.requests < own.samples:
        return own
    own_breach = _verdict(slo, own) is SloVerdict.BREACHED
    users_breach = _verdict(slo, users) is SloVerdict.BREACHED
    return own if own_breach and not users_breach else users


def _verdict(slo: Slo, estimate: Estimate) -> SloVerdict:
    if slo.better == "below":
        met = estimate.upper is not None and estimate.upper < slo.objective
        breached = estimate.lower is not None and estimate.lower >= slo.objective
    else:
        met = estimate.lower is not None and estimate.lower > slo.objective
        breached = estimate.upper is not None and estimate.upper <= slo.objective
    if met:
        return SloVerdict.MET
    return SloVerdict.BREACHED if breached and estimate.bad else SloVerdict.INSUFFICIENT_EVIDENCE


def _message(slo: Slo, estimate: Estimate, verdict: SloVerdict, confidence: float) -> str:
    """Both numbers, how sure they are, and what more it would take."""
    objective = quantity(slo.objective, _unit(slo))
    source = f" ({estimate.source})" if estimate.source else ""
    lower, upper = estimate.lower, estimate.upper
    below = "" if upper is None else f"below {quantity(upper, _unit(slo))}"
    above = "" if lower is None else f"at least {quantity(lower, _unit(slo))}"
    sure = f"with {percent(confidence)} confidence{', whenever it ended' if estimate.watched else ''}"
    if verdict is SloVerdict.INSUFFICIENT_EVIDENCE:
        known, missing = (below, "no upper bound") if slo.better == "below" else (above, "no lower bound")
        more = (
            f"; {objective} needs {estimate.needed:,} {_clean(slo, estimate.bad)}" if estimate.needed else ""
        )
        return f"{estimate.seen}: {known or missing} {sure}{more}{source}"
    known = below if (verdict is SloVerdict.MET) == (slo.better == "below") else above
    return f"{estimate.seen}: {known} {sure}; the objective is {slo.better} {objective}{source}"


def _clean(slo: Slo, bad: int) -> str:
    """What kind of samples it takes, beside the bad ones that were seen already."""
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
