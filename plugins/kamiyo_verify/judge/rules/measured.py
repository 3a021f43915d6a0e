"""Rules based on numbers: the share of failing requests, and the slowdown.

Both are judged by their intervals, never by a point estimate. Over the policy's line the deployment may be
rolled back; under it the policy keeps the deployment. If the line lies inside the interval, a person decides,
unless both sides of the line lead to keeping the deployment. They look at this run alone: what failed in an
earlier run of this commit, and ended, is no ground for a rollback.

For failing requests, twice the line is the effect that must not be missed. If the interval excludes it and
contains the line, no rollback is needed: the objective is breached, which requires a fix. No run can send
enough requests to distinguish 4 % from 5 %.

For slowness the objective counts too:

    against the line    objective met       not decided         breached
    over                fix forward         a person's call     roll back
    straddling          see below           a person's call     a person's call
    under               proceed             proceed             fix forward

Within its objective no slowdown requires a rollback, so a straddling interval is no reason to stop: it
requires a fix if at least half of the policy's line is certain (25 % slower if the line is 50 %), otherwise
nothing.

The line applies to the typical slowdown. The objective's own quantile counts only if it is clearly over the
line: its interval is too wide for smaller effects, and the objective judges it as well. An increase of
certainly less than a twentieth of the objective is not a slowdown, whatever its ratio to the old value.
"""

from __future__ import annotations

from collections.abc import Iterator

from kamiyo_verify.judge.confirmation.confirmed import FailureState, reading
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules import effects
from kamiyo_verify.judge.rules.effects import MEDIAN, Blast, Slowdown
from kamiyo_verify.judge.rules.endpoints import explained
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.judge.slo.lines import Side, limit_of, side
from kamiyo_verify.judge.slo.pooling import this_run_alone
from kamiyo_verify.model.figures import percent
from kamiyo_verify.model.policy import Clause
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Attribution, Impact, SloVerdict

_SHOWN = 3
_WHERE = {Side.OVER: "over", Side.STRADDLING: "on both sides of", Side.UNDER: "under"}

_FELT = 0.05
"""Share of the objective: users do not notice a smaller increase, even if it doubles a short time."""


def errors_reach_many(evidence: Evidence) -> Finding | None:
    """Find shares of failing requests so large that core functionality is lost, whatever else answers."""
    clause = evidence.runbook.policy.silence_clause
    reasons = tuple(
        _reason(evidence, objective, clause.text, _describe(evidence, objective, blast, line, "over"), blast)
        for objective, blast, line, where in _blasts(evidence)
        if where is Side.OVER and clause is not None and not _unconfirmed(evidence, objective)
    )
    return _finding(Action.ROLL_BACK, "requests fail for too many", reasons)


def slower_by_far(evidence: Evidence) -> Finding | None:
    """Find slowdowns beyond the policy's limit that also breach the objective."""
    reasons = tuple(
        _reason(evidence, objective, "", _slower(worst, line, "over", objective, report), worst)
        for objective, worst, line, where, report in _slowdowns(evidence)
        if where is Side.OVER
        and report.verdict is SloVerdict.BREACHED
        and not _unconfirmed(evidence, objective)
    )
    return _finding(Action.ROLL_BACK, "it has become far slower", reasons)


def a_persons_call(evidence: Evidence) -> Finding | None:
    """Find effects whose interval has the policy's line inside, so that a person must decide."""
    reasons = [
        _reason(evidence, objective, "", _describe(evidence, objective, blast, line, _WHERE[where]), blast)
        for objective, blast, line, where in _blasts(evidence)
        if where is Side.STRADDLING
    ]
    for objective, worst, line, where, report in _slowdowns(evidence):
        if where is Side.STRADDLING and report.verdict is not SloVerdict.MET:
            message = _slower(worst, line, "on both sides of", objective, report)
            reasons.append(_reason(evidence, objective, "", message, worst))
        elif where is Side.OVER and report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE:
            message = _slower(worst, line, "over", objective, report)
            reasons.append(_reason(evidence, objective, "", message, worst))
    headline = "a person's call: the numbers do not settle on which side of the policy's line it is"
    return _finding(Action.INCONCLUSIVE, headline, tuple(reasons))


