"""What stands against rolling code back, however broken it is: a schema that the code before cannot use."""

from __future__ import annotations

from plugins.judge.evidence import Evidence
from plugins.judge.finding import Finding
from plugins.model.verdict import Reason
from plugins.model.words import Action


def held_back(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings as they are, or what is called for where a rollback of code is not safe.

    A destructive migration has changed what the code before relies on: that code would break, too, and may
    write what cannot be mended. Where nobody can see what a migration does, only a person can say.
    """
    schema = evidence.migrated
    if schema is None or not found or found[0].action is not Action.ROLL_BACK:
        return found
    if schema.grave:
        why = "the code before this deployment cannot work on the schema that it left"
        return (_instead(Action.FIX_FORWARD, "code must not go back", why, schema.grave, found),)
    if schema.unread:
        why = "nobody has read whether the code before works on the schema after it: do, then decide"
        return (_instead(Action.INCONCLUSIVE, "a person's call", why, schema.unread, found),)
    return found


def _instead(
    action: Action, call: str, why: str, migrations: tuple[str, ...], found: tuple[Finding, ...]
) -> Finding:
    headline = f"{'; '.join(one.headline for one in found)}; {call}: this deployment migrated the schema"
    stands_against = Reason("", None, None, "", f"{why}: {'; '.join(migrations)}")
    return Finding(action, headline, (*(reason for one in found for reason in one.reasons), stands_against))
