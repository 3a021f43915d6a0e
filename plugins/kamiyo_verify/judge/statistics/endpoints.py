"""Error series of all endpoints that checks and samples use, tested together.

Each endpoint is judged separately: among the requests to all endpoints, the failures of a single broken one
would be a small share. A request fails if no answer comes, or if the status is 5xx. A sample is a request
that the service is known to serve, so 4xx fails it as well, unless its origin answers no sample with 2xx: the
credential may be refused then. So does 3xx from an endpoint that answers with 2xx at other times. 429 is
caused by our own requests and does not count, nor does silence from an origin that has answered nothing.

More endpoints do not cause more false alarms: the series are tested together by Holm's method (S. Holm, "A
simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979)).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import not_of_the_service
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.statistics.addresses import endpoint_of
from kamiyo_verify.judge.statistics.exact import at_least
from kamiyo_verify.judge.statistics.sequences import evidence_above
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.words import Attribution, FailureKind, Part, Stopping

FEWEST = 3
"""The smallest number of failures that is judged: one or two prove nothing about an endpoint."""

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@dataclass(slots=True)
class Series:
    """The answers of one endpoint in a run.

    Attributes:
        endpoint: such as "GET /exploits/…".
        origin: such as "https://api.example.com".
        times_s: when each request began, in seconds since the epoch, ascending.
        failed: for each request, whether it failed for users.
        description: how the failing ones were answered, such as "500" or "no answer".
        items: ids of the items that sent the requests.
        watched: whether a rule that saw the answers could end the sampling.
    """

    endpoint: str
    origin: str
    times_s: list[float] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    description: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    watched: bool = False

    @property
    def bad(self) -> int:
        """Number of failed requests."""
        return sum(self.failed)

    @property
    def total(self) -> int:
        """Number of requests."""
        return len(self.failed)

    def chance(self, share: float) -> float:
        """Return an upper limit of the p-value: the probability of so many failures at that true share."""
        effect = design_effect(self.times_s, self.failed)
        bad, total = self.bad / effect, self.total / effect
        if self.watched:
            return math.exp(-max(0.0, evidence_above(bad, total, share)))
        return at_least(bad, total, share)

    def __str__(self) -> str:
        everybody = " for everybody" if self.bad == self.total else ""
        description = ", ".join(sorted(self.description))
        return f"{self.endpoint} fails{everybody}: {self.bad:,} of {self.total:,} requests ({description})"


def error_series(evidence: Evidence) -> tuple[Series, ...]:
    """Return the series of every endpoint, ordered by name."""
    sent = list(_exchanges(evidence))
    answering = {_origin(one) for one, _, _ in sent if one.status is not None}
    good = {_key(one) for one, _, _ in sent if one.status is not None and one.status < 300}
    serving = {_origin(one) for one, _, sample in sent if sample and 200 <= (one.status or 0) < 300}
    found: dict[tuple[str, str], Series] = {}
    seen: set[Exchange] = set()
    for one, item, sampled in sent:
        known = _key(one) in good or (_origin(one) in serving and (one.status or 0) >= 400)
        failed = _failed(one, sampled=sampled, known=known, answering=_origin(one) in answering)
        if failed is None:
            continue
        series = found.setdefault(_key(one), Series(_key(one)[1], _key(one)[0]))
        series.items.add(item)
        series.watched |= sampled and _watched(evidence, item)
        if one in seen:
            continue
        seen.add(one)
        series.times_s.append(_time(one, series))
        series.failed.append(failed)
        if failed:
            series.description.add(str(one.status) if one.status is not None else "no answer")
    return tuple(found[key] for key in sorted(found))


def failing_for_many(evidence: Evidence, limit: float) -> tuple[Series, ...]:
    """Return the endpoints of which more than that share of requests fails, and still fails at the end.

    All of these statements hold jointly with the policy's confidence.
    """
    series = error_series(evidence)
    error = 1 - evidence.runbook.policy.confidence
    return tuple(
        one for one in holm(series, [each.chance(limit) for each in series], error) if _fails_still(one)
    )


def holm(series: Sequence[Series], chances: Sequence[float], error: float) -> tuple[Series, ...]:
    """Return the series whose test rejects; the probability that any of them is wrong is at most `error`."""
    order = sorted(range(len(series)), key=chances.__getitem__)
    rejected = []
    for place, which in enumerate(order):
        if chances[which] > error / (len(series) - place):
            break
        rejected.append(which)
    return tuple(series[which] for which in sorted(rejected))


def _fails_still(series: Series) -> bool:
    order = sorted(range(series.total), key=series.times_s.__getitem__)
    latest = [series.failed[place] for place in order[-FEWEST:]]
    return series.bad >= FEWEST and any(latest)


def _exchanges(evidence: Evidence) -> Iterator[tuple[Exchange, str, bool]]:
    """Yield each exchange with an item that made it, and whether it is a sample."""
    sampling = {slo.item for slo in evidence.runbook.slos if slo.item}
    for item, result in evidence.outcomes:
        if not item.services or item.part is Part.BROWSER or result.attribution is Attribution.PROBER:
            continue
        if result.failure is FailureKind.ANSWERED_IN_PLACE:
            continue
        for sent in result.exchanges:
            if sent.method.upper() in _METHODS:
                yield sent, item.id, item.id in sampling


def _failed(one: Exchange, *, sampled: bool, known: bool, answering: bool) -> bool | None:
    """Return whether an exchange failed for users; None if it does not show that."""
    if not_of_the_service(one):
        return None
    if one.status is None:
        return True if answering else None
    if one.status >= 500:
        return True
    if one.status < 300:
        return False
    return True if sampled and known and one.status != 429 else None


def _watched(evidence: Evidence, item: str) -> bool:
    result = evidence.result(item)
    description = result.measurement("stopping") if result else None
    return description is not None and description.value != Stopping.FIXED


def _origin(one: Exchange) -> str:
    parts = urlsplit(one.url)
    return f"{parts.scheme}://{parts.netloc}"


def _key(one: Exchange) -> tuple[str, str]:
    return _origin(one), endpoint_of(one)


def _time(one: Exchange, series: Series) -> float:
    """Return when it began; if unrecorded, one second after the previous request."""
    try:
        return datetime.fromisoformat(one.at).timestamp()
    except ValueError:
        return series.times_s[-1] + 1.0 if series.times_s else 0.0
