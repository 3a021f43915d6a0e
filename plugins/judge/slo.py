"""Each objective against this run's measurements: met, breached, or not enough seen to say.

The interval is exact for a sample of a settled size, and holds at every moment for one that a rule ended.
An objective "below 500 ms" is met where the upper bound lies below it, and breached where the lower bound
reaches it: a p95 of exactly 500 ms does not meet it. "Above" is the mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

from plugins.judge import readings, statistics
from plugins.judge.evidence import Evidence
from plugins.judge.method import Method
from plugins.judge.readings import NotMeasured
from plugins.judge.sequences import ANYTIME
from plugins.judge.statistics import EXACT
from plugins.model.figures import percent, quantity
from plugins.model.runbook import Slo
from plugins.model.verdict import SloReport
from plugins.model.words import SloVerdict


@dataclass(frozen=True, slots=True)
class _Estimate:
    """What the samples say, in the objective's unit; `bad` of `samples` were on its wrong side.

    A rule that `watched` them ended the sampling; else their number was settled beforehand.
    """

    value: float
    lower: float | None
    upper: float | None
    samples: int
    bad: int
    needed: int | None
    seen: str
    watched: bool


def judge(evidence: Evidence) -> tuple[SloReport, ...]:
    """Every objective of the runbook, in its order."""
    return tuple(_report(slo, evidence) for slo in evidence.runbook.slos)


def _report(slo: Slo, evidence: Evidence) -> SloReport:
    confidence = evidence.runbook.policy.confidence
    try:
        estimate = _ESTIMATES[slo.kind](slo, evidence)
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


def _verdict(slo: Slo, estimate: _Estimate) -> SloVerdict:
    if slo.better == "below":
        met = estimate.upper is not None and estimate.upper < slo.objective
        breached = estimate.lower is not None and estimate.lower >= slo.objective
    else:
        met = estimate.lower is not None and estimate.lower > slo.objective
        breached = estimate.upper is not None and estimate.upper <= slo.objective
    if met:
        return SloVerdict.MET
    return SloVerdict.BREACHED if breached and estimate.bad else SloVerdict.INSUFFICIENT_EVIDENCE


def _quantile(slo: Slo, evidence: Evidence) -> _Estimate:
    samples, method = readings.series(slo, evidence), readings.method(slo, evidence)
    quantile = slo.quantile
    if quantile is None:
        raise NotMeasured("not measured: the objective names no quantile")
    confidence = evidence.runbook.policy.confidence
    lower, upper = statistics.quantile_bounds(samples, quantile, confidence, method)
    if slo.better == "below":
        bad, allowed = sum(sample >= slo.objective for sample in samples), 1 - quantile
    else:
        bad, allowed = sum(sample <= slo.objective for sample in samples), quantile
    value = statistics.sample_quantile(samples, quantile)
    return _Estimate(
        value=value,
        lower=lower,
        upper=upper,
        samples=len(samples),
        bad=bad,
        needed=statistics.samples_needed(bad, allowed, confidence, method),
        watched=method is ANYTIME,
        seen=f"p{quantile * 100:g} {quantity(value, slo.unit)} in {len(samples):,} samples",
    )


def _ratio(slo: Slo, evidence: Evidence) -> _Estimate:
    bad, total = readings.counts(slo, evidence)
    of = f"{_words(slo.measurement)} in {total:,} {_words(slo.total)}"
    return _share(slo, evidence, (bad, total), of, readings.method(slo, evidence))


def _share(
    slo: Slo, evidence: Evidence, counts: tuple[int, int], of: str, method: Method = EXACT
) -> _Estimate:
    confidence = evidence.runbook.policy.confidence
    bad, total = counts
    lower = method.lower_bound(bad, total, confidence)
    upper = method.upper_bound(bad, total, confidence)
    value, allowed = bad / total, slo.objective
    if slo.better == "above":
        value, lower, upper, allowed = 1 - value, 1 - upper, 1 - lower, 1 - slo.objective
    return _Estimate(
        value=value,
        lower=lower,
        upper=upper,
        samples=total,
        bad=bad,
        needed=statistics.samples_needed(bad, allowed, confidence, method) if 0 < allowed < 1 else None,
        watched=method is ANYTIME,
        seen=f"{bad:,} {of}",
    )


def _history(slo: Slo, evidence: Evidence) -> _Estimate:
    past = evidence.history
    if past is None:
        raise NotMeasured(f"{slo.title} shows over many runs; this one alone says nothing of it")
    tally = past.tally(slo.id)
    if tally is None or not tally.total:
        raise NotMeasured(f"not measured: the ledger knows no {tally.what if tally else slo.id} yet")
    return _share(slo, evidence, (tally.bad, tally.total), f"failed of {tally.total:,} {tally.what}")


_ESTIMATES = {"quantile": _quantile, "ratio": _ratio, "history": _history}


def _message(slo: Slo, estimate: _Estimate, verdict: SloVerdict, confidence: float) -> str:
    """Both numbers, how sure they are, and what more it would take."""
    objective = quantity(slo.objective, _unit(slo))
    lower, upper = estimate.lower, estimate.upper
    below = "" if upper is None else f"below {quantity(upper, _unit(slo))}"
    above = "" if lower is None else f"at least {quantity(lower, _unit(slo))}"
    sure = f"with {percent(confidence)} confidence{', whenever it ended' if estimate.watched else ''}"
    if verdict is SloVerdict.INSUFFICIENT_EVIDENCE:
        known, missing = (below, "no upper bound") if slo.better == "below" else (above, "no lower bound")
        more = (
            f"; {objective} needs {estimate.needed:,} {_clean(slo, estimate.bad)}" if estimate.needed else ""
        )
        return f"{estimate.seen}: {known or missing} {sure}{more}"
    known = below if (verdict is SloVerdict.MET) == (slo.better == "below") else above
    return f"{estimate.seen}: {known} {sure}; the objective is {slo.better} {objective}"


def _clean(slo: Slo, bad: int) -> str:
    """What kind of samples it takes, beside the bad ones that were seen already."""
    if slo.kind == "history":
        return "of them with no further bad one" if bad else "clean ones"
    if slo.kind == "ratio":
        return f"{_words(slo.total)} with no further bad one" if bad else f"clean {_words(slo.total)}"
    side = "over" if slo.better == "below" else "under"
    return f"samples with {'no further one' if bad else 'none'} {side} it"


def _unit(slo: Slo) -> str:
    return "share" if slo.kind != "quantile" else slo.unit


def _words(name: str) -> str:
    return name.replace("_", " ")


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
