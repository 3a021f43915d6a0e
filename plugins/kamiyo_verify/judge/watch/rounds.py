"""From the evidence and the verdict of one round to its record: outcomes, not conclusions.

The tests of a round's own verdict have a fixed size, and are not believed by themselves. What a round says of
an item without a failed request (rows gone, users' own numbers, a slowdown) counts as one bad outcome of that
item: without a regression it occurs in at most 5 % of rounds, so it is proven over several.
"""

from __future__ import annotations

from collections.abc import Iterator

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.confirmation.confirmed import limit
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.lines import limit_of, strict
from kamiyo_verify.judge.slo.readings import (
    OUTCOMES,
    SENT_AT,
    NotMeasured,
    counts_before,
    series,
    series_before,
)
from kamiyo_verify.judge.statistics.endpoints import error_series
from kamiyo_verify.judge.statistics.exact import quantile_bounds
from kamiyo_verify.judge.watch.limits import limited
from kamiyo_verify.judge.watch.tries import seconds_of, tries_of
from kamiyo_verify.model.history.watch import Line, RoundGround, RoundRecord, RoundSeries, SeriesKind
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item, Slo
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Attribution, Impact, Status
from kamiyo_verify.model.writing.text import cut

_ELSEWHERE = {Attribution.PROBER, Attribution.THIRD_PARTY, Attribution.PRE_EXISTING}
_LONGEST_TEXT = 240
_FELT = 0.05
"""Share of the objective by which a request must be slower than before."""


def without_verdict(number: int, started_at: str, finished_at: str, why: str) -> RoundRecord:
    """Return the record of a round that left no evidence."""
    return RoundRecord(number=number, started_at=started_at, finished_at=finished_at, call=None, headline=why)


def record_of(number: int, evidence: Evidence, verdict: Verdict, cut_short: str = "") -> RoundRecord:
    """Return the record of a round.

    Args:
        number: from 1.
        evidence: the judge's input of that round.
        verdict: its own verdict.
        cut_short: why the round has no verdict of its own, although it left evidence; "" if it has.
    """
    evidence = attributed(evidence)
    grounds = () if cut_short else _grounds(evidence, verdict)
    items = _items(evidence, verdict, grounds)
    found = (*items, *_objectives(evidence, verdict), *_endpoints(evidence, verdict))
    return RoundRecord(
        number=number,
        started_at=evidence.started_at,
        finished_at=evidence.finished_at,
        call=None if cut_short else verdict.recommendation,
        headline=cut_short or verdict.headline,
        grounds=grounds,
        outages=() if cut_short else tuple(str(one) for one in verdict.outages if one.ended),
        series=tuple(limited(evidence, one) for one in found),
    )


def _grounds(evidence: Evidence, verdict: Verdict) -> tuple[RoundGround, ...]:
    """The verdict's reasons; each asks for a rollback only if the verdict and its own clause do."""
    if verdict.recommendation not in {Action.ROLL_BACK, Action.FIX_FORWARD}:
        return ()
    clauses = {clause.text for clause in evidence.runbook.policy.roll_back}
    found = []
    for reason in verdict.reasons:
        if reason.attribution in _ELSEWHERE or evidence.runbook.item(reason.item) is None:
            continue
        backwards = verdict.recommendation is Action.ROLL_BACK and reason.clause in clauses
        action = Action.ROLL_BACK if backwards else Action.FIX_FORWARD
        found.append(RoundGround(reason.item, action, cut(reason.message, _LONGEST_TEXT)))
    return tuple(found)


def _items(evidence: Evidence, verdict: Verdict, grounds: tuple[RoundGround, ...]) -> Iterator[RoundSeries]:
    grounded = {ground.item for ground in grounds}
    feeding = {slo.item for slo in evidence.runbook.slos}
    blamed = {item.id: item.attribution for item in verdict.items}
    for item, result in evidence.outcomes:
        pairs = [] if item.id in feeding else tries_of(result)
        if item.id in grounded and not any(bad for _, bad in pairs):
            pairs = [(seconds_of(result.started_at or evidence.started_at), True)]
        elif item.id in feeding and result.status in {Status.PASSED, Status.FAILED}:
            pairs = [(seconds_of(result.started_at or evidence.started_at), False)]
        if result.attribution is Attribution.PROBER or not pairs:
            continue
        yield RoundSeries(
            kind=SeriesKind.ITEM,
            key=f"item {item.id}",
            item=item.id,
            lines=(Line(limit(evidence), Action.FIX_FORWARD),),
            judged=blamed.get(item.id) not in _ELSEWHERE,
            text=f"{item.title} fails",
            times_s=tuple(at for at, _ in pairs),
            failed=tuple(bad for _, bad in pairs),
        )


