"""When a sampling of response times has told all that the judge will ask of it."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.judge.effects import MEDIAN
from plugins.judge.lines import limit_of
from plugins.judge.ratios import of_each, shared
from plugins.judge.readings import Baseline, counts_before, series_before
from plugins.judge.sequences import ProportionSequence
from plugins.judge.statistics import EXACT, quantile_bounds
from plugins.model.runbook import Policy, Runbook, Slo
from plugins.model.words import Impact, SloVerdict, WebService

_UNDECIDED = SloVerdict.INSUFFICIENT_EVIDENCE


class Settling:
    """Counts samples as they come, and says when they settle all three questions at once.

    These are the objective's percentile, the share of failing requests against the policy's line, and the
    median against the policy's line for a slowdown, where it is known what it was before. A sampling that
    this ended is to be judged as `Stopping.SEQUENTIAL`.

    Args:
        slo: for a quantile, to stay below.
        policy: draws the lines.
        before: samples from before the deployment, in the objective's unit; empty where there are none.
        failed_before: (bad, total) before the deployment, where requests failed then already; only what is
            more of them counts against the line.

    Raises:
        ValueError: the objective is not for a quantile.
    """

    def __init__(
        self,
        slo: Slo,
        policy: Policy,
        before: Sequence[float] = (),
        failed_before: tuple[int, int] | None = None,
    ) -> None:
        if slo.quantile is None:
            raise ValueError(f"{slo.id} is no objective for a quantile")
        self._objective = slo.objective
        self._slow = ProportionSequence(1 - slo.quantile, policy.confidence)
        self._failing = _failing(policy, failed_before)
        self._bounds = _bounds(policy, before)
        each = of_each(shared(policy.confidence, 2))
        self._slower = _Question(1 - MEDIAN, 1 - MEDIAN, each) if self._bounds else None

    def update(self, duration: float, *, bad: bool) -> None:
        """Count one more sample.

        Args:
            duration: in the objective's unit.
            bad: the request failed.
        """
        self._slow.update(duration >= self._objective)
        if self._failing is not None:
            self._failing.update(bad, bad)
        if self._slower is not None and self._bounds is not None:
            lower, upper = self._bounds
            self._slower.update(duration >= lower, duration >= upper)

    @property
    def settled(self) -> bool:
        """All that is asked is decided by the samples so far."""
        asked = (self._failing, self._slower)
        return self._slow.verdict is not _UNDECIDED and all(one is None or one.settled for one in asked)


def settling_for(slo: Slo, runbook: Runbook, baseline: Baseline) -> Settling:
    """The same, with what is known of before the deployment.

    Args:
        slo: for a quantile, to stay below.
        runbook: its policy draws the lines, and its objective for a share tells what failing requests are.
        baseline: what items measured before the deployment; empty where nobody looked.
    """
    before = series_before(slo, baseline)
    services = services_of(slo, runbook)
    ratio = next(
        (one for one in runbook.slos if one.kind == "ratio" and services_of(one, runbook) == services), None
    )
    failed = counts_before(ratio, baseline) if ratio else None
    return Settling(slo, runbook.policy, before[0] if before else (), failed[:2] if failed else None)


class _Question:
    """On which side of a line that is itself known between two bounds only."""

    def __init__(self, lower: float, upper: float, confidence: float) -> None:
        self._under = ProportionSequence(lower, confidence)
        self._over = ProportionSequence(upper, confidence)

    def update(self, beyond_lower: bool, beyond_upper: bool) -> None:  # noqa: FBT001 - one sample, two lines
        self._under.update(beyond_lower)
        self._over.update(beyond_upper)

    @property
    def settled(self) -> bool:
        return self._under.verdict is SloVerdict.MET or self._over.verdict is SloVerdict.BREACHED


def services_of(slo: Slo, runbook: Runbook) -> tuple[WebService, ...]:
    """The services whose requests an objective is about."""
    item = runbook.item(slo.item)
    return item.services if item else ()


def _failing(policy: Policy, before: tuple[int, int] | None) -> _Question | None:
    line = limit_of(policy, None)
    if line is None or not line.limit:
        return None
    if before is None or not before[0]:
        return _Question(line.limit, line.limit, policy.confidence)
    each = of_each(policy.confidence)
    least, most = EXACT.lower_bound(*before, each), EXACT.upper_bound(*before, each)
    return _Question(line.limit + least, line.limit + most, each) if line.limit + most < 1 else None


def _bounds(policy: Policy, before: Sequence[float]) -> tuple[float, float] | None:
    """Between what a median lies that is just so much slower than before as the policy spares."""
    line = limit_of(policy, Impact.PERFORMANCE)
    if line is None or line.limit is None or not before:
        return None
    lower, upper = quantile_bounds(before, MEDIAN, of_each(shared(policy.confidence, 2)))
    return None if lower is None or upper is None else (lower * (1 + line.limit), upper * (1 + line.limit))
