"""Judge a failed item by its rechecks: still broken, an outage that ended, few users, or unknown.

The rules apply in this order; the first one that holds decides:

1. the last recheck could not be made or measured: not confirmed;
2. every recheck failed: broken (a security hole: any recheck; one that no recheck saw again is unknown);
3. the tries overlapped an outage of the service that has ended, and the rechecks since passed: ended;
4. the request's failures are one spell, followed by enough answers to reject a share over the policy's
   limit: ended;
5. the last recheck failed, and no request was answered in the last half minute: broken;
6. the request's failing share, without the spell at its beginning, lies over the policy's limit: broken;
   under it: few users; on both sides: unknown;
7. if the request cannot be repeated, the rechecks themselves are counted: one spell of failures followed by
   at least eight passing rechecks has ended; with fewer it is unknown.

Shares count a spell of failures once (`statistics.shares`), so that a second outage that ended does not
appear as a broken part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from kamiyo_verify.judge.attribution.failures import failure_of
from kamiyo_verify.judge.confirmation.outages import behind
from kamiyo_verify.judge.confirmation.shares import (
    counts_after_spell,
    few_with_samples,
    in_one_spell,
    spell_is_over,
    trailing_answers,
    verdict_after_spell,
)
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.lines import Side, limit_of
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.figures import counted, percent
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import FailureKind, Status

ENOUGH_LOOKS = 8
"""This many passing rechecks in a row reject a failing share of one third: (2/3)^8 is under 4 %."""

LOOKS_AFTER_OUTAGE = 2

_REQUEST = re.compile(r"[A-Z]+ /\S*")
"""The request that a failure's message begins with, such as "POST /login answered 502"."""

_STILL_DOWN_S = 30.0
"""Seconds. A longer failure up to the end is not a blip: a restart takes 10 s, a switch of deploys 30 s."""

FEW_USERS = 0.05
"""The limit of the failing share if the policy names none."""


class FailureState(StrEnum):
    """The state of a failed item after the confirmation."""

    BROKEN = "broken"
    ENDED = "ended"
    FEW = "few"
    UNDECIDED = "undecided"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of a confirmation; `message` has the numbers."""

    standing: FailureState
    message: str = ""


def reading(evidence: Evidence, result: Result) -> Reading | None:
    """Return an item's state after its confirmation; None if there is none, or it adds nothing."""
    found = result.confirmation
    if found is None:
        return None
    looks = tuple(look for look in found.rechecks if look.status in {Status.PASSED, Status.FAILED})
    if found.incomplete:
        return Reading(FailureState.INCOMPLETE, f"not confirmed: {found.incomplete}")
    measured = bool(found.rechecks) and found.rechecks[-1].status in {Status.PASSED, Status.FAILED}
    if not measured and (found.rechecks or found.share is None):
        if result.status is not Status.FAILED and not any(look.status is Status.FAILED for look in looks):
            return None  # It could not be measured, neither before nor now.
        why = found.rechecks[-1].message if found.rechecks else "nobody looked again"
        return Reading(FailureState.INCOMPLETE, f"not confirmed: the last look could not be measured: {why}")
    if looks and is_hole(evidence, result):
        return _hole(looks)
    flaky = result.status is Status.PASSED and all(slo.item != result.item for slo in evidence.runbook.slos)
    if looks and not flaky and all(look.status is Status.FAILED for look in looks):
        return Reading(
            FailureState.BROKEN, f"still so in {counted(len(looks), 'further look')}{_describe(found)}"
        )
    recovered = bool(looks) and looks[-1].status is Status.PASSED
    if recovered and (_outage_ended(evidence, result, looks) or not _may_roll_back(evidence, result)):
        return Reading(FailureState.ENDED)
    if found.share is not None and found.share.failed:
        return _of_share(evidence, found.share, recovered=recovered)
    return _of_looks(evidence, result, looks, flaky=flaky) if looks else None


def confirmed(evidence: Evidence) -> Evidence:
    """Return the evidence with the status of every result updated by its confirmation."""
    return replace(evidence, results=tuple(_standing(evidence, result) for result in evidence.results))


def limit(evidence: Evidence) -> float:
    """Return the share of failing requests up to which the policy keeps a deployment."""
    line = limit_of(evidence.runbook.policy, None)
    return line.limit if line and line.limit else FEW_USERS


def is_hole(evidence: Evidence, result: Result) -> bool:
    """Return whether content showed a failure of a "short" clause, as a security hole.

    Silence is no hole, nor is a status that this request must not have, such as 404 everywhere.
    """
    silent = result.confirmation is not None and result.confirmation.silent
    clause = evidence.runbook.policy.rollback_clause(evidence.item(result.item).impact)
    short = clause is not None and clause.confirmation == "short"
    return short and not silent and failure_of(result) is FailureKind.WRONG_CONTENT


def _hole(looks: tuple[Recheck, ...]) -> Reading:
    if any(look.status is Status.FAILED for look in looks):
        return Reading(FailureState.BROKEN, "seen again by a separate request")
    return Reading(
        FailureState.UNDECIDED,
        f"seen once, and not again in {counted(len(looks), 'further look')}: look yourself",
    )