def _objectives(evidence: Evidence, verdict: Verdict) -> Iterator[RoundSeries]:
    blamed = {item.id: item.attribution for item in verdict.items}
    for slo in evidence.runbook.slos:
        result = evidence.result(slo.item) if slo.item else None
        if slo.better != "below" or result is None or result.attribution is Attribution.PROBER:
            continue
        judged = blamed.get(slo.item) not in _ELSEWHERE
        if slo.kind == "ratio":
            yield from _share(evidence, slo, result, judged=judged)
        elif slo.kind == "quantile" and slo.quantile is not None:
            yield from _times(evidence, slo, slo.quantile, judged=judged)


def _share(evidence: Evidence, slo: Slo, result: Result, *, judged: bool) -> Iterator[RoundSeries]:
    sent, outcomes = result.measurement(SENT_AT), result.measurement(OUTCOMES)
    if sent is None or outcomes is None:
        return
    if not (isinstance(sent.value, tuple) and isinstance(outcomes.value, tuple)):
        return
    before = counts_before(slo, evidence.baseline)
    added = (
        before[2].upper_bound(*before[:2], strict(evidence.runbook.policy.confidence))
        if before and before[0]
        else 0.0
    )
    lines = (
        Line(limit(evidence) + added, Action.ROLL_BACK),
        Line(slo.objective + added, Action.FIX_FORWARD),
    )
    began = seconds_of(evidence.started_at)
    yield RoundSeries(
        kind=SeriesKind.SHARE,
        key=f"objective {slo.id}",
        item=slo.item,
        lines=tuple(one for one in lines if 0 < one.share < 1),
        judged=judged,
        text=f"{slo.title}: requests fail",
        times_s=tuple(began + offset for offset in sent.value),
        failed=tuple(bool(one) for one in outcomes.value),
    )


def _times(evidence: Evidence, slo: Slo, quantile: float, *, judged: bool) -> Iterator[RoundSeries]:
    try:
        taken = series(slo, evidence)
    except NotMeasured:
        return
    began = seconds_of(evidence.started_at)
    each_s = max(0.0, seconds_of(evidence.finished_at) - began) / len(taken)
    times_s = tuple(began + place * each_s for place in range(len(taken)))

    def of(kind: SeriesKind, line: Line, threshold: float, text: str) -> RoundSeries:
        return RoundSeries(
            kind=kind,
            key=f"{kind} {slo.id}",
            item=slo.item,
            lines=(line,),
            judged=judged,
            text=f"{slo.title}: requests take {text}",
            times_s=times_s,
            failed=tuple(one >= threshold for one in taken),
        )

    yield of(
        SeriesKind.SLOW,
        Line(1 - quantile, Action.FIX_FORWARD),
        slo.objective,
        f"{slo.objective:g} {slo.unit} or longer",
    )
    before, clause = (
        series_before(slo, evidence.baseline),
        limit_of(evidence.runbook.policy, Impact.PERFORMANCE),
    )
    if before is None or clause is None or clause.limit is None:
        return
    usual = quantile_bounds(before[0], 0.5, strict(evidence.runbook.policy.confidence), before[1])[1]
    if usual is not None:
        threshold = max(usual * (1 + clause.limit), usual + _FELT * slo.objective)
        description = (
            f"{threshold:.0f} {slo.unit} or longer, over the policy's line against {usual:.0f} before"
        )
        yield of(SeriesKind.SLOWER, Line(0.5, Action.ROLL_BACK), threshold, description)


def _endpoints(evidence: Evidence, verdict: Verdict) -> Iterator[RoundSeries]:
    """Each endpoint; a failing item that asks it is judged by its own clause instead."""
    counting = {slo.item for slo in evidence.runbook.slos}
    reports = {item.id: item for item in verdict.items}
    clauses = {clause.impact for clause in evidence.runbook.policy.roll_back}
    for one in error_series(evidence):
        items = [item for item, _ in evidence.outcomes if item.id in one.items]
        owners = [item for item in items if item.id not in counting]
        item = min(owners or items, key=lambda each: [*Impact].index(each.impact))
        found = [reports[each.id] for each in items if each.id in reports]
        owned = any(reports[each.id].status is Status.FAILED for each in owners if each.id in reports)
        action = Action.ROLL_BACK if _impact(item) in clauses else Action.FIX_FORWARD
        yield RoundSeries(
            kind=SeriesKind.ENDPOINT,
            key=f"endpoint {one.origin} {one.endpoint}",
            item=item.id,
            lines=(Line(limit(evidence), action),),
            judged=not owned and not any(each.attribution in _ELSEWHERE for each in found),
            text=f"{one.endpoint} fails",
            times_s=tuple(one.times_s),
            failed=tuple(one.failed),
        )


def _impact(item: Item) -> Impact:
    return Impact.CORE if item.impact in {Impact.DATA, Impact.SECURITY} else item.impact
