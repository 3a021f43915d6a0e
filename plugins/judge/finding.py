"""What one rule found, and the words in which it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from plugins.judge.attribution import blame
from plugins.judge.evidence import Evidence
from plugins.model.result import Result
from plugins.model.runbook import Policy
from plugins.model.verdict import Reason
from plugins.model.words import Action, Attribution, Impact, Status

NOT_OURS = (Attribution.PRE_EXISTING, Attribution.THIRD_PARTY)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule calls for, in a sentence, and on what grounds."""

    action: Action
    headline: str
    reasons: tuple[Reason, ...]


def roll_back(evidence: Evidence, impact: Impact, headline: str) -> Finding | None:
    """A rollback for introduced failures of that impact, where the policy has a clause for it."""
    clause = next((line.text for line in evidence.runbook.policy.roll_back if line.impact is impact), None)
    if clause is None:
        return None
    return about_items(evidence, Action.ROLL_BACK, headline, evidence.introduced(impact), clause)


def about_items(
    evidence: Evidence, action: Action, headline: str, results: Iterable[Result], clause: str = ""
) -> Finding | None:
    """A finding with one reason for each of these results; None where there are none."""
    reasons = tuple(_reason(evidence, result, clause) for result in results)
    return Finding(action, headline, reasons) if reasons else None


def _reason(evidence: Evidence, result: Result, clause: str) -> Reason:
    item = evidence.item(result.item)
    attribution = evidence.attribution(result)
    message = result.message or f"{result.status}, with no reason given"
    if result.status is Status.FAILED:
        clause = clause or spared(evidence.runbook.policy, item.impact)
        if why := blame(evidence, result).why:
            message = f"{message} – {why}"
    return Reason(item.id, item.impact, attribution, clause, message)


def spared(policy: Policy, impact: Impact) -> str:
    """The clause that forbids a rollback for failures of that impact, or ""."""
    return next((line.text for line in policy.do_not_roll_back if line.impact is impact), "")


def spared_share(policy: Policy, interval: tuple[float | None, float | None] | None) -> str:
    """The clause that forbids a rollback for so small a share, where the interval is under its limit."""
    upper = interval[1] if interval else None
    if upper is None:
        return ""
    lines = (line for line in policy.do_not_roll_back if line.impact is None and line.limit is not None)
    return next((line.text for line in lines if line.limit is not None and upper < line.limit), "")


def about_the_run(headline: str, message: str) -> Finding:
    """A finding that no single item is the ground of."""
    return Finding(Action.INCONCLUSIVE, headline, (Reason("", None, None, "", message),))


def nothing_about_this_deploy(evidence: Evidence, result: Result) -> Finding:
    """What is known is known of some other version, or of none in particular."""
    headline = "nothing was verified about this deploy"
    return Finding(Action.INCONCLUSIVE, headline, (_reason(evidence, result, ""),))
