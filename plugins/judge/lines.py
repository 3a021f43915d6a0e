"""The lines that the policy draws by numbers, and on which side of one an interval lies."""

from __future__ import annotations

from enum import Enum

from plugins.model.runbook import Clause, Policy
from plugins.model.words import Impact


class Side(Enum):
    """Where an interval lies; one that has the line inside leaves it to a person."""

    OVER = "over"
    UNDER = "under"
    STRADDLING = "straddling"


def side(interval: tuple[float | None, float | None], line: float) -> Side:
    """On which side of the line the whole interval lies; None is an end that is not known."""
    lower, upper = interval
    if lower is not None and lower >= line:
        return Side.OVER
    return Side.UNDER if upper is not None and upper < line else Side.STRADDLING


def limit_of(policy: Policy, impact: Impact | None) -> Clause | None:
    """The clause that spares a deployment up to a number; without an impact, that for the share of users."""
    return next(
        (line for line in policy.do_not_roll_back if line.impact is impact and line.limit is not None), None
    )
