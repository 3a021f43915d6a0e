"""How many requests fail, and how much slower they are than before the deployment, with intervals."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from plugins.judge import readings
from plugins.judge.evidence import Evidence
from plugins.judge.method import Method
from plugins.judge.ratios import quantile_ratio, share_increase, shared
from plugins.judge.statistics import EXACT, sample_quantile
from plugins.judge.users import ITEM, Users
from plugins.model.figures import percent
from plugins.model.result import Exchange
from plugins.model.runbook import Slo
from plugins.model.words import Attribution

MEDIAN = 0.5

_ELSEWHERE = {Attribution.PROBER, Attribution.THIRD_PARTY}
_ID = re.compile(r"(?=.*\d)[\w.-]{12,}|\d+|0x\w+")


@dataclass(frozen=True, slots=True)
class Blast:
    """The share of requests that fail.

    Attributes:
        interval: each end one-sided at the policy's confidence.
        before: (bad, total) before the deployment, where the failures are older than it; the interval is then
            that of the increase.
    """

    bad: int
    total: int
    interval: tuple[float, float]
    before: tuple[int, int] | None = None

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
        ratio: of the two samples' quantiles.
        added: the one less the other, in the objective's unit.
        interval: of the true ratio; None is an end for which there are too few samples.
    """

    quantile: float
    ratio: float
    added: float
    interval: tuple[float | None, float | None]

    @property
    def shown(self) -> bool:
        """It is slower than before: 1 lies below the interval."""
        return self.interval[0] is not None and self.interval[0] > 1

    def __str__(self) -> str:
        name = "the median" if self.quantile == MEDIAN else f"p{self.quantile * 100:g}"
        lower, upper = (None if end is None else f"{end:.2f}" for end in self.interval)
        ends = f"{lower or 'anything'} to {upper or 'anything'}"
        return f"{name} is {self.ratio:.2f} times what it was before the deployment ({ends})"


def blast_radius(slo: Slo, evidence: Evidence) -> Blast | None:
    """The share of requests that fail by this deployment; None where nobody counted, or it is not its doing.

    Failures that are older than the deployment count as far as there are more of them now.
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
    if blamed is not Attribution.PRE_EXISTING:
        ends = (method.lower_bound(bad, total, confidence), method.upper_bound(bad, total, confidence))
        return Blast(bad, total, ends)
    known = readings.counts_before(slo, evidence.baseline)
    if known is None:
        return None
    before, methods = (known[0], known[1]), (method, known[2])
    return Blast(bad, total, share_increase((bad, total), before, confidence, methods), before)


def users_blast(users: Users, evidence: Evidence) -> Blast | None:
    """The same share of real users' requests; None where their failures are older, or of somebody else."""
    result = evidence.result(ITEM)
    blamed = None if result is None else evidence.attribution(result)
    if blamed in {*_ELSEWHERE, Attribution.PRE_EXISTING}:
        return None
    counts = (users.failed, users.requests, evidence.runbook.policy.confidence)
    return Blast(users.failed, users.requests, (EXACT.lower_bound(*counts), EXACT.upper_bound(*counts)))


def by_endpoint(
    exchanges: Iterable[Exchange], confidence: float, method: Method = EXACT
) -> tuple[tuple[str, Blast], ...]:
    """The share of failing requests of each endpoint by itself, the worst first.

    An endpoint is a method and a path, its ids left out. 429 and other answers of 300 to 499 measure nothing.
    """
    bad: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for sent in exchanges:
        if sent.status is not None and 300 <= sent.status < 500:
            continue
        endpoint = f"{sent.method} {_without_ids(urlsplit(sent.url).path)}"
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
    """The median's slowdown, then that of the objective's quantile; empty where there is nothing to compare.

    All their lower bounds hold together with the policy's confidence.
    """
    result = evidence.result(slo.item)
    known = readings.series_before(slo, evidence.baseline)
    if known is None or slo.quantile is None or slo.better == "above":
        return ()
    if result is None or evidence.attribution(result) in _ELSEWHERE:
        return ()
    try:
        after = readings.series(slo, evidence)
    except readings.NotMeasured:
        return ()
    before, method_before = known
    methods = (readings.method(slo, evidence), method_before)
    quantiles = tuple(dict.fromkeys((MEDIAN, slo.quantile)))
    confidence = shared(evidence.runbook.policy.confidence, len(quantiles))
    return tuple(
        _slowdown(
            quantile,
            sample_quantile(after, quantile),
            sample_quantile(before, quantile),
            quantile_ratio(after, before, quantile, confidence, methods),
        )
        for quantile in quantiles
    )


def _slowdown(
    quantile: float, after: float, before: float, interval: tuple[float | None, float | None]
) -> Slowdown:
    return Slowdown(quantile, after / before if before else math.inf, after - before, interval)


def _without_ids(path: str) -> str:
    return "/".join("…" if _ID.fullmatch(part) else part for part in path.split("/"))
