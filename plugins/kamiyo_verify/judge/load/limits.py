"""Whether a load was served: throughput, errors, and what a rate limit leaves open."""

from __future__ import annotations

from collections.abc import Sequence

from kamiyo_verify.judge.statistics.exact import shows_above
from kamiyo_verify.model.load.steps import LoadRun, LoadStep

HELD = 0.95
"""Throughput is held if this share of what was asked for is served: users start and stop within a second."""

LATE_MS = 100.0
"""A machine that sends its requests later than this measures itself, and not the platform."""


def is_ours(step: LoadStep) -> bool:
    """Return whether the machine that sent the load was too busy for its figures to be the platform's."""
    return step.late_ms >= LATE_MS


def full_load(run: LoadRun) -> LoadStep:
    """Return the step with the highest load that no rate limit disturbed; without one, the first step.

    Raises:
        ValueError: the run has no step.
    """
    if not run.steps:
        raise ValueError("a load run has at least one step")
    undisturbed = [step for step in run.steps if not step.limited]
    return max(undisturbed, key=lambda step: step.offered_per_s, default=run.steps[0])


def is_held(step: LoadStep) -> bool:
    """Return whether the platform served the load of this step."""
    return step.throughput_per_s >= HELD * step.offered_per_s


def fails_more_than(steps: Sequence[LoadStep], share: float, confidence: float) -> bool:
    """Return whether more than this share of the requests fails, with that confidence; 429 is no failure.

    Failures under load come in groups, which this bound does not know: it is for a clear result, and not for
    comparing two releases.
    """
    failed = sum(step.failed for step in steps)
    total = failed + sum(step.good for step in steps)
    return total > 0 and shows_above(failed, total, share, confidence)


def describe_limit(run: LoadRun) -> str:
    """Return at which load the platform limits the rate; "" if it answered nothing with 429."""
    limited = next((step for step in run.steps if step.limited), None)
    if limited is None:
        return ""
    served = max((step.throughput_per_s for step in run.steps if not step.limited), default=0.0)
    reached = f"; {served:.0f} requests a second passed before" if served else ""
    return (
        f"the platform limits the rate: {limited.limited} of {limited.total} answers were 429 at"
        f" {limited.offered_per_s:.0f} requests a second{reached}"
    )
