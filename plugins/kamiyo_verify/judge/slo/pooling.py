"""Judge an objective by this run's samples and those of earlier runs of the same commit together.

A team may run the verification again until it likes the result. Judged each time by its own samples alone,
a bad commit would be called "met" sooner or later. So the samples of all runs since the deployment began are
added up, and judged by a method that holds however often it was evaluated (`sequences`). Another run adds
evidence, and takes none away.

Requests that fail in a row are one event (`spells`), and so are the failures of one bad run among good ones.
Both bounds are kept on the safe side:

- the upper bound, which shows that the objective is met, scales all counts by the largest design effect, so
  that clean runs, which show no clustering, do not outweigh the others;
- the lower bound, which shows that it is breached, scales the counts of each run by its own design effect,
  so that a run with an outage does not weigh more than it should.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.earlier import Counted, counted, on_the_release
from kamiyo_verify.judge.slo.estimates import Estimate, words
from kamiyo_verify.judge.statistics.exact import first_count
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.judge.statistics.spells import effect_between
from kamiyo_verify.model.figures import counted as count_of
from kamiyo_verify.model.runbook import Slo

_SHOWN_EFFECT = 1.5
"""The design effect from which on the report says that failures come in spells."""


def this_run_alone(evidence: Evidence) -> Evidence:
    """Return the evidence without the samples of earlier runs."""
    return replace(evidence, earlier=None)


def pooled(slo: Slo, evidence: Evidence, own: Estimate) -> Estimate | None:
    """Return the estimate by all runs of this commit; None if this run is judged by itself.

    Where earlier runs are not known, the estimate is this run's own, and says so.

    Args:
        slo: the objective.
        evidence: the evidence of this run, with the samples of the earlier ones.
        own: the estimate by this run's samples alone.
    """
    earlier = evidence.earlier
    if slo.kind != "ratio" or earlier is None:
        return None
    if earlier.unknown:
        return replace(
            own, source=f"{own.source}; earlier runs of this commit are not known: {earlier.unknown}"
        )
    result = evidence.result(slo.item)
    ours = counted(slo, result.measurements) if result else None
    if ours is None or not on_the_release(evidence.runbook, slo, evidence.serving):
        return None
    samples = [one for one in earlier.samples if one.objective == slo.id]
    runs = (*(Counted(one.bad, one.total, one.effect) for one in samples), ours)
    confidence = evidence.runbook.policy.confidence
    allowed = slo.objective if slo.better == "below" else 1 - slo.objective
    bad, total, effect = _together(runs)
    lower = ANYTIME.lower_bound(*_by_run(runs), confidence)
    upper = max(lower, ANYTIME.upper_bound(bad / effect, total / effect, confidence))
    value = bad / total
    if slo.better == "above":
        value, lower, upper = 1 - value, 1 - upper, 1 - lower
    more = _more_to_meet(runs, allowed, confidence) if 0 < allowed < 1 else None
    return replace(
        own,
        value=value,
        lower=lower,
        upper=upper,
        samples=total,
        bad=bad,
        needed=None if more is None else total + more,
        watched=True,
        source=f"our own sampling: {total:,} {words(slo.total)}",
        seen=_seen(slo, runs, samples[0].began_at if samples else "", own),
        runs=len(runs),
        until=_more_to_recover(runs, allowed, confidence) if samples and 0 < allowed < 1 else None,
    )


def _together(runs: Sequence[Counted]) -> tuple[int, int, float]:
    """Return the bad events, all events, and the largest design effect within a run or between runs."""
    bad, total = [run.bad for run in runs], [run.total for run in runs]
    return sum(bad), sum(total), max(effect_between(bad, total), *(run.effect for run in runs))


def _by_run(runs: Sequence[Counted]) -> tuple[float, float]:
    """Return the bad events and all events, each run scaled by its own design effect."""
    return sum(run.bad / run.effect for run in runs), sum(run.total / run.effect for run in runs)


@lru_cache(1 << 10)
def _more_to_meet(runs: tuple[Counted, ...], allowed: float, confidence: float) -> int | None:
    """Return how many more events without a bad one show that the objective is met."""
    bad, total, effect = _together(runs)
    return first_count(
        1, None, lambda more: ANYTIME.shows_below(bad / effect, (total + more) / effect, allowed, confidence)
    )


@lru_cache(1 << 10)
def _more_to_recover(runs: tuple[Counted, ...], allowed: float, confidence: float) -> int | None:
    """Return after how many more events without a bad one the objective is no longer breached."""
    bad, total = _by_run(runs)
    return first_count(1, None, lambda more: not ANYTIME.shows_above(bad, total + more, allowed, confidence))


def _seen(slo: Slo, runs: Sequence[Counted], since: str, own: Estimate) -> str:
    ours, (bad, total, effect) = runs[-1], _together(runs)
    if not since and (bad, total) == (own.bad, own.samples):
        return own.seen
    description = f"{bad:,} {words(slo.measurement)} in {total:,} {words(slo.total)}"
    if not since:
        return f"{description} of two samples"
    began = datetime.fromisoformat(since).astimezone(UTC)
    worth = f"; failures come in spells: worth {total / effect:,.0f} independent ones"
    return (
        f"{description} in {count_of(len(runs), 'run')} of this commit since {began:%H:%M} UTC"
        f" (this run: {ours.bad:,} in {ours.total:,}{worth if effect >= _SHOWN_EFFECT else ''})"
    )
