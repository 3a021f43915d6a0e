"""Decide when a sampling of response times has enough data for the judge."""

from __future__ import annotations

from collections.abc import Sequence

from kamiyo_verify.judge.rules.effects import typical_slowdown
from kamiyo_verify.judge.slo.lines import Side, limit_of, side, strict
from kamiyo_verify.judge.slo.readings import Baseline, counts_before, series_before
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.ratios import of_each, share_increase
from kamiyo_verify.judge.statistics.sequences import ANYTIME, ProportionSequence
from kamiyo_verify.judge.statistics.shifts import LOOKS
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.runbook import Runbook, Slo
from kamiyo_verify.model.words import Impact, SloVerdict

_LONGER = 180
"""Samples up to which sampling continues to decide whether few failures breach the objective: 3 minutes."""

_SELDOM = 100
"""Samples up to which each one is evaluated; a longer sample is evaluated after each hundredth part."""

_LONG_ENOUGH = 120
"""Samples after which only questions that affect a rollback are still open: two minutes in production."""


class Settling:
    """Count samples as they arrive, and report when they decide all three questions at once.

    The questions are the objective's percentile, the share of failing requests against the policy's line, and
    the slowdown against the policy's line, if the response times from before are known.
    Each is answered as the judge answers it on the same samples. A sampling that this class could end is
    judged as `Stopping.SEQUENTIAL`. If too many requests certainly fail, the sampling ends at once.

    Args:
        slo: a "below" objective for a quantile.
        policy: contains the lines.
        before: samples from before the deployment, in the objective's unit; empty if there are none.
        failed_before: (bad, total) before the deployment, if requests failed then already; only the increase
            counts against the line.
        methods_before: interval methods of `before` and of `failed_before`.
        few: the objective for the share of failing requests; None if there is none.

    Raises:
        ValueError: the objective is not for a quantile.
    """

    def __init__(
        self,
        slo: Slo,
        policy: Policy,
        before: Sequence[float] = (),
        failed_before: tuple[int, int] | None = None,
        methods_before: tuple[Method, Method] = (EXACT, EXACT),
        few: float | None = None,
    ) -> None:
        if slo.quantile is None:
            raise ValueError(f"{slo.id} is no objective for a quantile")
        self._objective = slo.objective
        self._slow = ProportionSequence(1 - slo.quantile, policy.confidence)
        self._failing: _Failing | None = None
        self._slower: _Slower | None = None
        some, little = limit_of(policy, None), limit_of(policy, Impact.PERFORMANCE)
        if some is not None and some.limit:
            self._failing = _Failing(some.limit, policy.confidence, failed_before, methods_before[1], few)
        if before and little is not None and little.limit is not None:
            self._slower = _Slower(1 + little.limit, policy.confidence, before, methods_before[0])

    def update(self, duration: float, *, bad: bool, at_s: float | None = None) -> None:
        """Count one more sample.

        Args:
            duration: duration in the objective's unit.
            bad: whether the request failed.
            at_s: when it was due, in seconds from the beginning; None treats samples as evenly spaced.
        """
        self._slow.update(duration >= self._objective)
        if self._failing is not None:
            self._failing.update(bad, at_s)
        if self._slower is not None:
            self._slower.update(duration)

    @property
    def settled(self) -> bool:
        """Whether the samples so far decide every question."""
        if self._failing is not None and self._failing.over:
            return True
        slow = self._slow.verdict
        if slow is SloVerdict.INSUFFICIENT_EVIDENCE:
            return False
        if self._failing is not None and not self._failing.settled:
            return False
        return self._slower is None or self._slower.settled(within_objective=slow is SloVerdict.MET)


def settling_for(slo: Slo, runbook: Runbook, baseline: Baseline) -> Settling:
    """Return a `Settling` with the data from before the deployment.

    Args:
        slo: a "below" objective for a quantile.
        runbook: its policy contains the lines, and its share objective defines failing requests.
        baseline: measurements of items before the deployment; empty if there are none.
    """
    before = series_before(slo, baseline)
    services = services_of(slo, runbook)
    ratio = next(
        (one for one in runbook.slos if one.kind == "ratio" and services_of(one, runbook) == services), None
    )
    failed = counts_before(ratio, baseline) if ratio else None
    methods = (before[1] if before else EXACT, failed[2] if failed else EXACT)
    return Settling(
        slo,
        runbook.policy,
        before[0] if before else (),
        failed[:2] if failed else None,
        methods,
        ratio.objective if ratio and ratio.better == "below" and 0 < ratio.objective < 1 else None,
    )


