"""The policy's numeric limits ("lines"), and the side of a line on which an interval lies."""

from __future__ import annotations

from enum import Enum

from kamiyo_verify.model.policy import Clause, Policy
from kamiyo_verify.model.words import Impact


class Side(Enum):
    """Where an interval lies; if the line is inside the interval, a person decides."""

    OVER = "over"
    UNDER = "under"
    STRADDLING = "straddling"


def side(interval: tuple[float | None, float | None], line: float) -> Side:
    """Return on which side of the line the whole interval lies; None is an unknown bound."""
    lower, upper = interval
    if lower is not None and lower >= line:
        return Side.OVER
    return Side.UNDER if upper is not None and upper < line else Side.STRADDLING


def strict(confidence: float) -> float:
    """Return the confidence to exclude twice a line: a tenth of the error, since it may miss a rollback."""
    return 1 - (1 - confidence) / 10


def limit_of(policy: Policy, impact: Impact | None) -> Clause | None:
    """Return the clause that keeps a deployment up to a limit; without an impact, that for the user share."""
    return next(
        (line for line in policy.do_not_roll_back if line.impact is impact and line.limit is not None), None
    )
