"""The state of a failure after its rechecks: still broken, affecting few users, undecided, or ended."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.judge.confirmation.confirmed import FailureState, reading
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Status


@dataclass(frozen=True, slots=True)
class RecheckedFailure:
    """A failure after its rechecks.

    Attributes:
        description: what the rechecks showed, in a sentence; "" if there were none.
    """

    standing: FailureState
    description: str = ""


def rechecked_failure(evidence: Evidence, result: Result) -> RecheckedFailure | None:
    """Return the state of a failure; None if the item did not fail in any recheck that counts."""
    found = reading(evidence, result)
    if found is not None:
        return RecheckedFailure(found.standing, found.message)
    return RecheckedFailure(FailureState.BROKEN) if result.status is Status.FAILED else None