def services_of(slo: Slo, runbook: Runbook) -> tuple[str, ...]:
    """Return the services whose requests an objective measures."""
    item = runbook.item(slo.item)
    return item.services if item else ()


class _Failing:
    """Judge on which side of the policy's line the share of failing requests lies, spells counted once."""

    def __init__(
        self,
        line: float,
        confidence: float,
        before: tuple[int, int] | None,
        method: Method,
        objective: float | None,
    ) -> None:
        self._objective = objective
        self._confidence, self._strict = confidence, strict(confidence)
        self._before = before or (0, 0)
        self._method = method
        self._line = line
        self._lines = (line, line)
        if before is not None and before[0]:
            self._confidence = of_each(confidence)
            old = (*before, self._confidence)
            self._lines = (line + method.lower_bound(*old), line + method.upper_bound(*old))
        self._times: list[float] = []
        self._failed: list[bool] = []
        self._bad = 0
        self.settled = False
        self.over = False

    def update(self, bad: bool, at_s: float | None) -> None:  # noqa: FBT001 - one sample is its whole subject
        self._times.append(float(len(self._times)) if at_s is None else at_s)
        self._failed.append(bad)
        self._bad += bad
        taken = len(self._failed)
        if taken % max(1, taken // _SELDOM) == 0:
            self._look(design_effect(self._times, self._failed) if self._bad else 1.0)

    def _look(self, effect: float) -> None:
        side_ = self._side(effect)
        self.over = side_ is Side.OVER
        settled = side_ is not Side.STRADDLING or self._twice_excluded(effect)
        self.settled = settled and self._objective_decided(effect)

    def _twice_excluded(self, effect: float) -> bool:
        """Return whether twice the line is excluded; the line itself would take too many requests."""
        twice, taken = 2 * self._line, len(self._failed)
        if taken < _LONG_ENOUGH or twice >= 1:
            return False
        worth = (self._bad / effect, taken / effect)
        if not self._before[0]:
            return ANYTIME.shows_below(*worth, twice, self._strict)
        increase = share_increase(worth, self._before, self._strict, (ANYTIME, self._method))
        return increase[1] < 2 * self._line

    def _objective_decided(self, effect: float) -> bool:
        """Return whether the objective for failing requests is decided, or no longer worth more samples."""
        taken = len(self._failed)
        if not self._bad or self._objective is None or taken >= _LONGER:
            return True
        return ANYTIME.shows_above(self._bad / effect, taken / effect, self._objective, self._confidence)

    def _side(self, effect: float) -> Side:
        bad, total = self._bad / effect, len(self._failed) / effect
        lower, upper = self._lines
        if lower < 1 and ANYTIME.shows_below(bad, total, lower, self._confidence):
            return Side.UNDER
        if upper < 1 and ANYTIME.shows_above(bad, total, upper, self._confidence):
            return Side.OVER
        return Side.STRADDLING


class _Slower:
    """Judge on which side of the policy's line the slowdown lies, at each look of the comparison."""

    def __init__(self, line: float, confidence: float, before: Sequence[float], method: Method) -> None:
        self._line = line
        self._confidence = confidence
        self._before = before
        self._methods = (ANYTIME, method)
        self._after: list[float] = []
        self._side = Side.STRADDLING

    def update(self, duration: float) -> None:
        self._after.append(duration)
        if len(self._after) in LOOKS:
            found = typical_slowdown(self._after, self._before, self._confidence, self._methods)
            self._side = side(found.interval, self._line)

    def settled(self, *, within_objective: bool) -> bool:
        """Return whether the slowdown is decided; within the objective the comparison ends earlier."""
        if self._side is not Side.STRADDLING:
            return True
        return within_objective and len(self._after) >= _LONG_ENOUGH