def _outage_ended(evidence: Evidence, result: Result, looks: tuple[Recheck, ...]) -> bool:
    outage = behind(evidence, result)
    if outage is None or not outage.ended:
        return False
    passed = trailing_answers(tuple(look.status is Status.FAILED for look in looks))
    share = result.confirmation.share if result.confirmation else None
    well = share is None or not share.failed or not counts_after_spell(share)[0]
    return well and passed >= LOOKS_AFTER_OUTAGE


def _may_roll_back(evidence: Evidence, result: Result) -> bool:
    impact = evidence.item(result.item).impact
    return any(clause.impact is impact for clause in evidence.runbook.policy.roll_back)


def _of_share(evidence: Evidence, share: FailingShare, *, recovered: bool) -> Reading:
    line, confidence = limit(evidence), evidence.runbook.policy.confidence
    if recovered and spell_is_over(share, line, confidence):
        return Reading(FailureState.ENDED)
    found = verdict_after_spell(share, line, confidence)
    if not recovered and (down_s := _down_at_the_end_s(share)) >= _STILL_DOWN_S:
        return Reading(
            FailureState.BROKEN, f"{share.request} failed in every request of the last {down_s:.0f} s"
        )
    if not found.total:
        description = f"every one of {counted(len(share.failed), 'request')} failed"
        if recovered:
            return Reading(FailureState.UNDECIDED, f"{description}, and the last look passed")
        return Reading(FailureState.BROKEN, description)
    lower, upper = found.interval
    description = (
        f"{share.request} failed in {found.failed:,} of {counted(found.total, 'further request')},"
        f" which is {percent(lower)} to {percent(upper)} of all{found.worth}"
    )
    if found.side is Side.OVER:
        return Reading(FailureState.BROKEN, description)
    if found.side is Side.UNDER:
        return Reading(FailureState.FEW, description)
    if few_with_samples(share, line, confidence):
        bad, total = share.beside
        more = f"; and {bad:,} of {counted(total, 'other request')} to it since the first failure"
        return Reading(FailureState.FEW, f"{description}{more}: less than {percent(2 * line)} together")
    return Reading(FailureState.UNDECIDED, f"{description}: on both sides of the policy's {percent(line)}")


def _of_looks(evidence: Evidence, result: Result, looks: tuple[Recheck, ...], *, flaky: bool) -> Reading:
    """Return what the rechecks show by their number; a flaky item's try that passed is one of them.

    A recheck fails if any of its requests does, and the policy's limit is about requests: where different
    ones failed, their number counts.
    """
    bad = tuple(look.status is Status.FAILED for look in looks)
    failed = (False, *bad) if flaky else bad
    description = f"failed in {sum(bad)} of {counted(len(bad), 'further look')}"
    if all(bad):
        description = f"still so in {counted(len(bad), 'further look')}"
    passed = trailing_answers(failed)
    if passed and in_one_spell(failed):
        if passed >= ENOUGH_LOOKS:
            return Reading(FailureState.ENDED)
        well = f"well in the last {counted(passed, 'look')}, and {ENOUGH_LOOKS} show that it has ended"
        return Reading(FailureState.UNDECIDED, f"{description}; {well}")
    failing = {found[0] for look in looks if (found := _REQUEST.match(look.message))}
    sent = sum(one.status is not None for one in result.exchanges)
    requests = max(1, sent) if len(failing) > 1 else 1
    lower = EXACT.lower_bound(sum(failed), len(failed), evidence.runbook.policy.confidence)
    if 1 - (1 - lower) ** (1 / requests) >= limit(evidence):
        return Reading(FailureState.BROKEN, description)
    return Reading(FailureState.UNDECIDED, f"{description}: too few to tell how many users it reaches")


def _down_at_the_end_s(share: FailingShare) -> float:
    """Return for how many seconds every request had failed when the sample ended."""
    bad = trailing_answers(tuple(not failed for failed in share.failed))
    return share.offsets_s[-1] - share.offsets_s[-bad] if bad else 0.0


def _describe(found: Confirmation) -> str:
    if found.share is None or not found.share.failed:
        return ""
    return f"; {found.share.request} failed in {found.share.count:,} of {len(found.share.failed):,}"


def _standing(evidence: Evidence, result: Result) -> Result:
    """Return the result updated by its rechecks: healthy again, or broken although a try passed."""
    found = reading(evidence, result)
    if found is None or found.standing not in {FailureState.ENDED, FailureState.BROKEN}:
        return result
    if found.standing is FailureState.ENDED:
        return replace(result, status=Status.PASSED, message="", attribution=None)
    if result.status is Status.FAILED:
        return result
    why = next((one.message for one in reversed(result.attempts) if one.status is not Status.PASSED), "")
    silent = result.confirmation is not None and result.confirmation.silent
    return replace(
        result,
        status=Status.FAILED,
        message=why or found.message,
        attribution=None,
        failure=result.failure or (FailureKind.SERVER_ERROR if silent else None),
    )