def not_confirmed(evidence: Evidence) -> Finding | None:
    """Find effects over the policy's line that were not seen again, as the run had no time to."""
    found: list[tuple[Slo, str, Blast | Slowdown]] = [
        (objective, _describe(evidence, objective, blast, line, "over"), blast)
        for objective, blast, line, where in _blasts(evidence)
        if where is Side.OVER
    ]
    found += [
        (objective, _slower(worst, line, "over", objective, report), worst)
        for objective, worst, line, where, report in _slowdowns(evidence)
        if where is Side.OVER and report.verdict is SloVerdict.BREACHED
    ]
    reasons = tuple(
        _reason(evidence, objective, "", f"{description}; {why}", effect)
        for objective, description, effect in found
        if (why := _unconfirmed(evidence, objective))
    )
    return _finding(Action.INCONCLUSIVE, "an effect over the policy's line was not confirmed", reasons)


def slower_within_objective(evidence: Evidence) -> Finding | None:
    """Find slowdowns beyond the policy's limit that meet the objective: repair, no rollback."""
    reasons = tuple(
        _reason(evidence, objective, "", _slower(worst, line, _WHERE[where], objective, report), worst)
        for objective, worst, line, where, report in _slowdowns(evidence)
        if report.verdict is SloVerdict.MET and (where is Side.OVER or _half_way(worst, line))
    )
    return _finding(Action.FIX_FORWARD, "it has become slower, within its objective", reasons)


def _unconfirmed(evidence: Evidence, objective: Slo) -> str:
    """Return why a second sample did not confirm the first; "" if it did, or if none was due."""
    result = evidence.result(objective.item)
    found = reading(evidence, result) if result else None
    return found.message if found is not None and found.standing is FailureState.INCOMPLETE else ""


def _half_way(slower: Slowdown, line: Clause) -> bool:
    """Return whether at least half of the slowdown at the policy's line is certain."""
    return slower.interval[0] is not None and slower.interval[0] >= 1 + (line.limit or 0.0) / 2


def _blasts(evidence: Evidence) -> Iterator[tuple[Slo, Blast, Clause, Side]]:
    """Yield each breached share objective that the policy's line applies to, and its side of the line."""
    line, evidence = limit_of(evidence.runbook.policy, None), this_run_alone(evidence)
    for objective, report in _reports(evidence, "ratio"):
        users = slo.users_judged(objective, evidence)
        blast = (users and effects.users_blast(users, evidence)) or effects.blast_radius(objective, evidence)
        if line is None or line.limit is None or blast is None or blast.interval[0] <= 0:
            continue
        where = side(blast.interval, line.limit)
        if where is Side.STRADDLING and (
            blast.most < 2 * line.limit or explained(evidence, objective.item, blast.bad)
        ):
            continue
        if report.verdict is SloVerdict.BREACHED:
            yield objective, blast, line, where


def _slowdowns(evidence: Evidence) -> Iterator[tuple[Slo, Slowdown, Clause, Side, SloReport]]:
    """Yield each quantile objective that is certainly slower than before, and its side of the line."""
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


def _describe(evidence: Evidence, objective: Slo, blast: Blast, line: Clause, where: str) -> str:
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


def _reason(
    evidence: Evidence, objective: Slo, clause: str, message: str, effect: Blast | Slowdown
) -> Reason:
    """Return the reason; an effect that is measured against the time before has no unknown past."""
    item = evidence.item(objective.item)
    result = evidence.result(item.id)
    compared = isinstance(effect, Slowdown) or effect.before is not None
    blamed: Attribution | None = (result and result.attribution) or Attribution.UNKNOWN
    if compared and blamed is Attribution.UNKNOWN:
        blamed = None
    return Reason(item.id, item.impact, blamed, clause, message)


def _finding(action: Action, headline: str, reasons: tuple[Reason, ...]) -> Finding | None:
    return Finding(action, headline, reasons) if reasons else None
