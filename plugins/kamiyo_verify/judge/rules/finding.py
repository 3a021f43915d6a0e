"""The finding of one rule, and helpers that build it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kamiyo_verify.judge.attribution.attribution import blame
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.policy import Clause, Policy
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Action, Attribution, Impact, Status

NOT_OURS = (Attribution.PRE_EXISTING, Attribution.THIRD_PARTY)


@dataclass(frozen=True, slots=True)
class Finding:
    """The action that one rule calls for, a headline, and the reasons.

    Attributes:
        kept: why this version is kept although users lose what a rollback is for; "" if they do not.
    """

    action: Action
    headline: str
    reasons: tuple[Reason, ...]
    kept: str = ""


def about_items(
    evidence: Evidence, action: Action, headline: str, results: Iterable[Result], clause: str = ""
) -> Finding | None:
    """Return a finding with one reason for each result; None if there are no results."""
    reasons = tuple(reason_about(evidence, result, clause) for result in results)
    return Finding(action, headline, reasons) if reasons else None


def reason_about(evidence: Evidence, result: Result, clause: str = "", description: str = "") -> Reason:
    """Return a reason about one item: its message, the result of rechecks, and its attribution."""
    item = evidence.item(result.item)
    attribution = evidence.attribution(result)
    message = result.message or _without_message(result)
    if result.status in {Status.FAILED, Status.ERROR}:
        if not clause and result.status is Status.FAILED:
            clause = spared(evidence.runbook.policy, item.impact)
        if why := blame(evidence, result).why:
            message = f"{message} – {why}"
    if description:
        message = f"{message} – {description}"
    return Reason(item.id, item.impact, attribution, clause, message)


def _without_message(result: Result) -> str:
    """Return what an item without a message showed: if it passed at last, what its first failure said."""
    if result.status is not Status.PASSED:
        return f"{result.status}, with no reason given"
    failures = (one.message for one in result.attempts if one.status is not Status.PASSED and one.message)
    first = next(failures, "")
    return f"passed, after a try that failed: {first}" if first else "passed"


def spared(policy: Policy, impact: Impact) -> str:
    """Return the clause that forbids a rollback for failures of that impact, whatever their size, or ""."""
    found = (line.text for line in policy.do_not_roll_back if line.impact is impact and line.limit is None)
    return next(found, "")


def spared_share(policy: Policy, interval: tuple[float | None, float | None] | None) -> str:
    """Return the clause that forbids a rollback for a small share, if the interval is under its limit."""
    line, upper = spared_share_clause(policy), interval[1] if interval else None
    if line is None or line.limit is None or upper is None:
        return ""
    return line.text if upper < line.limit else ""


def spared_share_clause(policy: Policy) -> Clause | None:
    """Return the clause that forbids a rollback if few users are affected, if there is one."""
    lines = (line for line in policy.do_not_roll_back if line.impact is None and line.limit is not None)
    return next(lines, None)


def about_the_run(headline: str, message: str) -> Finding:
    """Return a finding about the whole run instead of single items."""
    return Finding(Action.INCONCLUSIVE, headline, (Reason("", None, None, "", message),))


def nothing_about_this_deploy(evidence: Evidence, result: Result) -> Finding:
    """Return the finding that the evidence is about another version, or about no known version."""
    headline = "nothing was verified about this deploy"
    return Finding(Action.INCONCLUSIVE, headline, (reason_about(evidence, result),))
