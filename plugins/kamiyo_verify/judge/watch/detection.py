"""Find a change in a series of rounds, whenever it begins and however often anyone looks.

The share of failing requests was fine for an hour, and then a regression begins. A confidence sequence over
all samples would be slow: the good hour outweighs the bad minutes. So a test martingale begins with each
round (`sequences.log_above`), and their average over the largest number of rounds is a martingale as well. By
Ville's inequality it ever reaches 1/error with a probability of at most `error`, however often it is read.
The price of not knowing when the change begins is the logarithm of the number of rounds.

Sources: G. Lorden, "Procedures for reacting to a change in distribution", Ann. Math. Statist. 42 (1971);
J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection",
New England J. Statist. Data Sci. 2 (2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kamiyo_verify.judge.statistics.sequences import log_above
from kamiyo_verify.judge.statistics.spells import design_effect

_FEWEST = 20
"""Outcomes from which on failures in spells count once: chance runs of fewer look like spells too. What fewer
show is called only once it has lasted for the confirmation time."""

_ENDED = 0.05
"""A failure has ended if so many good outcomes in a row have at most this probability while it lasts."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of a series in one round.

    Attributes:
        times_s: when each request was sent, in seconds since the epoch.
        failed: for each request, whether it was bad.
    """

    times_s: tuple[float, ...]
    failed: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Detection:
    """The evidence that the share is over a line since some round.

    Attributes:
        log_evidence: logarithm of the martingale.
        start: index of the round with the most evidence for a change.
        bad: number of bad outcomes since then, out of `total`.
        lasted_s: seconds from the first to the last of them.
        lasts: whether they go on: the good outcomes at the end are no more than chance explains.
    """

    log_evidence: float
    start: int
    bad: int
    total: int
    lasted_s: float
    lasts: bool


def detect(rounds: Sequence[Outcomes], line: float, most_rounds: int) -> Detection:
    """Return the evidence that the share of bad outcomes is over `line` since some round.

    Args:
        rounds: every round so far, oldest first; a round without outcomes is empty.
        line: a share between 0 and 1.
        most_rounds: the number of rounds that was planned; a later one begins no test of its own.
    """
    times: list[float] = []
    failed: list[bool] = []
    windows: list[tuple[float, int]] = []
    for start in range(len(rounds) - 1, -1, -1):
        times = [*rounds[start].times_s, *times]
        failed = [*rounds[start].failed, *failed]
        if start >= most_rounds or not rounds[start].failed:
            continue
        bad, of = sum(failed), len(failed)
        if bad <= of * line:
            continue  # less evidence than it began with: leaving it out is cautious
        effect = design_effect(times, failed) if of >= _FEWEST else 1.0
        windows.append((log_above(bad / effect, of / effect, line), start))
    if not windows:
        return Detection(-math.inf, 0, 0, 0, 0.0, lasts=False)
    most, since = max(windows)
    total = most + math.log(sum(math.exp(one - most) for one, _ in windows)) - math.log(most_rounds)
    return _since(rounds, since, total)


def _since(rounds: Sequence[Outcomes], start: int, log_evidence: float) -> Detection:
    pairs = sorted(pair for one in rounds[start:] for pair in zip(one.times_s, one.failed, strict=True))
    failing = [place for place, (_, bad) in enumerate(pairs) if bad]
    good_at_end = len(pairs) - 1 - failing[-1]
    share = len(failing) / (failing[-1] + 1 - failing[0])
    chance = (1 - share) ** good_at_end
    lasted_s = pairs[failing[-1]][0] - pairs[failing[0]][0]
    return Detection(log_evidence, start, len(failing), len(pairs), lasted_s, lasts=chance > _ENDED)
