"""What the measurements say of an objective, in numbers that can be held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from plugins.judge import readings, statistics
from plugins.judge.evidence import Evidence
from plugins.judge.method import Method
from plugins.judge.readings import NotMeasured
from plugins.judge.sequences import ANYTIME
from plugins.judge.statistics import EXACT
from plugins.judge.users import Users, users_of
from plugins.model.figures import quantity
from plugins.model.runbook import Slo

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the samples say, in the objective's unit; `bad` of `samples` were on its wrong side.

    A rule that `watched` them ended the sampling; else their number was settled beforehand.

    Attributes:
        source: whose requests these are, with their number; "" for a history.
        users: the real users whose numbers it rests on; None for our own samples.
    """

    value: float
    lower: float | None
    upper: float | None
    samples: int
    bad: int
    needed: int | None
    seen: str
    watched: bool
    source: str = ""
    users: Users | None = None


def by_samples(slo: Slo, evidence: Evidence) -> Estimate:
    """What our own samples say, or for a history what many runs did.

    Raises:
        NotMeasured: nothing.
    """
    return _KINDS[slo.kind](slo, evidence)


def by_users(slo: Slo, evidence: Evidence) -> Estimate | None:
    """By real users' numbers; None where there are too few of them."""
    users = users_of(slo, evidence) if slo.better == "below" else None
    if users is None:
        return None
    if slo.kind == "ratio":
        of = f"{words(slo.measurement)} in {users.requests:,} {words(slo.total)}"
        estimate = _share(slo, evidence, (users.failed, users.requests), of)
    elif slo.unit == "ms" and slo.quantile == 0.95:
        estimate = _usual_minute(slo, evidence, users.p95_ms)
    else:
        return None
    return None if estimate.upper is None else replace(estimate, source=str(users), users=users)


def _usual_minute(slo: Slo, evidence: Evidence, p95_ms: Sequence[float]) -> Estimate:
    """Of users, only the percentile of each minute is known: so the median of these is judged."""
    confidence = evidence.runbook.policy.confidence
    value = statistics.sample_quantile(p95_ms, _HALF) if p95_ms else 0.0
    lower, upper = statistics.quantile_bounds(p95_ms, _HALF, confidence) if p95_ms else (None, None)
    bad = sum(minute >= slo.objective for minute in p95_ms)
    return Estimate(
        value=value,
        lower=lower,
        upper=upper,
        samples=len(p95_ms),
        bad=bad,
        needed=statistics.samples_needed(bad, _HALF, confidence),
        watched=False,
        seen=f"p95 of a usual minute {quantity(value, slo.unit)} in {len(p95_ms):,} minutes",
    )


def _quantile(slo: Slo, evidence: Evidence) -> Estimate:
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
    return Estimate(
        value=value,
        lower=lower,
        upper=upper,
        samples=len(samples),
        bad=bad,
        needed=statistics.samples_needed(bad, allowed, confidence, method),
        watched=method is ANYTIME,
        seen=f"p{quantile * 100:g} {quantity(value, slo.unit)} in {len(samples):,} samples",
        source=_own(len(samples), words(slo.measurement)),
    )


def _ratio(slo: Slo, evidence: Evidence) -> Estimate:
    bad, total = readings.counts(slo, evidence)
    of = f"{words(slo.measurement)} in {total:,} {words(slo.total)}"
    estimate = _share(slo, evidence, (bad, total), of, readings.method(slo, evidence))
    return replace(estimate, source=_own(total, words(slo.total)))


def _share(
    slo: Slo, evidence: Evidence, counts: tuple[int, int], of: str, method: Method = EXACT
) -> Estimate:
    confidence = evidence.runbook.policy.confidence
    bad, total = counts
    lower = method.lower_bound(bad, total, confidence)
    upper = method.upper_bound(bad, total, confidence)
    value, allowed = bad / total, slo.objective
    if slo.better == "above":
        value, lower, upper, allowed = 1 - value, 1 - upper, 1 - lower, 1 - slo.objective
    return Estimate(
        value=value,
        lower=lower,
        upper=upper,
        samples=total,
        bad=bad,
        needed=statistics.samples_needed(bad, allowed, confidence, method) if 0 < allowed < 1 else None,
        watched=method is ANYTIME,
        seen=f"{bad:,} {of}",
    )


def _history(slo: Slo, evidence: Evidence) -> Estimate:
    past = evidence.history
    if past is None:
        raise NotMeasured(f"{slo.title} shows over many runs; this one alone says nothing of it")
    tally = past.tally(slo.id)
    if tally is None or not tally.total:
        raise NotMeasured(f"not measured: the ledger knows no {tally.what if tally else slo.id} yet")
    return _share(slo, evidence, (tally.bad, tally.total), f"failed of {tally.total:,} {tally.what}")


_KINDS = {"quantile": _quantile, "ratio": _ratio, "history": _history}


def _own(count: int, what: str) -> str:
    return f"our own sampling: {count:,} {what}"


def words(name: str) -> str:
    """A name as people write it."""
    return name.replace("_", " ")
