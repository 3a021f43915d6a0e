"""The failing share of a request during a confirmation, by its follow-up sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from kamiyo_verify.judge.slo.lines import strict
from kamiyo_verify.judge.statistics.sequences import shows_below
from kamiyo_verify.judge.statistics.shares import ShareVerdict, verdict_on_outcomes
from kamiyo_verify.model.confirmation import FailingShare

_HALF_BROKEN = 1 / 3
"""The share by which one broken instance of three fails: a larger one is a partial outage."""


def spell_is_over(share: FailingShare, line: float, confidence: float) -> bool:
    """Return whether the failures are one spell, with enough later answers to reject a share of `line`."""
    answers = trailing_answers(share.failed)
    return bool(answers) and in_one_spell(share.failed) and shows_below(0, answers, line, confidence)


def in_one_spell(failed: Sequence[bool]) -> bool:
    """Return whether no request between two failures was answered."""
    return sum(bad for bad, _ in groupby(failed)) <= 1


def counts_after_spell(share: FailingShare) -> tuple[int, int]:
    """Return (failed, total) without the failures at the sample's beginning: their cause may have ended."""
    start = _first_answer(share)
    tail = share.failed[start:]
    return sum(tail), len(tail)


def verdict_after_spell(share: FailingShare, line: float, confidence: float) -> ShareVerdict:
    """Judge on which side of `line` the share lies, without the failures at the sample's beginning."""
    start = _first_answer(share)
    return verdict_on_outcomes(share.offsets_s[start:], share.failed[start:], line, confidence)


def few_with_samples(share: FailingShare, line: float, confidence: float) -> bool:
    """Return whether few requests fail, by the follow-up and the run's other requests to the same endpoint.

    The follow-up by itself must exclude a partial outage of a third, so that other requests, such as those of
    another query, do not dilute it. Together they must exclude twice the line: the effect that must not be
    missed, as for the error rate. Where none failed again, it may have ended: that is not asked here.
    """
    bad, total = counts_after_spell(share)
    others, sent = share.beside
    if not total or not bad + others or not shows_below(bad, total, _HALF_BROKEN, strict(confidence)):
        return False
    return 2 * line < 1 and shows_below(bad + others, total + sent, 2 * line, strict(confidence))


def trailing_answers(failed: tuple[bool, ...]) -> int:
    """Return the number of requests at the end that did not fail."""
    return next((count for count, bad in enumerate(reversed(failed)) if bad), len(failed))


def _first_answer(share: FailingShare) -> int:
    return next((place for place, failed in enumerate(share.failed) if not failed), len(share.failed))
