"""A sampling ends when the judge can use it, and not before."""

from __future__ import annotations

import numpy as np
import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.slo.settling import Settling
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Action, Stopping
from tests.support.evidence_for import ERRORS, FAILED, LATENCY, PASSED, RUNBOOK, evidence, result

SLO = next(one for one in RUNBOOK.slos if one.id == "api-p95")
BEFORE = np.random.default_rng(0).lognormal(np.log(100), 0.3, 300).tolist()


def taken_until_settled(
    settling: Settling, times: float, failing: float, seed: int = 1
) -> tuple[list[float], int]:
    """Response times and the number of failures when it settled; at most 5,000 samples."""
    random = np.random.default_rng(seed)
    durations: list[float] = []
    bad = 0
    while not settling.settled and len(durations) < 5_000:
        failed = bool(random.random() < failing)
        durations.append(float(random.lognormal(np.log(100 * times), 0.3)))
        settling.update(durations[-1], bad=failed)
        bad += failed
    return durations, bad


@pytest.mark.parametrize(
    ("times", "failing", "action"),
    [
        (1.0, 0.0, Action.PROCEED),
        (1.3, 0.0, Action.PROCEED),
        (2.0, 0.0, Action.FIX_FORWARD),
        (6.0, 0.0, Action.ROLL_BACK),
        (1.0, 0.2, Action.ROLL_BACK),
        (1.0, 0.02, Action.FIX_FORWARD),
    ],
)
def test_what_is_settled_is_no_persons_call(times: float, failing: float, action: Action) -> None:
    durations, bad = taken_until_settled(Settling(SLO, RUNBOOK.policy, BEFORE), times, failing, seed=0)
    stopping = Measurement("stopping", Stopping.SEQUENTIAL.value)
    counts = (Measurement("errors", bad), Measurement("requests", len(durations)))
    of = evidence(
        result(LATENCY, measurements=(Measurement("response_times", tuple(durations), "ms"), stopping)),
        result(ERRORS, FAILED if bad else PASSED, measurements=(*counts, stopping)),
        baseline={LATENCY: (Measurement("response_times", tuple(BEFORE), "ms"),)},
    )
    assert len(durations) < 5_000
    assert decide(of).recommendation is action


def test_a_healthy_platform_is_settled_as_soon_as_its_percentile_is() -> None:
    durations, _ = taken_until_settled(Settling(SLO, RUNBOOK.policy, BEFORE), 1.0, 0.0)
    assert len(durations) == 67


def test_failures_of_before_move_the_line() -> None:
    """10 % failing is twice the line; where 10 % failed before, it is nothing new."""
    new, _ = taken_until_settled(Settling(SLO, RUNBOOK.policy), 1.0, 0.25)
    old, _ = taken_until_settled(Settling(SLO, RUNBOOK.policy, failed_before=(100, 1_000)), 1.0, 0.25)
    same, _ = taken_until_settled(Settling(SLO, RUNBOOK.policy, failed_before=(100, 1_000)), 1.0, 0.1)
    assert len(new) < len(old) < 200 < len(same) < 5_000


def test_without_lines_the_objective_alone_is_asked() -> None:
    policy = RUNBOOK.policy.model_copy(update={"do_not_roll_back": ()})
    settling = Settling(SLO, policy, BEFORE, failed_before=(1, 80))
    for _ in range(66):
        settling.update(1.0, bad=True)
    assert not settling.settled
    settling.update(1.0, bad=True)
    assert settling.settled


def test_an_objective_for_a_share_has_no_response_times() -> None:
    ratio: Slo = next(one for one in RUNBOOK.slos if one.kind == "ratio")
    with pytest.raises(ValueError, match="no objective for a quantile"):
        Settling(ratio, RUNBOOK.policy)
