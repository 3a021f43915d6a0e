"""Rows lost since the baseline: damage that no status code shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kamiyo_verify.judge.attribution.before import own_commits
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Impact, Status

COUNTS_ITEM = "postdeploy.data-present"

_ROWS = ("health", "readiness", "exploits")
"""The measurements of that item that count rows, each from another endpoint."""

_LISTED = "listed_rows"
"""The measurement by which any other item of impact "data" counts the rows that a service lists."""

_TOTAL = "total_rows"
"""How many there are in all, where the list is a page of them and says so."""

_PAGE = "listed_as"
"""The measurement by which a list is known to be a page of more."""

RECOUNTED = "recounted"
"""The measurement of what was counted again, where not each look counted as few rows."""

_FEWEST = 10
"""Rows that must be gone of a list: fewer can be what its users deleted since."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A count of rows that fell further than the policy allows.

    Attributes:
        item: the item that counts.
        measurement: its measurement.
        endpoint: the endpoint, or the service, that reports the count.
        least: the smallest count that the policy would allow.
    """

    item: str
    measurement: str
    endpoint: str
    was: int
    now: int
    least: int

    def __str__(self) -> str:
        share = 1 - self.now / self.was
        return f"{self.endpoint} counts {self.now:,} where the baseline has {self.was:,} ({share:.0%} gone)"


def rows_gone(evidence: Evidence) -> Finding | None:
    """Find totals that fell beyond the policy's limit: lost data, even if every answer looks correct."""
    found = falls(evidence)
    clause = evidence.runbook.policy.damage_clause
    if not found or clause is None:
        return None
    ours = not _of_the_same_commit(evidence)
    attribution = Attribution.INTRODUCED if ours else Attribution.PRE_EXISTING
    allowed = f"the policy allows a fall of {evidence.runbook.policy.data_loss_limit:.0%}"
    if not ours:
        allowed += "; the baseline is of this same commit, so that taking it back would not help"
    reasons = []
    for item in dict.fromkeys(fall.item for fall in found):
        description = "; ".join(str(fall) for fall in found if fall.item == item)
        reasons.append(Reason(item, clause.impact, attribution, clause.text, f"{description}: {allowed}"))
    action = Action.ROLL_BACK if ours else Action.FIX_FORWARD
    kept = "" if ours else "this same commit ran before the rows were gone"
    return Finding(action, "rows are gone since the baseline", tuple(reasons), kept)


def rows_in_doubt(evidence: Evidence) -> Finding | None:
    """Fewer rows that are no proof: of a shorter page of more, or that other answers of this run had."""
    reasons = []
    for item in sorted(counted_items(evidence.runbook)):
        result = evidence.result(item)
        again = result.measurement(RECOUNTED) if result is not None else None
        unsure = f"counted again: {again.value}" if again else "the answer says that there are more"
        reasons += [
            Reason(item, None, None, "", f"{fall}; {unsure}: count them, and compare with the baseline")
            for fall in _falls_of(item, evidence, doubtful=True)
        ]
    headline = (
        "fewer rows counted than in the baseline, which is not conclusive: not known whether rows are gone"
    )
    return Finding(Action.INCONCLUSIVE, headline, tuple(reasons)) if reasons else None


def counted_items(runbook: Runbook) -> frozenset[str]:
    """Return the items whose counts of rows are compared with the baseline."""
    return frozenset({COUNTS_ITEM, *(item.id for item in runbook.items if item.impact is Impact.DATA)})


def falls(evidence: Evidence) -> tuple[Fall, ...]:
    """Return every count that fell further than the policy allows since a healthy baseline."""
    return tuple(
        fall for item in sorted(counted_items(evidence.runbook)) for fall in _falls_of(item, evidence)
    )


def fallen(result: Result, then: Iterable[Measurement], limit: float) -> list[Measurement]:
    """Return the counts of an item that prove lost rows, by what it counted then."""
    return [taken for taken, _, _, doubtful in _fallen(result, then, limit) if not doubtful]


def _falls_of(item: str, evidence: Evidence, *, doubtful: bool = False) -> Iterator[Fall]:
    """Yield the falls of an item's counts that prove lost rows, or those that may not."""
    result, before = evidence.result(item), evidence.before
    if result is None or result.failure is FailureKind.CACHED:
        return  # a cache's count is that of the time at which it was stored
    if before is None or before.statuses.get(item) is not Status.PASSED:
        return
    then = evidence.baseline.get(item, ())
    found = _fallen(result, then, evidence.runbook.policy.data_loss_limit)
    for taken, was, least, doubt in found:
        if doubt is doubtful and (now := _count(taken.value)) is not None:
            yield Fall(item, taken.name, _named(item, taken.name, evidence), was, now, least)


def _fallen(
    result: Result, before: Iterable[Measurement], limit: float
) -> Iterator[tuple[Measurement, int, int, bool]]:
    """Yield each count that fell too far, what it was, the least allowed, and whether it proves nothing."""
    listed = result.item != COUNTS_ITEM
    names = (_LISTED, _TOTAL) if listed else _ROWS
    then = {taken.name: taken.value for taken in before}
    here = {taken.name: taken.value for taken in result.measurements}
    more = _TOTAL in here and here[_TOTAL] != here.get(_LISTED)
    page = listed and (more or _PAGE in here)
    known = _PAGE in here and _TOTAL in here and _TOTAL in then
    for taken in result.measurements:
        was, now = _count(then.get(taken.name)), _count(taken.value)
        if taken.name not in names or not was or now is None:
            continue
        least = math.ceil(round(was * (1 - limit), 6))
        if listed:
            least = min(least, was - _FEWEST + 1)
        of_page = page and taken.name == _LISTED
        if now < least and not (of_page and known):
            yield taken, was, least, of_page or RECOUNTED in here


def _named(item: str, measurement: str, evidence: Evidence) -> str:
    found = evidence.runbook.item(item)
    return found.services[0] if item != COUNTS_ITEM and found and found.services else measurement


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _of_the_same_commit(evidence: Evidence) -> bool:
    before = evidence.before
    return bool(
        before and before.commit and any(same_commit(before.commit, own) for own in own_commits(evidence))
    )
