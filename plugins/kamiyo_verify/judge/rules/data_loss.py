"""Rows lost since the baseline: damage that no status code shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from kamiyo_verify.judge.attribution.before import own_commits
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.reasons import Reason
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


def pages_shorter(evidence: Evidence) -> Finding | None:
    """A shorter page of more rows may be a page of another size: it is no lost data, and proves none away."""
    found = [
        fall
        for item in sorted(counted_items(evidence.runbook))
        for fall in _falls_of(item, evidence, pages=True)
    ]
    unsure = "the answer says that there are more: count them, and compare with the baseline"
    reasons = tuple(Reason(fall.item, None, None, "", f"{fall}; {unsure}") for fall in found)
    headline = "a page of rows is shorter than in the baseline: not known whether rows are gone"
    return Finding(Action.INCONCLUSIVE, headline, reasons) if reasons else None


def counted_items(runbook: Runbook) -> frozenset[str]:
    """Return the items whose counts of rows are compared with the baseline."""
    return frozenset({COUNTS_ITEM, *(item.id for item in runbook.items if item.impact is Impact.DATA)})


def falls(evidence: Evidence) -> tuple[Fall, ...]:
    """Return every count that fell further than the policy allows since a healthy baseline."""
    return tuple(
        fall for item in sorted(counted_items(evidence.runbook)) for fall in _falls_of(item, evidence)
    )


def _falls_of(item: str, evidence: Evidence, *, pages: bool = False) -> Iterator[Fall]:
    """Yield the falls of an item's counts; with `pages` those of which it is not known."""
    result, before = evidence.result(item), evidence.before
    if result is None or result.failure is FailureKind.CACHED:
        return  # a cache's count is that of the time at which it was stored
    if before is None or before.statuses.get(item) is not Status.PASSED:
        return
    names = _ROWS if item == COUNTS_ITEM else (_LISTED, _TOTAL)
    then = {taken.name: taken.value for taken in evidence.baseline.get(item, ())}
    here = {taken.name: taken.value for taken in result.measurements}
    more = _TOTAL in here and here[_TOTAL] != here.get(_LISTED)
    page = item != COUNTS_ITEM and (more or _PAGE in here)
    known = _PAGE in here and _TOTAL in here and _TOTAL in then
    for taken in result.measurements:
        was, now = _count(then.get(taken.name)), _count(taken.value)
        if taken.name not in names or not was or now is None:
            continue
        least = math.ceil(round(was * (1 - evidence.runbook.policy.data_loss_limit), 6))
        if item != COUNTS_ITEM:
            least = min(least, was - _FEWEST + 1)
        doubtful = page and taken.name == _LISTED
        if now < least and doubtful is pages and not (doubtful and known):
            yield Fall(item, taken.name, _named(item, taken.name, evidence), was, now, least)


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
