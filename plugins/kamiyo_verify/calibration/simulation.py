"""Simulated evidence of a run about a deployment with known faults.

The module simulates checks, retries, sampling and attribution; the real judge decides. A failure is tried
three times and counts if all tries fail. Sampling stops when its question is settled (`judge.settling`), and
the evidence records that. The baseline has 300 samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from kamiyo_verify.calibration.truth import Truth
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM
from kamiyo_verify.judge.slo.readings import STOPPING, method_after
from kamiyo_verify.judge.slo.settling import Settling
from kamiyo_verify.judge.statistics.exact import sample_quantile
from kamiyo_verify.model.result import Attempt, Measurement, Result
from kamiyo_verify.model.runbook import Item, Runbook, Slo
from kamiyo_verify.model.words import Attribution, Impact, Phase, Status, Stopping

PHASES = (Phase.POSTDEPLOY, Phase.PERFORMANCE)
ATTEMPTS = 3
BASELINE = 300
FEWEST = 20
"""With fewer samples, the checks of response times and errors report that they could not measure."""

_SIGMA = 0.4
"""Standard deviation of a response time's logarithm: p95 is then 1.9 times the median."""
_USUAL_PACE = 0.28
_ASKED, _OTHER = "a" * 40, "b" * 40


@dataclass(frozen=True, slots=True)
class _Samples:
    durations: tuple[float, ...]
    bad: int
    stopping: Stopping


class Simulation:
    """Draws random evidence for one runbook.

    Args:
        runbook: its items, objectives and policy.
        random: the source of all randomness.
    """

    def __init__(self, runbook: Runbook, random: Random) -> None:
        self._runbook = runbook
        self._random = random
        self._items = [item for item in runbook.items if item.phase in PHASES and not item.manual]
        self._quantiles = [slo for slo in runbook.slos if slo.kind == "quantile" and slo.better == "below"]
        self._ratios = [slo for slo in runbook.slos if slo.kind == "ratio" and slo.better == "below"]

    def evidence(self, truth: Truth) -> Evidence:
        """Draw the evidence of one run."""
        measured: dict[str, Result] = {}
        baseline: dict[str, tuple[Measurement, ...]] = {}
        for number, slo in enumerate(self._quantiles):
            api = number == 0
            p95 = slo.objective * (truth.pace if api else _USUAL_PACE)
            before = self._drawn(p95, slo, truth.failing_before * api, BASELINE)
            after = self._watched(p95 * (truth.times if api else 1.0), slo, truth, before)
            measured[slo.item] = _response_times(slo, after, before if truth.compared else None)
            baseline[slo.item] = _series(slo, before)
            for ratio in self._ratios if api else ():
                measured[ratio.item] = self._error_rate(ratio, after, before if truth.compared else None)
                baseline[ratio.item] = _counts(ratio, before)
        broken, hidden = self._chosen(truth)
        return Evidence(
            runbook=self._runbook,
            environment="calibration",
            phases=PHASES,
            results=tuple(
                self._cut_off(truth, item)
                or (_hidden(item) if item.id in hidden else None)
                or measured.get(item.id)
                or self._tried(truth, item, item.id in broken)
                for item in self._items
            ),
            expected=tuple(item.id for item in self._items),
            no_check=tuple(item.id for item in self._runbook.items if item.phase in PHASES and item.manual),
            commit=_ASKED if truth.other_commit else "",
            baseline=baseline if truth.compared else {},
        )

    def _chosen(self, truth: Truth) -> tuple[set[str], set[str]]:
        """Choose one broken item of each impact, and one required item that cannot be verified."""
        measured = {slo.item for slo in self._runbook.slos}
        broken = set()
        for impact in truth.broken:
            broken.add(
                self._random.choice(
                    [one.id for one in self._items if one.impact is impact and one.id not in measured]
                )
            )
        required = self._runbook.policy.required_impacts
        able = [one.id for one in self._items if one.impact in required and one.id not in broken]
        return broken, {self._random.choice(able)} if truth.hidden else set()

    def _cut_off(self, truth: Truth, item: Item) -> Result | None:
        if self._random.random() >= truth.cut_off:
            return None
        why = "no answer, and none from the control address"
        return Result(item.id, item.phase, Status.ERROR, why, Attribution.PROBER)

    def _tried(self, truth: Truth, item: Item, broken: bool) -> Result:  # noqa: FBT001 - a fact about the item
        """Simulate a check that sends one request a try."""
        if truth.other_commit and item.id == COMMIT_ITEM:
            taken = (Measurement("api_commit", _OTHER),)
            return Result(item.id, item.phase, Status.FAILED, "another commit answers", measurements=taken)
        asks_the_api = item.impact in {Impact.CORE, Impact.FEATURE}
        chance = 1.0 if broken else truth.stray + truth.failing * asks_the_api
        attempts: list[Attempt] = []
        for _ in range(ATTEMPTS):
            failed = self._random.random() < chance
            attempts.append(Attempt(Status.FAILED if failed else Status.PASSED, "", "", 0.0))
            if not failed:
                return Result(item.id, item.phase, Status.PASSED, attempts=tuple(attempts))
        blame = truth.blame if broken else None
        return Result(item.id, item.phase, Status.FAILED, "it failed", blame, attempts=tuple(attempts))

    def _drawn(self, p95: float, slo: Slo, failing: float, size: int) -> _Samples:
        """Draw `size` samples, in the objective's unit."""
        middle = math.log(p95) - _SIGMA * NormalDist().inv_cdf(slo.quantile or 0.95)
        durations = tuple(self._random.lognormvariate(middle, _SIGMA) for _ in range(size))
        return _Samples(durations, self._failed(failing, size), Stopping.FIXED)

    def _watched(self, p95: float, slo: Slo, truth: Truth, before: _Samples) -> _Samples:
        """Draw samples until the question is settled or the limit is reached."""
        failing = truth.failing if slo is self._quantiles[0] else 0.0
        drawn = self._drawn(p95, slo, 0.0, truth.sampled)
        known = (before.durations, (before.bad, BASELINE)) if truth.compared else ((), None)
        settling, bad, taken = Settling(slo, self._runbook.policy, *known), 0, 0
        while taken < truth.sampled and not (taken >= FEWEST and settling.settled):
            failed = self._random.random() < failing
            settling.update(drawn.durations[taken], bad=failed)
            bad, taken = bad + failed, taken + 1
        return _Samples(drawn.durations[:taken], bad, Stopping.SEQUENTIAL)

    def _error_rate(self, slo: Slo, samples: _Samples, before: _Samples | None) -> Result:
        """Like the check: fail if the error rate exceeds the objective by more than chance explains."""
        size = len(samples.durations)
        if size < FEWEST:
            return _hidden_measurement(slo)
        share = method_after(samples.stopping).lower_bound(samples.bad, size, self._runbook.policy.confidence)
        failed = share >= slo.objective
        old = failed and before is not None and before.bad
        return Result(
            slo.item,
            Phase.PERFORMANCE,
            Status.FAILED if failed else Status.PASSED,
            "requests failed" if failed else "",
            Attribution.PRE_EXISTING if old else None,
            _counts(slo, samples),
        )

    def _failed(self, share: float, size: int) -> int:
        return sum(self._random.random() < share for _ in range(size)) if share else 0


