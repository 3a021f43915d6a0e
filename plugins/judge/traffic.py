"""What real users got in a span of time: how many requests, how many failed, how fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from plugins.judge.statistics import lower_bound
from plugins.model.hosting_signals import Series
from plugins.model.outcomes import Unverified


@dataclass(frozen=True, slots=True)
class Traffic:
    """The real requests of one service.

    Attributes:
        by_status: how many were answered with each status.
        p95_ms: the 95th percentile of each minute (or of each longer step of a long span), in order.
    """

    by_status: dict[str, int]
    p95_ms: tuple[float, ...]

    @property
    def requests(self) -> int:
        """All of them.

        Raises:
            Unverified: there was none, so nothing can be said.
        """
        count = sum(self.by_status.values())
        if not count:
            raise Unverified("no real request has come in that time")
        return count

    @property
    def failed(self) -> int:
        """How many were answered 5xx."""
        return sum(count for status, count in self.by_status.items() if status.startswith("5"))

    @property
    def typical_p95_ms(self) -> float:
        """The 95th percentile of a usual minute: one slow minute does not move it.

        Raises:
            Unverified: nothing was measured.
        """
        if not self.p95_ms:
            raise Unverified("Render has no latency for that time")
        return median(self.p95_ms)

    @property
    def told(self) -> str:
        """The failed ones of all; raises as `requests`."""
        return f"{self.failed:,} of {self.requests:,} requests of real users failed"

    def fails_more_than(self, share: float, confidence: float) -> bool:
        """More than that share of requests fails, beyond what chance explains."""
        return lower_bound(self.failed, self.requests, confidence) > share


def traffic_of(requests: Iterable[Series], latency: Iterable[Series]) -> Traffic:
    """The traffic of one service.

    Args:
        requests: counts, a series per status code.
        latency: its 95th percentile, in ms.
    """
    by_status: dict[str, int] = {}
    for series in requests:
        status = series.labels.get("statusCode", "")
        by_status[status] = by_status.get(status, 0) + round(series.total)
    return Traffic(by_status, tuple(value for series in latency for value in series.values))


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How many errors came before a moment and after it, and in how many seconds."""

    before: float
    before_s: float
    after: float
    after_s: float

    @property
    def before_per_minute(self) -> float:
        """The rate before."""
        return self.before / self.before_s * 60 if self.before_s else 0.0

    @property
    def after_per_minute(self) -> float:
        """The rate after.

        Raises:
            Unverified: no span of time after it is complete yet.
        """
        if not self.after_s:
            raise Unverified("Sentry has no complete minute since then")
        return self.after / self.after_s * 60

    @property
    def told(self) -> str:
        """Both rates; raises as `after_per_minute`."""
        return (
            f"{self.after_per_minute:.1f} errors a minute"
            f" where {self.before_per_minute:.1f} came in the hour before"
        )

    def grew(self, ratio: float, confidence: float) -> bool:
        """The rate after is more than `ratio` times the rate before, beyond what chance explains.

        Of all events together, those after are then more than the share that this ratio gives them: an exact
        test of two Poisson rates by a binomial share (Przyborowski and Wilenski, Biometrika 31, 1940).

        Raises:
            Unverified: one of the two times was not measured.
        """
        if not self.before_s:
            raise Unverified("Sentry has no complete minute before it to compare with")
        after, total = round(self.after), round(self.after + self.before)
        expected = ratio * self.after_s / (ratio * self.after_s + self.before_s)
        return self.after_per_minute > 0 and lower_bound(after, total, confidence) > expected
