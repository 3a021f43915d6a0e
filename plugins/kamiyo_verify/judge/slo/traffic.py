"""Real users' requests in a time span: their number, failures and response times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from kamiyo_verify.judge.statistics.exact import lower_bound, quantile_bounds
from kamiyo_verify.judge.statistics.spells import effect_of_blocks
from kamiyo_verify.model.hosting.signals import Series
from kamiyo_verify.model.outcomes import Unverified

_USUAL = 0.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """The real requests of one service.

    Attributes:
        by_status: number of requests by status.
        p95_ms: the 95th percentile of each minute (or of each longer step of a long span), in order.
        requests_by_minute: number of requests in each of them, in order; empty if unknown.
        failed_by_minute: number of those that were answered 5xx.
    """

    by_status: dict[str, int]
    p95_ms: tuple[float, ...]
    requests_by_minute: tuple[float, ...] = ()
    failed_by_minute: tuple[float, ...] = ()

    @property
    def requests(self) -> int:
        """The number of requests.

        Raises:
            Unverified: there was none, so nothing can be judged.
        """
        count = sum(self.by_status.values())
        if not count:
            raise Unverified("no real request has come in that time")
        return count

    @property
    def failed(self) -> int:
        """The number of requests answered 5xx."""
        return sum(count for status, count in self.by_status.items() if status.startswith("5"))

    @property
    def typical_p95_ms(self) -> float:
        """The median of the minutes' 95th percentiles: one slow minute does not change it.

        Raises:
            Unverified: nothing was measured.
        """
        if not self.p95_ms:
            raise Unverified("the host has no latency for that time")
        return median(self.p95_ms)

    @property
    def description(self) -> str:
        """Failed and total requests in words; for errors see `requests`."""
        return f"{self.failed:,} of {self.requests:,} requests of real users failed"

    def fails_more_than(self, share: float, confidence: float) -> bool:
        """Return whether a larger share of requests fails than chance and bad minutes explain."""
        effect = effect_of_blocks(self.failed_by_minute, self.requests_by_minute)
        return lower_bound(self.failed / effect, self.requests / effect, confidence) > share

    def slower_than(self, limit_ms: float, confidence: float) -> bool:
        """Return whether a usual minute's p95 certainly reaches the limit; raises like `typical_p95_ms`."""
        lower, _ = quantile_bounds(self.p95_ms, _USUAL, confidence) if self.typical_p95_ms else (None, None)
        return lower is not None and lower >= limit_ms


def traffic_of(requests: Iterable[Series], latency: Iterable[Series]) -> Traffic:
    """Return the traffic of one service.

    Args:
        requests: request counts, one series per status code.
        latency: the 95th percentile of response times, in ms.
    """
    by_status: dict[str, int] = {}
    every: dict[datetime, float] = {}
    failed: dict[datetime, float] = {}
    for series in requests:
        status = series.labels.get("statusCode", "")
        by_status[status] = by_status.get(status, 0) + round(series.total)
        for moment, count in series.points:
            every[moment] = every.get(moment, 0.0) + count
            failed[moment] = failed.get(moment, 0.0) + count * status.startswith("5")
    moments = sorted(every)
    return Traffic(
        by_status,
        tuple(value for series in latency for value in series.values),
        tuple(every[moment] for moment in moments),
        tuple(failed[moment] for moment in moments),
    )


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """The number of errors before and after a time, and the seconds of both spans.

    Attributes:
        effect: design effect of errors in bursts (`spells.effect_of_counts`): a burst is one event.
    """

    before: float
    before_s: float
    after: float
    after_s: float
    effect: float = 1.0

    @property
    def before_per_minute(self) -> float:
        """The rate before."""
        return self.before / self.before_s * 60 if self.before_s else 0.0

    @property
    def after_per_minute(self) -> float:
        """The rate after.

        Raises:
            Unverified: no time span after it is complete yet.
        """
        if not self.after_s:
            raise Unverified("Sentry has no complete minute since then")
        return self.after / self.after_s * 60

    @property
    def description(self) -> str:
        """Both rates in words; for errors see `after_per_minute`."""
        return (
            f"{self.after_per_minute:.1f} errors a minute"
            f" where {self.before_per_minute:.1f} came in the hour before"
        )

    def grew(self, ratio: float, confidence: float) -> bool:
        """Return whether the later rate exceeds `ratio` times the earlier one, beyond what chance explains.

        The later events are then a larger share of all events than this ratio gives them: an exact test of
        two Poisson rates by a binomial share (Przyborowski and Wilenski, Biometrika 31, 1940).

        Raises:
            Unverified: one of the two time spans was not measured.
        """
        if not self.before_s:
            raise Unverified("Sentry has no complete minute before it to compare with")
        after, total = self.after / self.effect, (self.after + self.before) / self.effect
        expected = ratio * self.after_s / (ratio * self.after_s + self.before_s)
        return bool(self.after_per_minute) and lower_bound(after, total, confidence) > expected