def _hidden(item: Item) -> Result:
    return Result(item.id, item.phase, Status.ERROR, "429, and no time to wait")


def _response_times(slo: Slo, samples: _Samples, before: _Samples | None) -> Result:
    """Like the checks: measure nothing if there are too few samples, or if more than 5 % of them failed."""
    size = len(samples.durations)
    if size < FEWEST or samples.bad * 20 > size:
        return _hidden_measurement(slo)
    p95 = sample_quantile(samples.durations, slo.quantile or 0.95)
    if p95 < slo.objective:
        return Result(slo.item, Phase.PERFORMANCE, Status.PASSED, measurements=_series(slo, samples))
    old = before is not None and sample_quantile(before.durations, slo.quantile or 0.95) >= slo.objective
    return Result(
        slo.item,
        Phase.PERFORMANCE,
        Status.FAILED,
        "the sample's percentile is over the objective",
        Attribution.PRE_EXISTING if old else None,
        _series(slo, samples),
    )


def _hidden_measurement(slo: Slo) -> Result:
    return Result(slo.item, Phase.PERFORMANCE, Status.ERROR, "its samples say nothing")


def p95_series(
    slo: Slo, durations: Sequence[float], stopping: Stopping = Stopping.SEQUENTIAL
) -> tuple[Measurement, ...]:
    """Return what the item of a quantile objective measures."""
    return (
        Measurement(slo.measurement, tuple(durations), slo.unit),
        Measurement(STOPPING, stopping.value),
    )


def share_counts(
    slo: Slo, bad: int, total: int, stopping: Stopping = Stopping.SEQUENTIAL
) -> tuple[Measurement, ...]:
    """Return what the item of a ratio objective measures."""
    return (
        Measurement(slo.measurement, bad, "count"),
        Measurement(slo.total, total, "count"),
        Measurement(STOPPING, stopping.value),
    )


def _series(slo: Slo, samples: _Samples) -> tuple[Measurement, ...]:
    return p95_series(slo, samples.durations, samples.stopping)


def _counts(slo: Slo, samples: _Samples) -> tuple[Measurement, ...]:
    return share_counts(slo, samples.bad, len(samples.durations), samples.stopping)
