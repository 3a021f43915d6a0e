"""The effective number of independent requests of a sample whose failures come in spells.

Consecutive requests are dependent: a spell of 10 s in which everything fails is one event, however many
requests were sent in it. The design effect is the variance of the number of failures divided by
the variance that independent requests of the same failing share would have (L. Kish, "Survey Sampling",
Wiley 1965, § 8.2). The effective size of a sample of n requests is n divided by it.

Two estimates are made, and the larger one counts:

- from the correlation r of each request with the next one: (1 + r) / (1 - r), exact for a chain that
  remembers its last state only (G. V. Bayley, J. M. Hammersley, "The effective number of independent
  observations in an autocorrelated time series", J. R. Statist. Soc. Suppl. 8 (1946));
- from the variance between blocks of time (batch means), for spells in which only a part fails.

An excess that chance explains does not count; otherwise every interval would be wider. An excess of up to one
standard error (under independence) is ignored, one of three or more counts fully, and one in between partly
(H.-Y. Gao, A. G. Bruce, "WaveShrink with firm shrinkage", Statistica Sinica 7 (1997)). A sample in which none
fails, or all do, shows no clustering.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_BLOCKS_S = (10.0, 30.0)
"""Lengths of a block in seconds: as long as a restart, and as a deploy that switches over."""

_PARTS = (4, 12)
"""Additional block counts: the sample is also divided into this many blocks of equal length."""

_FEWEST_BLOCKS = 4
_FEWEST_RUNS = 2
_MOST_CORRELATED = 0.99


def design_effect(offsets_s: Sequence[float], failed: Sequence[bool]) -> float:
    """Return the design effect of clustered failures; 1 for independent requests, never less.

    Args:
        offsets_s: when each request was sent, in seconds from any moment.
        failed: for each request, whether it failed.

    Raises:
        ValueError: the two differ in length, or an offset is not a finite number.
    """
    if len(offsets_s) != len(failed):
        raise ValueError(f"{len(offsets_s)} offsets for {len(failed)} requests")
    if not all(map(math.isfinite, offsets_s)):
        raise ValueError("an offset is no finite number")
    bad, total = sum(failed), len(failed)
    if bad in {0, total}:
        return 1.0
    order = sorted(range(total), key=offsets_s.__getitem__)
    states = [bool(failed[place]) for place in order]
    times = [offsets_s[place] for place in order]
    span_s = times[-1] - times[0]
    lengths = [*_BLOCKS_S, *(span_s / parts for parts in _PARTS)] if span_s > 0 else []
    return max(1.0, _of_neighbours(states), *(_of_blocks(times, states, length) for length in lengths))


def effect_of_blocks(bad: Sequence[float], total: Sequence[float]) -> float:
    """Return the design effect for requests that are known only by block of time, such as by minute.

    Args:
        bad: number of failed requests in each block.
        total: number of requests in each block; blocks without any do not count.
    """
    pairs = [(one, of) for one, of in zip(bad, total, strict=False) if of > 0]
    failed, sent = sum(one for one, _ in pairs), sum(of for _, of in pairs)
    if len(pairs) < _FEWEST_BLOCKS or not 0 < failed < sent:
        return 1.0
    return max(1.0, _effect([one for one, _ in pairs], [of for _, of in pairs]))


def effect_between(bad: Sequence[float], total: Sequence[float]) -> float:
    """Return the design effect for the samples of several runs, of which two are enough.

    Args:
        bad: number of failed requests of each run.
        total: number of requests of each run, at least 1.
    """
    if len(total) < _FEWEST_RUNS or not 0 < sum(bad) < sum(total):
        return 1.0
    return max(1.0, _effect(bad, total))


def effect_of_counts(counts: Sequence[float]) -> float:
    """Return the design effect of events in bursts: variance over mean of their number by block of time."""
    if len(counts) < _FEWEST_BLOCKS or not any(counts):
        return 1.0
    mean = sum(counts) / len(counts)
    spread = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1) / mean
    return 1.0 + _beyond_chance(spread - 1, math.sqrt(2 / (len(counts) - 1)))


def _of_neighbours(states: Sequence[bool]) -> float:
    share = sum(states) / len(states)
    together = sum((one - share) * (other - share) for one, other in pairwise(states))
    correlation = together / (len(states) * share * (1 - share))
    correlation = min(_beyond_chance(correlation, 1 / math.sqrt(len(states))), _MOST_CORRELATED)
    return (1 + correlation) / (1 - correlation)


def _of_blocks(times: Sequence[float], states: Sequence[bool], length_s: float) -> float:
    """Return the variance between blocks over that of independent requests; 1 if there are too few blocks."""
    sizes: dict[int, int] = {}
    bad: dict[int, int] = {}
    for time, failed in zip(times, states, strict=True):
        block = int((time - times[0]) / length_s)
        sizes[block] = sizes.get(block, 0) + 1
        bad[block] = bad.get(block, 0) + failed
    blocks, total = len(sizes), len(states)
    if blocks < _FEWEST_BLOCKS or total < 2 * blocks:
        return 1.0
    return _effect([bad[block] for block in sizes], [*sizes.values()])


def _effect(bad: Sequence[float], sizes: Sequence[float]) -> float:
    """Return the design effect of these numbers of failures in blocks of these sizes."""
    blocks, total = len(sizes), sum(sizes)
    share = sum(bad) / total
    spread = sum((one - size * share) ** 2 for one, size in zip(bad, sizes, strict=True))
    effect = spread / (total * share * (1 - share)) * blocks / (blocks - 1)
    return 1.0 + _beyond_chance(effect - 1, math.sqrt(2 / (blocks - 1)))


def _beyond_chance(excess: float, error: float) -> float:
    """Return the part of an excess that chance does not explain."""
    return min(max(0.0, (excess - error) * 1.5), max(0.0, excess))
