"""Replace a rollback that the schema forbids: the previous code cannot use the current schema."""

from __future__ import annotations

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.words import Action


def held_back(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings unchanged, or the replacement if a rollback of code is not safe.

    Every migration since the code to roll back to was live counts, whichever deployment applied it. A
    destructive one changed what the previous code relies on: that code would break as well, and may write
    data that cannot be repaired. If a migration's effect is unknown, a person must decide.
    """
    schema = evidence.migrated
    if schema is None or not found or found[0].action is not Action.ROLL_BACK:
        return found
    if schema.grave:
        why = "the code that would come back cannot work on the schema as it is now"
        return (_instead(Action.FIX_FORWARD, "code must not go back", why, schema.grave, found),)
    if schema.unread:
        why = "it is not known whether the code that would come back works on the schema as it is now: read"
        return (_instead(Action.INCONCLUSIVE, "a person's call", why, schema.unread, found),)
    return found


def _instead(
    action: Action, call: str, why: str, migrations: tuple[str, ...], found: tuple[Finding, ...]
) -> Finding:
    kept = why if action is Action.FIX_FORWARD else ""
    headline = f"{'; '.join(one.headline for one in found)}; {call}: the schema was migrated since"
    stands_against = Reason("", None, None, "", f"{why}: {'; '.join(migrations)}")
    grounds = tuple(reason for one in found for reason in one.reasons)
    return Finding(action, headline, (*grounds, stands_against), kept)
