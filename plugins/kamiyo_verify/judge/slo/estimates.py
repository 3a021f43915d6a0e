"""Estimate an objective's value from measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.availability import LEAST_COVERED, OBSERVATION_S, coverage
from kamiyo_verify.judge.slo import readings
from kamiyo_verify.judge.slo.readings import NotMeasured
from kamiyo_verify.judge.slo.users import Users, users_of
from kamiyo_verify.judge.statistics import exact as statistics
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.model.figures import counted, duration, percent, quantity
from kamiyo_verify.model.history.history import Availability
from kamiyo_verify.model.runbook import Slo

_HALF = 0.5
_FEWEST_MINUTES = 2
"""One slow minute after a start is usual."""

_MINUTE_S = 60.0
_TOLD = 0.001
"""The smallest coverage that is reported as a number."""

AVAILABILITY = "availability"
"""The id of the availability objective."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated value in the objective's unit; `bad` of `samples` were on its wrong side.

    If `watched`, a rule that saw the samples ended the sampling; else their number was fixed beforehand.

    Attributes:
        source: the source of the requests, with their number; "" for a history.
        users: the real users whose numbers are used; None for our own samples.
        runs: number of runs of this commit whose samples are judged together.
        until: number of further events without a bad one after which a breach by several runs is no longer
            shown; None for one run.
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
    runs: int = 1
    until: int | None = None


def by_samples(slo: Slo, evidence: Evidence) -> Estimate:
    """Return the estimate by our own samples, or for a history objective by many runs.

    Raises:
        NotMeasured: there is no measurement.
    """
    return _KINDS[slo.kind](slo, evidence)


def by_users(slo: Slo, evidence: Evidence) -> Estimate | None:
    """Return the estimate by real users' numbers; None if there are too few of them."""
    users = users_of(slo, evidence) if slo.better == "below" else None
    if users is None:
        return None
    if slo.kind == "ratio":
        of = f"{words(slo.measurement)} in {users.requests:,} {words(slo.total)}"
        estimate = _share(slo, evidence, (users.failed, users.requests), of, effect=users.effect)
    elif _is_p95(slo):
        estimate = _usual_minute(slo, evidence, users.p95_ms)
    else:
        return None
    return None if estimate.upper is None else replace(estimate, source=str(users), users=users)


def early_users(slo: Slo, evidence: Evidence) -> str:
    """Return that users had only slow minutes so far, which are too few to judge by; "" if they had not."""
    users = users_of(slo, evidence) if slo.better == "below" and _is_p95(slo) else None
    if users is None or len(users.p95_ms) < _FEWEST_MINUTES:
        return ""
    usual = _usual_minute(slo, evidence, users.p95_ms)
    if usual.upper is not None or usual.bad < usual.samples:
        return ""
    return (
        f"but real users' p95 was {quantity(min(users.p95_ms), slo.unit)} or more in each of"
        f" {counted(usual.samples, 'minute')} since {users.since}, which are too few to judge by"
    )


def _is_p95(slo: Slo) -> bool:
    return slo.unit == "ms" and slo.quantile == 0.95


def _usual_minute(slo: Slo, evidence: Evidence, p95_ms: Sequence[float]) -> Estimate:
    """Judge the median of users' percentiles by minute, because single requests are unknown."""
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
    method, effect = readings.method(slo, evidence), readings.clustering(slo, evidence)
    estimate = _share(slo, evidence, (bad, total), of, method, effect)
    return replace(estimate, source=_own(total, words(slo.total)))


def _share(
    slo: Slo,
    evidence: Evidence,
    counts: tuple[int, int],
    of: str,
    method: Method = EXACT,
    effect: float = 1.0,
) -> Estimate:
    confidence = evidence.runbook.policy.confidence
    bad, total = counts
    lower = method.lower_bound(bad / effect, total / effect, confidence)
    upper = method.upper_bound(bad / effect, total / effect, confidence)
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
    if slo.id == AVAILABILITY and past.availability is not None:
        return _availability(slo, evidence, past.availability)
    tally = past.tally(slo.id)
    if tally is None or not tally.total:
        raise NotMeasured(f"not measured: the ledger knows no {tally.what if tally else slo.id} yet")
    return _share(slo, evidence, (tally.bad, tally.total), f"failed of {tally.total:,} {tally.what}")


def _availability(slo: Slo, evidence: Evidence, found: Availability) -> Estimate:
    """Estimate by the time that requests cover; deployments' downtime alone can breach the objective."""
    down = found.downtime_s / found.window_s
    if down >= 1 - slo.objective:
        seen = f"deployments were down for {duration(found.downtime_s)} of {duration(found.window_s)}"
        return Estimate(1 - down, None, 1 - down, found.tally.total, 1, None, seen, watched=False)
    tally, covered = found.tally, coverage(found)
    if not tally.total:
        raise NotMeasured(f"not measured: the ledger knows no {slo.id} yet")
    span = duration(round(found.observed_s, -1)) if found.observed_s >= _MINUTE_S else "less than a minute"
    part = percent(round(covered, 3)) if covered >= _TOLD else f"less than {percent(_TOLD)}"
    known = f"requests are known from {span}, {part} of the window"
    if covered < LEAST_COVERED:
        raise NotMeasured(
            f"{known}, where {percent(LEAST_COVERED)} are the least: {tally.bad:,} of {tally.total:,} failed"
        )
    effect = max(1.0, tally.total * OBSERVATION_S / found.observed_s)
    of = f"failed of {tally.total:,} {tally.what}; {known}"
    return replace(_share(slo, evidence, (tally.bad, tally.total), of, effect=effect), needed=None)


_KINDS = {"quantile": _quantile, "ratio": _ratio, "history": _history}


def _own(count: int, what: str) -> str:
    return f"our own sampling: {count:,} {what}"


def words(name: str) -> str:
    """Return a name as people write it."""
    return name.replace("_", " ")
