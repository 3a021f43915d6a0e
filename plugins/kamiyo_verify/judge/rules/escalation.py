"""Escalation: who acts now, by the minutes since the deployment began and by severity."""

from __future__ import annotations

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.runbook import Escalation, Runbook
from kamiyo_verify.model.words import Action, Attribution, Phase

_OWN_HOURS = 12
"""Hours. A deployment that began earlier is no longer in progress, and its escalation levels have ended."""


def escalation(evidence: Evidence, action: Action, *, critical: bool) -> str:
    """Return who acts now, or "" if the call requires no action.

    Args:
        evidence: the evidence of the run.
        action: the call.
        critical: whether the platform is down, so that the critical level is informed.
    """
    if evidence.interrupted and action is not Action.ROLL_BACK:
        return ""
    minutes = evidence.deploy_minutes
    if minutes is not None and minutes > _OWN_HOURS * 60:
        return ""
    if not _acts(evidence, action):
        return ""
    return who_acts(evidence.runbook, minutes, critical=critical, duties=action is Action.ROLL_BACK)


def who_acts(runbook: Runbook, minutes: float | None, *, critical: bool = False, duties: bool = True) -> str:
    """Return one sentence with who acts now and who is next.

    Args:
        runbook: contains the levels and the contacts.
        minutes: minutes since the deployment began; None if unknown, then the first level acts.
        critical: whether the critical level is informed as well.
        duties: whether to say what the level does; its duty in the runbook may be a rollback.
    """
    timed = sorted(
        (row for row in runbook.escalation if not row.critical and row.from_minute is not None),
        key=lambda row: row.from_minute or 0,
    )
    reached = [row for row in timed if (row.from_minute or 0) <= (minutes or 0)]
    now = reached[-1:] or timed[:1]
    following = timed[timed.index(now[0]) + 1 :][:1] if now else []
    when = "" if minutes is None else f" (minute {minutes:.0f} of the deployment)"
    parts = [
        f"{_describe(runbook, row)} now{when}{f': {row.does}' if duties and row.does else ''}" for row in now
    ]
    parts += [f"{_describe(runbook, row)} from minute {row.from_minute:g}" for row in following]
    if critical:
        rows = (row for row in runbook.escalation if row.critical)
        parts += [f"critical outage: {_describe(runbook, row)} {row.does}".rstrip() for row in rows]
    if any(not _known(runbook, row) for row in (*now, *following)):
        parts.append("no contacts in runbook.toml")
    return "; ".join(parts)


def _acts(evidence: Evidence, action: Action) -> bool:
    """Return whether someone must act on the platform, not on the run or before the deployment."""
    failed = [
        result
        for result in evidence.failed()
        if result.phase is not Phase.PREFLIGHT and evidence.attribution(result) is not Attribution.PROBER
    ]
    match action:
        case Action.ROLL_BACK:
            return True
        case Action.FIX_FORWARD:
            return bool(failed) or any(result.confirmation for _, result in evidence.outcomes)
        case Action.INCONCLUSIVE:
            policy = evidence.runbook.policy
            return any(policy.rollback_clause(evidence.item(one.item).impact) for one in failed)
        case _:
            return False


def _describe(runbook: Runbook, row: Escalation) -> str:
    """Return the level's contact, and how to reach it as far as the runbook says."""
    known = _known(runbook, row)
    return f"{row.who} ({known})" if known else row.who


def _known(runbook: Runbook, row: Escalation) -> str:
    contact = next((one for one in runbook.contacts if one.role.casefold() == row.who.casefold()), None)
    return ", ".join(filter(None, (contact.name, contact.phone, contact.email))) if contact else ""
