"""The share of failing requests and the slowdown since before the deployment, with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kamiyo_verify.judge.attribution.failures import not_of_the_service
from kamiyo_verify.judge.attribution.refusals import served_as_stranger
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo import readings
from kamiyo_verify.judge.slo.lines import Side, limit_of, side, strict
from kamiyo_verify.judge.slo.users import ITEM, Users
from kamiyo_verify.judge.statistics.addresses import endpoint_of
from kamiyo_verify.judge.statistics.exact import EXACT, sample_quantile
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.ratios import quantile_ratio, share_increase
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.judge.statistics.shifts import shift
from kamiyo_verify.model.figures import percent
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Attribution, Impact, Status

MEDIAN = 0.5

_TYPICAL = 0.8
"""The typical slowdown's share of the allowed error of a comparison; the tail has the rest."""

_ELSEWHERE = {Attribution.PROBER, Attribution.THIRD_PARTY}


@dataclass(frozen=True, slots=True)
class Blast:
    """The share of requests that fail.

    Attributes:
        interval: lower and upper bound, each one-sided at the policy's confidence.
        before: (bad, total) before the deployment, if the failures are older than it; the interval is then
            that of the increase.
        most: the upper bound at a stricter confidence (`lines.strict`); larger shares are excluded.
    """

    bad: int
    total: int
    interval: tuple[float, float]
    before: tuple[int, int] | None = None
    most: float = 1.0

    def __str__(self) -> str:
        lower, upper = (percent(max(end, 0.0)) for end in self.interval)
        if self.before is None:
            return f"{self.bad:,} of {self.total:,} requests failed, which is {lower} to {upper} of all"
        bad, total = self.before
        return (
            f"{self.bad:,} of {self.total:,} requests failed, {bad:,} of {total:,} before the deployment:"
            f" {lower} to {upper} more of all"
        )


@dataclass(frozen=True, slots=True)
class Slowdown:
    """A quantile of the response times as a multiple of what it was before the deployment.

    Attributes:
        ratio: ratio of the two samples' quantiles.
        added: the certain increase in the objective's unit, from the interval's lower end.
        interval: bounds of the true ratio; None if there are too few samples for a bound.
    """

    quantile: float
    ratio: float
    added: float
    interval: tuple[float | None, float | None]

    @property
    def shown(self) -> bool:
        """Whether it is certainly slower than before: 1 lies below the interval."""
        return self.interval[0] is not None and self.interval[0] > 1

    def __str__(self) -> str:
        name = "the median" if self.quantile == MEDIAN else f"p{self.quantile * 100:g}"
        lower, upper = (None if end is None else f"{end:.2f}" for end in self.interval)
        ends = f"{lower or 'anything'} to {upper or 'anything'}"
        return f"{name} is {self.ratio:.2f} times what it was before the deployment ({ends})"


def blast_radius(slo: Slo, evidence: Evidence) -> Blast | None:
    """Return the share of requests that fail because of this deployment; None if unmeasured or not its fault.

    Of failures that are older than the deployment, only the increase counts.
    """
    result = evidence.result(slo.item)
    blamed = None if result is None else evidence.attribution(result)
    if blamed in _ELSEWHERE:
        return None
    try:
        bad, total = readings.counts(slo, evidence)
    except readings.NotMeasured:
        return None
    method, confidence = readings.method(slo, evidence), evidence.runbook.policy.confidence
    effect = readings.clustering(slo, evidence)
    worth = (bad / effect, total / effect)
    if blamed is not Attribution.PRE_EXISTING:
        ends = (method.lower_bound(*worth, confidence), method.upper_bound(*worth, confidence))
        return Blast(bad, total, ends, most=method.upper_bound(*worth, strict(confidence)))
    known = readings.counts_before(slo, evidence.baseline)
    if known is None:
        return None
    before, methods = (known[0], known[1]), (method, known[2])
    most = share_increase(worth, before, strict(confidence), methods)[1]
    return Blast(bad, total, share_increase(worth, before, confidence, methods), before, most)


def users_blast(users: Users, evidence: Evidence) -> Blast | None:
    """Return this share for real users' requests; None if the failures are older or have another cause."""
    result = evidence.result(ITEM)
    blamed = None if result is None else evidence.attribution(result)
    if blamed in {*_ELSEWHERE, Attribution.PRE_EXISTING}:
        return None
    worth = (users.failed / users.effect, users.requests / users.effect)
    confidence = evidence.runbook.policy.confidence
    ends = (EXACT.lower_bound(*worth, confidence), EXACT.upper_bound(*worth, confidence))
    return Blast(users.failed, users.requests, ends, most=EXACT.upper_bound(*worth, strict(confidence)))


