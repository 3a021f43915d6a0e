"""What would change the call, in the numbers that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plugins.judge import effects, readings
from plugins.judge.effects import MEDIAN
from plugins.judge.evidence import Evidence
from plugins.judge.lines import limit_of
from plugins.judge.statistics import sample_quantile
from plugins.model.figures import percent, quantity
from plugins.model.result import Result
from plugins.model.runbook import Slo
from plugins.model.verdict import Reason, SloReport
from plugins.model.words import Action, Attribution, Impact, SloVerdict, Status

_NAMED = 3


def flip(evidence: Evidence, action: Action, reasons: Sequence[Reason], slos: Sequence[SloReport]) -> str:
    """What would change the call, or "" where nothing in particular would."""
    numbers = [*_numbers(evidence, reasons, slos)]
    fed = {slo.item for slo in evidence.runbook.slos} if numbers else set()
    fed |= {slo.id for slo in slos}
    others = [reason for reason in reasons if reason.item and reason.item not in fed]
    parts = [_of_items(evidence, action, others or list(reasons))] if others or not numbers else []
    parts += numbers
    parts += _nearly(evidence, action)
    return "; ".join(filter(None, parts))


def _of_items(evidence: Evidence, action: Action, reasons: Sequence[Reason]) -> str:
    what = _named(reasons)
    blamed = {reason.attribution for reason in reasons}
    match action:
        case Action.PROCEED:
            return ""
        case Action.ROLL_BACK:
            tries = max((_tries(evidence.result(reason.item)) for reason in reasons), default=1)
            once = f" in 1 of {tries} tries" if tries > 1 else ""
            return f"{what} passing again{once}, or known to have failed before this deploy"
        case Action.HOLD | Action.FIX_FORWARD:
            told = f"{what} passing again"
            if Attribution.PRE_EXISTING in blamed:
                told += "; a baseline in which it passed would make it this deploy's doing"
            if Attribution.THIRD_PARTY in blamed:
                told += "; still failing once the third party is well would make it this deploy's doing"
            return told
        case Action.INCONCLUSIVE:
            return f"{what} verified in another run"


def _named(reasons: Sequence[Reason]) -> str:
    ids = [reason.item for reason in reasons if reason.item] or ["this phase"]
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _tries(result: Result | None) -> int:
    return len(result.attempts) if result else 1


def _numbers(evidence: Evidence, reasons: Sequence[Reason], slos: Sequence[SloReport]) -> Iterator[str]:
    """For each objective that is a ground of the call, the value at which it would be another one."""
    grounds = {reason.item for reason in reasons}
    for objective, report in zip(evidence.runbook.slos, slos, strict=True):
        if objective.kind == "history" or not {objective.id, objective.item} & grounds:
            continue
        try:
            yield from (_requests if objective.kind == "ratio" else _times)(evidence, objective, report)
        except readings.NotMeasured:
            continue


def _requests(evidence: Evidence, objective: Slo, _: SloReport) -> Iterator[str]:
    """How many failing requests would lie on the other side of the policy's line."""
    line = limit_of(evidence.runbook.policy, None)
    blast = effects.blast_radius(objective, evidence)
    if line is None or line.limit is None or blast is None or blast.before is not None:
        return
    method, sure = readings.method(objective, evidence), evidence.runbook.policy.confidence
    bad, total = blast.bad, blast.total
    over = range(bad + 1, total + 1)
    more = next((n for n in over if method.lower_bound(n, total, sure) >= line.limit), None)
    fewer = next((n for n in range(bad, -1, -1) if method.upper_bound(n, total, sure) < line.limit), None)
    if method.lower_bound(bad, total, sure) >= line.limit:
        most = next(n for n in range(bad, -1, -1) if method.lower_bound(n, total, sure) < line.limit)
        yield f"at most {most:,} of {total:,} requests failing (it is {bad:,})"
        return
    if fewer == bad:
        yield "no request failing"
    elif fewer is not None:
        yield f"at most {fewer:,} of {total:,} requests failing would be for a fix (it is {bad:,})"
    if more is not None:
        yield f"{more:,} of {total:,} would roll back"


def _times(evidence: Evidence, objective: Slo, report: SloReport) -> Iterator[str]:
    """Which response time would meet the objective, and which would be within the policy's line."""
    if objective.quantile is None or report.value is None:
        return
    side = "under" if objective.better == "below" else "over"
    agreed = quantity(objective.objective, objective.unit)
    if report.verdict is not SloVerdict.MET:
        is_now = quantity(report.value, objective.unit)
        yield f"p{objective.quantile * 100:g} {side} {agreed} (it is {is_now})"
    line = limit_of(evidence.runbook.policy, Impact.PERFORMANCE)
    known = readings.series_before(objective, evidence.baseline)
    if line is None or line.limit is None or known is None:
        return
    before = sample_quantile(known[0], MEDIAN)
    after = sample_quantile(readings.series(objective, evidence), MEDIAN)
    at_most = quantity(before * (1 + line.limit), objective.unit)
    yield (
        f"the median clearly under {at_most}, {percent(line.limit)} more than the"
        f" {quantity(before, objective.unit)} before (it is {quantity(after, objective.unit)})"
    )


def _nearly(evidence: Evidence, action: Action) -> Iterator[str]:
    """Flaky items that would have called for a rollback, had they failed once more."""
    if action is Action.ROLL_BACK:
        return
    clauses = {clause.impact for clause in evidence.runbook.policy.roll_back}
    for item, result in evidence.outcomes:
        if result.flaky and item.impact in clauses:
            bad = sum(attempt.status is not Status.PASSED for attempt in result.attempts)
            yield (
                f"one more failing try of {item.id} ({bad} of {len(result.attempts)} failed) would make it a"
                " failure, which rolls back"
            )
