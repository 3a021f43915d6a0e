"""Rules about endpoints that fail for many while no item fails: each is judged as what it serves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kamiyo_verify.judge.attribution.before import before_of
from kamiyo_verify.judge.confirmation.confirmed import reading
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.judge.slo.lines import limit_of
from kamiyo_verify.judge.statistics.addresses import without_ids
from kamiyo_verify.judge.statistics.endpoints import Series, failing_for_many
from kamiyo_verify.judge.statistics.ratios import share_increase
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Action, Attribution, Impact, Status

_PATH = re.compile(r"failed\[(/.*)\]")
_COUNTS = re.compile(r"(\d+) of (\d+)")
"""The counts of a sampling by path, as its item measures them."""


def endpoint_fails(evidence: Evidence) -> Finding | None:
    """What a rollback clause speaks of is served by an endpoint that fails, and did not before."""
    reasons = []
    for one in _unowned(evidence):
        clause = evidence.runbook.policy.clause_of_status(one.item.impact)
        if clause is not None and one.blamed is not Attribution.PRE_EXISTING:
            reasons.append(_reason(one, clause.text))
    return Finding(Action.ROLL_BACK, _headline(reasons), tuple(reasons)) if reasons else None


def lesser_endpoint_fails(evidence: Evidence) -> Finding | None:
    """An endpoint fails that no rollback clause speaks of, or that failed before: the deployment stays."""
    reasons = tuple(_reason(one, "") for one in _unowned(evidence))
    return Finding(Action.FIX_FORWARD, _headline(reasons), reasons) if reasons else None


def explained(evidence: Evidence, item: str, bad: int) -> bool:
    """All the failures that an item counted are those of endpoints that are judged by themselves."""
    return 0 < bad <= sum(one.series.bad for one in _unowned(evidence) if item in one.series.items)


@dataclass(frozen=True, slots=True)
class _Failing:
    """An endpoint that fails for many.

    Attributes:
        item: the one that says best what the endpoint serves.
        blamed: by how the endpoint itself answered before the deployment.
    """

    series: Series
    item: Item
    blamed: Attribution


def _unowned(evidence: Evidence) -> list[_Failing]:
    """Each endpoint that fails for many, with the item that says best what it serves.

    Left out are those for which an item failed that asked them: its own clause applies then. So are those of
    an item that was looked at again: its later requests are not in the series, and what the looks showed of
    it stands, such as an outage that ended. An objective's item owns none, since it counts the requests to
    all endpoints.
    """
    line = limit_of(evidence.runbook.policy, None)
    if line is None or not line.limit:
        return []
    counting = {slo.item for slo in evidence.runbook.slos}
    found = []
    for series in failing_for_many(evidence, line.limit):
        items = [item for item, _ in evidence.outcomes if item.id in series.items]
        results = [one for item in items if (one := evidence.result(item.id)) is not None]
        blamed = _blamed(evidence, series, line.limit, results)
        if blamed is None:
            continue
        owners = [item for item in items if item.id not in counting]
        owned = [one for item in owners if (one := evidence.result(item.id)) is not None]
        if any(one.status is Status.FAILED or reading(evidence, one) is not None for one in owned):
            continue
        worst = min(owners or items, key=lambda item: list(Impact).index(item.impact))
        found.append(_Failing(series, worst, blamed))
    return found


def _blamed(evidence: Evidence, series: Series, limit: float, results: list[Result]) -> Attribution | None:
    """Return whether the endpoint itself failed before; None if its failures are told by its items.

    Where the baseline counted the endpoint's own requests, those decide, and not whether an item that asks
    many endpoints passed.
    """
    attributions = {evidence.attribution(one) for one in results}
    if attributions & {Attribution.PROBER, Attribution.THIRD_PARTY}:
        return None
    before = before_of(evidence)
    known = counts_before(evidence, series) if before is not None else None
    if known is not None:
        if not known[0]:
            return Attribution.INTRODUCED
        more = share_increase((series.bad, series.total), known, evidence.runbook.policy.confidence)[0]
        return Attribution.INTRODUCED if more >= limit else Attribution.PRE_EXISTING
    if Attribution.PRE_EXISTING in attributions:
        return None
    passed = before is not None and any(before.statuses.get(one.item) is Status.PASSED for one in results)
    return Attribution.INTRODUCED if passed else Attribution.UNKNOWN


def counts_before(evidence: Evidence, series: Series) -> tuple[int, int] | None:
    """Return (failed, total) of the endpoint's own requests before the deployment; None if unknown."""
    bad = total = 0
    for item in series.items:
        for taken in evidence.baseline.get(item, ()):
            path, counts = _PATH.fullmatch(taken.name), _COUNTS.fullmatch(str(taken.value))
            if path and counts and f"GET {without_ids(path[1])}" == series.endpoint:
                bad, total = bad + int(counts[1]), total + int(counts[2])
    return (bad, total) if total else None


def _headline(reasons: tuple[Reason, ...] | list[Reason]) -> str:
    return "; ".join(reason.message for reason in reasons[:2])


def _reason(one: _Failing, clause: str) -> Reason:
    return Reason(one.item.id, one.item.impact, one.blamed, clause, f"{one.series}{_BEFORE[one.blamed]}")


_BEFORE = {
    Attribution.INTRODUCED: "",
    Attribution.PRE_EXISTING: ", as it did before this deployment",
    Attribution.UNKNOWN: "; not known whether it was so before",
}
