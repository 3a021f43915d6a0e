"""Intervals for a share that hold at every moment of a sampling at once, so that it may stop when it likes.

Two test martingales stand against a share p. Each is the likelihood of what was seen, averaged over the
prior Beta(1/4, 1) cut off at p, over its likelihood under p: below p it speaks for a smaller share, above p
for a larger one. Under p each starts at 1 and is expected to stay there, so by Ville's inequality it ever
reaches 1 / (1 - confidence) with a probability of at most 1 - confidence. docs/statistics.md has it in full.

Sources: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Statist.
41 (1970); S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", Ann. Statist. 49 (2021); I. Waudby-Smith, A. Ramdas, "Estimating means of bounded
random variables by betting", J. R. Statist. Soc. B 86 (2024).
"""

from __future__ import annotations

import math
from functools import lru_cache

from plugins.judge.method import Method, check_counts, check_share, crossing
from plugins.judge.statistics import samples_needed
from plugins.model.words import SloVerdict

_WEIGHT = 0.25
"""First parameter of the prior. Smaller ones decide sooner when nothing is bad, and later when something is:
against 5 %, 1/4 takes 67 samples with none bad, 135 with one, 183 with two; 1 takes 88, 134 and 174."""

_HUGE = 1e250
_REMEMBERED = 1 << 16


def evidence_below(bad: int, total: int, share: float) -> float:
    """The logarithm of the martingale that speaks for a true share below `share`; 0 where nothing does."""
    if bad >= total * share:
        return 0.0
    under, _ = _halves(bad + _WEIGHT, total - bad + 1, share)
    return math.log(_WEIGHT) - _WEIGHT * math.log(share) + under - _likelihood(bad, total, share)


def evidence_above(bad: int, total: int, share: float) -> float:
    """The logarithm of the martingale that speaks for a true share above `share`; 0 where nothing does."""
    if bad <= total * share:
        return 0.0
    _, over = _halves(bad + _WEIGHT, total - bad + 1, share)
    return math.log(_WEIGHT / (1.0 - share**_WEIGHT)) + over - _likelihood(bad, total, share)


@lru_cache(_REMEMBERED)
def shows_below(bad: int, total: int, share: float, confidence: float) -> bool:
    """Whether the true share lies below `share`, with that confidence over all moments together.

    Raises:
        ValueError: these are no counts, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return evidence_below(bad, total, share) >= -math.log1p(-confidence)


@lru_cache(_REMEMBERED)
def shows_above(bad: int, total: int, share: float, confidence: float) -> bool:
    """Whether the true share lies above `share`, with that confidence over all moments together.

    Raises:
        ValueError: these are no counts, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return evidence_above(bad, total, share) >= -math.log1p(-confidence)


@lru_cache(_REMEMBERED)
def upper_bound(bad: int, total: int, confidence: float) -> float:
    """The share that the true one is below at every moment, with that confidence.

    Raises:
        ValueError: these are no counts, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    if bad == total:
        return 1.0
    # From here on the evidence grows with the share: its derivative is positive there.
    start, enough = (bad + _WEIGHT) / (total + _WEIGHT), -math.log1p(-confidence)
    return crossing(lambda share: evidence_below(bad, total, share) < enough, left=start)


@lru_cache(_REMEMBERED)
def lower_bound(bad: int, total: int, confidence: float) -> float:
    """The share that the true one exceeds at every moment, with that confidence.

    Raises:
        ValueError: these are no counts, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    if bad == 0:
        return 0.0
    enough = -math.log1p(-confidence)
    return crossing(lambda share: evidence_above(bad, total, share) >= enough, right=bad / total)


ANYTIME = Method(lower_bound, upper_bound, shows_below, shows_above)
"""For a sample that a rule ended which looked at it."""


class ProportionSequence:
    """One objective for a share, watched sample by sample; it may be asked after each of them.

    Args:
        objective_share: the share of bad samples to stay below, such as 0.05 for a 95th percentile.
        confidence: that a `met` is right, and likewise that a `breached` is, however often one asks.

    Raises:
        ValueError: a share is not between 0 and 1.
    """

    def __init__(self, objective_share: float, confidence: float) -> None:
        check_share(objective_share)
        check_share(confidence)
        self._share = objective_share
        self._confidence = confidence
        self._bad = 0
        self._total = 0
        self._verdict = SloVerdict.INSUFFICIENT_EVIDENCE

    def update(self, bad: bool) -> SloVerdict:  # noqa: FBT001 - one sample is its whole subject
        """Count one more sample, and say what is known now."""
        self._bad += bad
        self._total += 1
        self._verdict = self._judged()
        return self._verdict

    @property
    def verdict(self) -> SloVerdict:
        """What the samples so far show: the same as `interval`, and as the judge will say of these counts."""
        return self._verdict

    @property
    def interval(self) -> tuple[float, float]:
        """The lower and the upper bound of the true share, each by itself at the confidence."""
        if not self._total:
            return (0.0, 1.0)
        counts = (self._bad, self._total, self._confidence)
        return (lower_bound(*counts), upper_bound(*counts))

    @property
    def samples_needed(self) -> int | None:
        """How many there must be in all to call it met if no further one is bad; None if decided."""
        if self._verdict is not SloVerdict.INSUFFICIENT_EVIDENCE:
            return None
        return samples_needed(self._bad, self._share, self._confidence, ANYTIME)

    def _judged(self) -> SloVerdict:
        counts = (self._bad, self._total, self._share, self._confidence)
        if shows_below(*counts):
            return SloVerdict.MET
        return SloVerdict.BREACHED if shows_above(*counts) else SloVerdict.INSUFFICIENT_EVIDENCE


def _likelihood(bad: int, total: int, share: float) -> float:
    return bad * math.log(share) + (total - bad) * math.log1p(-share)


def _halves(first: float, second: float, at: float) -> tuple[float, float]:
    """The logarithms of the beta function's two incomplete parts, from 0 to `at` and from there to 1."""
    whole = math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)
    if at < 0.5:
        under = _part(first, second, at)
        return under, _rest(whole, under)
    over = _part(second, first, 1.0 - at)
    return _rest(whole, over), over


def _part(first: float, second: float, at: float) -> float:
    """The logarithm of the incomplete beta function, by a series all of whose terms are positive.

    DLMF 8.17.8: at^first (1 - at)^second / first times 2F1(first + second, 1; first + 1; at).
    """
    term = tally = 1.0
    scale = 0.0
    count = 0
    while term > tally * 1e-17:
        term *= (first + second + count) / (first + 1 + count) * at
        tally += term
        count += 1
        if tally > _HUGE:
            term, tally, scale = term / _HUGE, tally / _HUGE, scale + math.log(_HUGE)
    lead = first * math.log(at) + second * math.log1p(-at) - math.log(first)
    return lead + math.log(tally) + scale


def _rest(whole: float, part: float) -> float:
    """log(e^whole - e^part), where the difference is no small part of the whole."""
    return whole + math.log1p(-math.exp(min(part - whole, -1e-16)))
