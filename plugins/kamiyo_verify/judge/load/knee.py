"""The knee: the load from which more users only wait longer.

After the knee the throughput stops growing and the latency rises. See N. J. Gunther, "Guerrilla Capacity
Planning" (2007), chapters 4 to 6, for why both belong to it: throughput alone also stops growing where nobody
asks for more, and latency alone also rises by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kamiyo_verify.judge.statistics.exact import sample_quantile
from kamiyo_verify.model.load.steps import LoadStep

GROWS = 0.5
"""Throughput grows if it gains at least this share of what the users asked for in addition."""

RISES = 1.5
"""Latency rises if the p95 is at least this many times the lowest p95 of the steps up to the knee."""

FEWEST = 20
"""A step with fewer good answers has no p95: one answer in twenty is slower than it."""

_P95 = 0.95


@dataclass(frozen=True, slots=True)
class Knee:
    """The last step of the load before the platform was saturated.

    Attributes:
        offered_per_s: the load of that step.
        throughput_per_s: the good answers per second there: about what the platform is able to serve.
        p95_ms: there.
        beyond_p95_ms: the p95 of the next step.
    """

    offered_per_s: float
    throughput_per_s: float
    p95_ms: float
    beyond_p95_ms: float


def p95_ms(step: LoadStep) -> float | None:
    """Return the p95 of the good answers of a step; None if there are fewer than `FEWEST`."""
    return sample_quantile(step.durations_ms, _P95) if step.good >= FEWEST else None


def knee(steps: Sequence[LoadStep]) -> Knee | None:
    """Return where throughput stops growing while latency rises; None if these steps do not show it.

    A step is the knee if it is the first of which, for every later step, both hold: of the load asked for in
    addition, less than half was served (`GROWS`), and the p95 is at least 1.5 times the lowest one up to the
    knee (`RISES`). "Every later step", so that one slow second is no knee. Steps with 429 do not count: what
    a rate limit turns away says nothing about what the platform is able to serve.

    Args:
        steps: in order of growing load.
    """
    seen = [(step, p95) for step in steps if not step.limited and (p95 := p95_ms(step)) is not None]
    for place, (step, p95) in enumerate(seen[:-1]):
        later = seen[place + 1 :]
        lowest = min(before for _, before in seen[: place + 1])
        if all(not _grows(step, other) and beyond >= RISES * lowest for other, beyond in later):
            return Knee(step.offered_per_s, step.throughput_per_s, p95, later[0][1])
    return None


def _grows(step: LoadStep, later: LoadStep) -> bool:
    more_asked = later.offered_per_s - step.offered_per_s
    return later.throughput_per_s - step.throughput_per_s >= GROWS * more_asked
