"""Rules that go by numbers: the share of requests that fail, and how much slower they have become.

Both are judged by their intervals. Over the policy's line it no longer spares the deployment; under it, it
does; and an interval that has the line inside is a person's call, once something is known to be wrong at all.

For slowness the objective has a say too:

    against the line    objective met       not decided         breached
    over                fix forward         a person's call     roll back
    straddling          a person's call     a person's call     a person's call
    under               proceed             proceed             fix forward

The line is drawn at the median. The objective's own quantile speaks where it is clearly over the line: its
interval is too wide to call anybody for less, and the objective judges it besides. What adds less than a
twentieth of the objective is no slowdown, however many times the old value it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from plugins.judge import effects, slo
from plugins.judge.effects import MEDIAN, Blast, Slowdown
from plugins.judge.evidence import Evidence
from plugins.judge.finding import Finding
from plugins.judge.lines import Side, limit_of, side
from plugins.model.figures import percent
from plugins.model.runbook import Clause, Slo
from plugins.model.verdict import Reason, SloReport
from plugins.model.words import Action, Attribution, Impact, SloVerdict

_SHOWN = 3

_FELT = 0.05
"""Of the objective: nobody feels less. Twice next to nothing is still next to nothing."""


def errors_reach_many(evidence: Evidence) -> Finding | None:
    """So large a share of failing requests is core functionality gone, whatever else still answers."""
    clause = next((one.text for one in evidence.runbook.policy.roll_back if one.impact is Impact.CORE), "")
    reasons = tuple(
        _reason(evidence, objective, clause, _told(evidence, objective, blast, line, "over"))
        for objective, blast, line, where in _blasts(evidence)
        if where is Side.OVER
    )
    return _finding(Action.ROLL_BACK, "requests fail for too many", reasons) if clause else None


def slower_by_far(evidence: Evidence) -> Finding | None:
    """Slower than the policy spares, and slower than was agreed."""
    reasons = tuple(
        _reason(evidence, objective, "", _slower(worst, line, "over", objective, report))
        for objective, worst, line, where, report in _slowdowns(evidence)
        if where is Side.OVER and report.verdict is SloVerdict.BREACHED
    )
    return _finding(Action.ROLL_BACK, "it has become far slower", reasons)


def a_persons_call(evidence: Evidence) -> Finding | None:
    """Something is wrong, and the numbers do not say on which side of the policy's line."""
    reasons = [
        _reason(evidence, objective, "", _told(evidence, objective, blast, line, "on both sides of"))
        for objective, blast, line, where in _blasts(evidence)
        if where is Side.STRADDLING
    ]
    for objective, worst, line, where, report in _slowdowns(evidence):
        if where is Side.STRADDLING:
            message = _slower(worst, line, "on both sides of", objective, report)
            reasons.append(_reason(evidence, objective, "", message))
        elif where is Side.OVER and report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE:
            message = _slower(worst, line, "over", objective, report)
            reasons.append(_reason(evidence, objective, "", message))
    headline = "a person's call: the numbers do not settle on which side of the policy's line it is"
    return _finding(Action.INCONCLUSIVE, headline, tuple(reasons))


def slower_within_objective(evidence: Evidence) -> Finding | None:
    """Slower than the policy spares, and still as fast as was agreed: worth a repair, not a rollback."""
    reasons = tuple(
        _reason(evidence, objective, "", _slower(worst, line, "over", objective, report))
        for objective, worst, line, where, report in _slowdowns(evidence)
        if where is Side.OVER and report.verdict is SloVerdict.MET
    )
    return _finding(Action.FIX_FORWARD, "it has become slower, within its objective", reasons)


def _blasts(evidence: Evidence) -> Iterator[tuple[Slo, Blast, Clause, Side]]:
    """Each breached objective for a share that can be held against the policy's line, and its side of it."""
    line = limit_of(evidence.runbook.policy, None)
    for objective, report in _reports(evidence, "ratio"):
        users = slo.users_judged(objective, evidence)
        blast = (users and effects.users_blast(users, evidence)) or effects.blast_radius(objective, evidence)
        if line is None or line.limit is None or blast is None or blast.interval[0] <= 0:
            continue
        if report.verdict is SloVerdict.BREACHED:
            yield objective, blast, line, side(blast.interval, line.limit)


def _slowdowns(evidence: Evidence) -> Iterator[tuple[Slo, Slowdown, Clause, Side, SloReport]]:
    """Each objective for a quantile that is slower than before for sure, and its side of the line."""
    line = limit_of(evidence.runbook.policy, Impact.PERFORMANCE)
    for objective, report in _reports(evidence, "quantile"):
        for slower in effects.slowdowns(objective, evidence):
            if line is None or line.limit is None or not slower.shown:
                continue
            if slower.added < _FELT * objective.objective:
                continue
            where = side(slower.interval, 1 + line.limit)
            if where is Side.OVER or (slower.quantile == MEDIAN and where is Side.STRADDLING):
                yield objective, slower, line, where, report


def _reports(evidence: Evidence, kind: str) -> Iterator[tuple[Slo, SloReport]]:
    reports = {report.id: report for report in slo.judge(evidence)}
    for objective in evidence.runbook.slos:
        if objective.kind == kind:
            yield objective, reports[objective.id]


def _told(evidence: Evidence, objective: Slo, blast: Blast, line: Clause, where: str) -> str:
    result = evidence.result(objective.item)
    shares = effects.by_endpoint(result.exchanges if result else (), evidence.runbook.policy.confidence)
    worst = [f"{endpoint} {share.bad:,} of {share.total:,}" for endpoint, share in shares if share.bad]
    ends = f"; by endpoint: {', '.join(worst[:_SHOWN])}" if worst else ""
    return f"{blast}, {where} the policy's line ({line.text}){ends}"


def _slower(slower: Slowdown, line: Clause, where: str, objective: Slo, report: SloReport) -> str:
    share = percent(line.limit or 0.0)
    return (
        f"{slower}, {where} the policy's line of {share} more;"
        f" {objective.title}: {report.verdict.replace('_', ' ')} ({report.message})"
    )


def _reason(evidence: Evidence, objective: Slo, clause: str, message: str) -> Reason:
    item = evidence.item(objective.item)
    return Reason(item.id, item.impact, Attribution.INTRODUCED, clause, message)


def _finding(action: Action, headline: str, reasons: tuple[Reason, ...]) -> Finding | None:
    return Finding(action, headline, reasons) if reasons else None
