"""The time from which migrations matter to a rollback: since the code to roll back to was live."""

from __future__ import annotations

from datetime import datetime

from kamiyo_verify.judge.attribution.services import changed
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.migrated import SEPARATOR
from kamiyo_verify.judge.rollback.targets import target_of

MIGRATIONS_ITEM = "postdeploy.migrations-applied"
APPLIED = "applied_migrations"
"""The item and its measurement with which a baseline records the applied migrations."""


def schema_since(evidence: Evidence) -> datetime | None:
    """Return when the oldest code that a rollback would restore was live; None if the host does not tell.

    Without any target, it is when this deployment began.
    """
    moments = []
    for one in changed(evidence):
        good = target_of(one, evidence.bad_commits).deploy
        if good is not None:
            moments.append(good.finished_at or good.created_at)
        elif one.live is not None:
            moments.append(one.live.created_at)
    return min(moments, default=None)


def migrations_before(evidence: Evidence) -> frozenset[str] | None:
    """Return the names of the migrations applied at the baseline; None if there is no such list."""
    for taken in evidence.baseline.get(MIGRATIONS_ITEM, ()):
        if taken.name == APPLIED and isinstance(taken.value, str):
            return frozenset(filter(None, taken.value.split(SEPARATOR)))
    return None
