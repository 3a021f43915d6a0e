"""Intervals for a share that hold at all moments of a sampling jointly, so that it may stop at any time.

Two test martingales give evidence against a share p. Each is the likelihood of the sample averaged over other
shares, divided by its likelihood under p: over shares below p it supports a smaller share, over shares above
p a larger one. Under p each starts at 1 and its expected value stays 1, so by Ville's inequality it reaches
1 / (1 - confidence) with a probability of at most 1 - confidence. docs/statistics.md explains it in full.

Below p the average is taken over the prior Beta(1/4, 1), cut off at p. Above p it is a mixture: a fifth is
the same prior, which finds large shares after a few requests; four fifths are Beta(1, 20), which has its mass
near small lines and finds shares of twice the line.

Sources: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Statist.
41 (1970); S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", Ann. Statist. 49 (2021); I. Waudby-Smith, A. Ramdas, "Estimating means of bounded
random variables by betting", J. R. Statist. Soc. B 86 (2024).
"""

from __future__ import annotations

import math
from functools import lru_cache

from kamiyo_verify.judge.statistics.beta import log_power, log_tails
from kamiyo_verify.judge.statistics.exact import samples_needed
from kamiyo_verify.judge.statistics.method import Method, check_counts, check_share, crossing, manageable
from kamiyo_verify.model.words import SloVerdict

_WEIGHT = 0.25
"""First parameter of the prior. Smaller ones decide sooner if no sample is bad, and later if some are:
against 5 %, 1/4 takes 67 samples with none bad, 135 with one, 182 with two; 1 takes 88, 134 and 174."""

_NEAR = 0.8
"""Weight of the part near the line. At a true 10 % against a line of 5 % the median number of requests to a
decision is 147; it is 172 without this part. With nothing else it would be 147 too, but a request that always
fails would take 4 samples instead of 2."""

_STEEP = 20.0
"""Second parameter of that part: its mean is 1/21, as far above a line of 5 % as the line is above 0. A line
of more than 1/20 takes its own reciprocal instead."""


def evidence_below(bad: float, total: float, share: float) -> float:
    """Return the logarithm of the evidence for a true share below `share`; 0 if there is none."""
    return log_below(bad, total, share) if bad < total * share else 0.0


def evidence_above(bad: float, total: float, share: float) -> float:
    """Return the logarithm of the evidence for a true share above `share`; 0 if there is none."""
    return log_above(bad, total, share) if bad > total * share else 0.0


def log_below(bad: float, total: float, share: float) -> float:
    """Return the logarithm of the martingale against `share` that bets on smaller shares."""
    first, second = bad + _WEIGHT, total - bad + 1
    under = log_tails(first, second, share)[0]
    return math.log(_WEIGHT) + under + math.log1p(-share) - log_power(first, second, share)


def log_above(bad: float, total: float, share: float) -> float:
    """Return the logarithm of the martingale against `share` that bets on larger shares."""
    far = math.log(1 - _NEAR) + _far_above(bad, total, share)
    near = math.log(_NEAR) + _near_above(bad, total, share)
    return max(far, near) + math.log1p(math.exp(-abs(far - near)))


def _far_above(bad: float, total: float, share: float) -> float:
    first, second = bad + _WEIGHT, total - bad + 1
    scale = math.log(_WEIGHT) - math.log(-math.expm1(_WEIGHT * math.log(share)))
    likelihood = _WEIGHT * math.log(share) + math.log1p(-share) - log_power(first, second, share)
    return scale + log_tails(first, second, share)[1] + likelihood


def _near_above(bad: float, total: float, share: float) -> float:
    steep = min(_STEEP, 1 / share)
    first, second = bad + 1, total - bad + steep
    likelihood = math.log(share) - log_power(first, second, share)
    return math.log(steep) + log_tails(first, second, share)[1] + likelihood


@lru_cache(1 << 16)
def shows_below(bad: float, total: float, share: float, confidence: float) -> bool:
    """Return whether the true share lies below `share`, with that confidence at all moments jointly.

    Raises:
        ValueError: the counts are invalid, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return evidence_below(*manageable(bad, total), share) >= -math.log1p(-confidence)


@lru_cache(1 << 16)
def shows_above(bad: float, total: float, share: float, confidence: float) -> bool:
    """Return whether the true share lies above `share`, with that confidence at all moments jointly.

    Raises:
        ValueError: the counts are invalid, or a share is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    check_share(share)
    return evidence_above(*manageable(bad, total), share) >= -math.log1p(-confidence)


@lru_cache(1 << 16)
def upper_bound(bad: float, total: float, confidence: float) -> float:
    """Return the upper bound of the true share at every moment, with that confidence.

    Raises:
        ValueError: the counts are invalid, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    bad, total = manageable(bad, total)
    # From here on the evidence increases with the share: its derivative is positive.
    start, enough = (bad + _WEIGHT) / (total + _WEIGHT), -math.log1p(-confidence)
    return crossing(lambda share: evidence_below(bad, total, share) < enough, left=start)


@lru_cache(1 << 16)
def lower_bound(bad: float, total: float, confidence: float) -> float:
    """Return the lower bound of the true share at every moment, with that confidence.

    Raises:
        ValueError: the counts are invalid, or the confidence is not between 0 and 1.
    """
    check_counts(bad, total, confidence)
    if not bad:
        return 0.0
    bad, total = manageable(bad, total)
    enough = -math.log1p(-confidence)
    return crossing(lambda share: evidence_above(bad, total, share) >= enough, right=bad / total)


ANYTIME = Method(lower_bound, upper_bound, shows_below, shows_above)
"""For a sample that a rule ended after evaluating its data."""


class ProportionSequence:
    """One objective for a share, evaluated sample by sample; a verdict is available after each of them.

    Args:
        objective_share: the share of bad samples to stay below, such as 0.05 for a 95th percentile.
        confidence: confidence that `met` is right, and that `breached` is, however often they are read.

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
        """Count one more sample and return the new verdict."""
        self._bad += bad
        self._total += 1
        self._verdict = self._judged()
        return self._verdict

    @property
    def verdict(self) -> SloVerdict:
        """Return the verdict on the samples so far; it agrees with `interval` and with the judge."""
        return self._verdict

    @property
    def interval(self) -> tuple[float, float]:
        """Return the lower and the upper bound of the true share, each one-sided at the confidence."""
        if not self._total:
            return (0.0, 1.0)
        counts = (self._bad, self._total, self._confidence)
        return (lower_bound(*counts), upper_bound(*counts))

    @property
    def samples_needed(self) -> int | None:
        """Return the total number of samples needed for `met` if no further one is bad; None if decided."""
        if self._verdict is not SloVerdict.INSUFFICIENT_EVIDENCE:
            return None
        return samples_needed(self._bad, self._share, self._confidence, ANYTIME)

    def _judged(self) -> SloVerdict:
        counts = (self._bad, self._total, self._share, self._confidence)
        if shows_below(*counts):
            return SloVerdict.MET
        return SloVerdict.BREACHED if shows_above(*counts) else SloVerdict.INSUFFICIENT_EVIDENCE
