"""Who acts now, by the minutes since the deployment began and by how bad it is."""

from __future__ import annotations

from plugins.model.runbook import Escalation, Runbook
from plugins.model.words import Action


def who_acts(runbook: Runbook, action: Action, minutes: float | None) -> str:
    """One sentence with who acts now and who comes next; "" where nobody has to.

    Args:
        runbook: holds the levels and the contacts.
        action: proceeding needs nobody; a rollback calls the critical level besides.
        minutes: since the deployment began; None where nobody knows, then it starts with the first level.
    """
    if action is Action.PROCEED:
        return ""
    timed = sorted(
        (row for row in runbook.escalation if not row.critical and row.from_minute is not None),
        key=lambda row: row.from_minute or 0,
    )
    reached = [row for row in timed if (row.from_minute or 0) <= (minutes or 0)]
    now = reached[-1:] or timed[:1]
    following = timed[timed.index(now[0]) + 1 :][:1] if now else []
    when = "" if minutes is None else f"minute {minutes:.0f} of the deploy: "
    parts = [f"{when}{_told(runbook, row)} {row.does}".rstrip() for row in now]
    parts += [f"{_told(runbook, row)} from minute {row.from_minute:g}" for row in following]
    if action is Action.ROLL_BACK:
        critical = (row for row in runbook.escalation if row.critical)
        parts += [f"critical: {_told(runbook, row)} {row.does}".rstrip() for row in critical]
    return "; ".join(parts)


def _told(runbook: Runbook, row: Escalation) -> str:
    """Who, and how to reach them as far as the runbook knows."""
    contact = next((one for one in runbook.contacts if one.role.casefold() == row.who.casefold()), None)
    if contact is None:
        return row.who
    known = ", ".join(filter(None, (contact.name, contact.phone, contact.email)))
    return f"{row.who} ({known or 'nobody named yet'})"
