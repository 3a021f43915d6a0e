"""Apply the policy's clauses in their written order: the failures under each, and the action it requires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kamiyo_verify.judge.attribution.failures import (
    SILENCE,
    about_the_commit,
    failure_of,
    whole_service_silent,
)
from kamiyo_verify.judge.attribution.services import about_another_version
from kamiyo_verify.judge.causes import cause_title
from kamiyo_verify.judge.confirmation.confirmed import FailureState, is_hole
from kamiyo_verify.judge.confirmation.rechecked import RecheckedFailure, rechecked_failure
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding, reason_about, spared_share_clause
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.policy import Clause
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Phase

_OURS_TO_TAKE_BACK = (Attribution.INTRODUCED, Attribution.UNKNOWN)
_NOT_AFTER_A_DEPLOYMENT = (Phase.PREFLIGHT, Phase.ROLLBACK)
_NAMED = 2


def clause_of(evidence: Evidence, item: Item, result: Result) -> Clause | None:
    """Return the clause of policy.roll_back that a failure falls under, if there is one.

    A service that does not answer properly is reported as exactly that: silence proves no damaged data and no
    security hole. If the whole service is silent, the state of its items is unknown.
    """
    policy = evidence.runbook.policy
    own = policy.rollback_clause(item.impact)
    if own is None or own.silence:
        return own
    kind = failure_of(result)
    unproven = own.proof == "content" and kind in {*SILENCE, FailureKind.WRONG_STATUS}
    if unproven:
        return policy.silence_clause
    return (policy.silence_clause or own) if whole_service_silent(evidence, result) else own


def grounds(
    evidence: Evidence, *standings: FailureState
) -> Iterator[tuple[Clause, Result, RecheckedFailure]]:
    """Yield the failures of this deployment that fall under a clause and have no other cause."""
    for item, result in evidence.outcomes:
        found = rechecked_failure(evidence, result)
        if found is None or found.standing not in standings or result.phase in _NOT_AFTER_A_DEPLOYMENT:
            continue
        attribution = evidence.attribution(result)
        if attribution is not None and attribution not in _OURS_TO_TAKE_BACK:
            continue
        if about_another_version(evidence, item):
            continue
        clause = clause_of(evidence, item, result)
        if clause is not None:
            yield clause, result, found


def roll_back(evidence: Evidence, *, confirmed_only: bool = False) -> tuple[Finding, ...]:
    """Return what the clauses of policy.roll_back call for, in their written order.

    Args:
        evidence: the evidence of the run.
        confirmed_only: leave out failures that were not confirmed over time.
    """
    found = [
        ground
        for ground in grounds(evidence, FailureState.BROKEN)
        if not about_the_commit(evidence, ground[1])
        and (not confirmed_only or _confirmed(ground[0], ground[1]))
    ]
    return tuple(
        Finding(
            Action.ROLL_BACK,
            _headline(evidence, clause, under),
            tuple(reason_about(evidence, result, clause.text, seen.description) for result, seen in under),
        )
        for clause in evidence.runbook.policy.roll_back
        if (under := [(result, seen) for of, result, seen in found if of is clause])
    )


def share_undecided(evidence: Evidence) -> Finding | None:
    """Find failures that were not rechecked, or whose rechecks are inconclusive."""
    late = [*grounds(evidence, FailureState.INCOMPLETE)]
    open_ones = [*grounds(evidence, FailureState.UNDECIDED)]
    holes = [one for one in open_ones if is_hole(evidence, one[1])]
    shares = [one for one in open_ones if one not in holes]
    groups = {
        "failing, and not confirmed": late,
        "with a security hole that was seen once": holes,
        "failing for a share of requests that is not known well enough": shares,
    }
    headline = "; ".join(f"{counted(len(some), 'item')} {what}" for what, some in groups.items() if some)
    return _finding(evidence, Action.INCONCLUSIVE, headline, [*late, *holes, *shares], "")


def fails_for_few(evidence: Evidence) -> Finding | None:
    """Find failures that affect too few users for a rollback."""
    found = [*grounds(evidence, FailureState.FEW)]
    headline = f"{counted(len(found), 'item')} failing for few requests"
    clause = spared_share_clause(evidence.runbook.policy)
    few = _finding(evidence, Action.FIX_FORWARD, headline, found, clause.text if clause else "")
    return replace(few, kept="too few requests fail for a rollback") if few else None


def _confirmed(clause: Clause, result: Result) -> bool:
    """Return whether it was confirmed over time; tries in a row are enough only for a "short" clause."""
    if result.confirmation is not None:
        return True
    shown = clause.confirmation == "short" and failure_of(result) is FailureKind.WRONG_CONTENT
    return shown and len(result.attempts) > 1


def _headline(evidence: Evidence, clause: Clause, under: list[tuple[Result, RecheckedFailure]]) -> str:
    """Return the clause in words, and what is broken."""
    titles = list(dict.fromkeys(cause_title(evidence, result) for result, _ in under))
    more = f" and {counted(len(titles) - _NAMED, 'more cause')}" if len(titles) > _NAMED else ""
    return f"{clause.says}: {'; '.join(titles[:_NAMED])}{more}"


def _finding(
    evidence: Evidence,
    action: Action,
    headline: str,
    found: list[tuple[Clause, Result, RecheckedFailure]],
    clause: str,
) -> Finding | None:
    reasons = tuple(reason_about(evidence, result, clause, seen.description) for _, result, seen in found)
    return Finding(action, headline, reasons) if reasons else None