def by_endpoint(
    exchanges: Iterable[Exchange], confidence: float, method: Method = EXACT
) -> tuple[tuple[str, Blast], ...]:
    """Return the share of failing requests of each endpoint, the worst first.

    An endpoint is a method and a path without ids. Answers of 300 to 499, such as 429, do not count, nor do
    those of a firewall or a cache.
    """
    bad: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for sent in exchanges:
        if not_of_the_service(sent) or (sent.status is not None and 300 <= sent.status < 500):
            continue
        endpoint = endpoint_of(sent)
        total[endpoint] += 1
        bad[endpoint] += sent.status is None or sent.status >= 500
    shares = [
        (
            endpoint,
            Blast(
                bad[endpoint],
                count,
                (
                    method.lower_bound(bad[endpoint], count, confidence),
                    method.upper_bound(bad[endpoint], count, confidence),
                ),
            ),
        )
        for endpoint, count in total.items()
    ]
    return tuple(sorted(shares, key=lambda share: (-share[1].bad / share[1].total, share[0])))


def slowdowns(slo: Slo, evidence: Evidence) -> tuple[Slowdown, ...]:
    """Return the typical slowdown, then that of the objective's quantile; empty if there is no comparison.

    All lower bounds hold jointly with the policy's confidence.
    """
    result = evidence.result(slo.item)
    known = readings.series_before(slo, evidence.baseline)
    if known is None or slo.quantile is None or slo.better == "above":
        return ()
    if result is None or evidence.attribution(result) in _ELSEWHERE or served_as_stranger(evidence, result):
        return ()
    try:
        after = readings.series(slo, evidence)
    except readings.NotMeasured:
        return ()
    methods, confidence = (readings.method(slo, evidence), known[1]), evidence.runbook.policy.confidence
    return slower(slo.quantile, after, known[0], confidence, methods)


def may_be_over(slo: Slo, result: Result, policy: Policy, baseline: readings.Baseline) -> bool:
    """Return whether a breached objective's slowdown may be over the policy's line: it is sampled again."""
    line, known = limit_of(policy, Impact.PERFORMANCE), readings.series_before(slo, baseline)
    taken = result.measurement(slo.measurement)
    if line is None or line.limit is None or known is None or taken is None or slo.quantile is None:
        return False
    if slo.better == "above" or result.status is not Status.FAILED:
        return False
    try:
        after = readings.in_unit(slo, taken)
    except readings.NotMeasured:
        return False
    methods = (readings.method_of(result.measurements), known[1])
    found = slower(slo.quantile, after, known[0], policy.confidence, methods)
    sides = [side(one.interval, 1 + line.limit) for one in found]
    return sides[0] is not Side.UNDER or Side.OVER in sides


def slower(
    quantile: float,
    after: Sequence[float],
    before: Sequence[float],
    confidence: float,
    methods: tuple[Method, Method],
) -> tuple[Slowdown, ...]:
    """Return the typical slowdown, then that of the quantile; see `typical_slowdown` for the arguments."""
    typical = typical_slowdown(after, before, confidence, methods)
    if quantile == MEDIAN:
        return (typical,)
    tail = 1 - (1 - confidence) * (1 - _TYPICAL)
    ratio = quantile_ratio(after, before, quantile, tail, methods)
    return (typical, _slowdown(quantile, after, before, ratio))


def typical_slowdown(
    after: Sequence[float], before: Sequence[float], confidence: float, methods: tuple[Method, Method]
) -> Slowdown:
    """Estimate the factor by which times grew, by ranks; by the ratio of medians if no single factor fits.

    Both the judge and the rule that ends a sampling use this function.

    Args:
        after: durations after the deployment, in the order taken.
        before: durations before it, in the same unit.
        confidence: the policy's confidence, which this estimate and the tail share.
        methods: interval methods of the two samples.
    """
    each = 1 - (1 - confidence) * _TYPICAL
    found = shift(after, before, each, watched=methods[0] is ANYTIME)
    if found is not None and found.plausible:
        added = (found.lower - 1) * sample_quantile(before, MEDIAN)
        return Slowdown(MEDIAN, found.factor, added, (found.lower, found.upper))
    return _slowdown(MEDIAN, after, before, quantile_ratio(after, before, MEDIAN, each, methods))


def _slowdown(
    quantile: float,
    after: Sequence[float],
    before: Sequence[float],
    interval: tuple[float | None, float | None],
) -> Slowdown:
    now, then = sample_quantile(after, quantile), sample_quantile(before, quantile)
    added = 0.0 if interval[0] is None else (interval[0] - 1) * then
    return Slowdown(quantile, now / then if then else math.inf, added, interval)
