"""The confidence of the call in words, and its basis: agreeing tries and rechecks, or an interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from kamiyo_verify.judge.attribution.before import why_not_compared
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.data_loss import counted_items, falls
from kamiyo_verify.model.figures import counted, duration, percent
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, SloVerdict, Status

_NAMED = 3
_SURE = 3
"""Tries and rechecks of an item that all failed, from which on the confidence is high."""


def confidence(
    evidence: Evidence, action: Action, reasons: Sequence[Reason], slos: Sequence[SloReport]
) -> str:
    """Return the confidence in a word, and its basis, as one sentence.

    "high": intervals or counts decide, or an item failed in every one of at least three tries and rechecks;
    "moderate": an item failed more than once; "low": each failed only once; "none": the run is inconclusive.
    """
    if action is Action.PROCEED:
        return _all_seen(evidence, slos)
    found = (evidence.result(reason.item) for reason in reasons if reason.item)
    failed = [one for one in found if one is not None and one.status is Status.FAILED]
    description = [*_measured(evidence, reasons, slos), *([_failures(failed)] if failed else [])]
    basis = f": {'; '.join(description)}" if description else ""
    if action is Action.INCONCLUSIVE:
        return f"none: the evidence does not suffice{basis.replace(': ', '; ', 1)}"
    if not description:
        return ""
    sampled = any(one.confirmation and one.confirmation.share for one in failed)
    by_interval = any(_measured(evidence, reasons, slos)) or (action is Action.ROLL_BACK and sampled)
    return f"{'high' if by_interval else _level(failed)}{basis}"


def _level(failed: Sequence[Result]) -> str:
    observed = [(bad, total) for result in failed for bad, total in [_observed(result)]]
    if any(bad == total >= _SURE for bad, total in observed):
        return "high"
    return "moderate" if any(bad > 1 for bad, _ in observed) else "low"


def _measured(evidence: Evidence, reasons: Sequence[Reason], slos: Sequence[SloReport]) -> Iterator[str]:
    """Yield the reasons that intervals or counts of rows prove."""
    decided = {report.id for report in slos if _decides(report)}
    proven = {name for slo in evidence.runbook.slos if slo.id in decided for name in (slo.item, slo.id)}
    named = [reason.item for reason in reasons if reason.item and reason.item in proven]
    if named:
        sure = percent(evidence.runbook.policy.confidence)
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        yield f"intervals at {sure} confidence for {', '.join(named[:_NAMED])}{more}"
    counting = counted_items(evidence.runbook)
    if any(reason.item in counting for reason in reasons) and (lost := falls(evidence)):
        yield f"fewer rows at {counted(len(lost), 'endpoint')}"


def _decides(report: SloReport) -> bool:
    """Return whether the objective has samples, and an interval of them decides it."""
    bounds = report.interval or (None, None)
    known = any(end is not None for end in bounds)
    return bool(report.samples) and known and report.verdict is not SloVerdict.INSUFFICIENT_EVIDENCE


def _observed(result: Result) -> tuple[int, int]:
    """Return how many tries and rechecks of an item did not pass, and how many there were."""
    found = result.confirmation
    looks = found.rechecks if found else ()
    seen = [*(one.status for one in result.attempts), *(one.status for one in looks)]
    return (sum(one is not Status.PASSED for one in seen), len(seen)) if seen else (1, 1)


def _failures(failed: Sequence[Result]) -> str:
    """Describe how often the failed items failed, all together."""
    observed = [_observed(result) for result in failed]
    bad, total = sum(one for one, _ in observed), sum(one for _, one in observed)
    who = failed[0].item if len(failed) == 1 else f"{len(failed)} items"
    if bad == total == len(failed):
        return f"{who} failed in the only try{' of each' if len(failed) > 1 else ''}"
    sampled = [one.confirmation.share for one in failed if one.confirmation and one.confirmation.share]
    shares = [share for share in sampled if share.count]
    share = (
        f", and {shares[0].count:,} of {len(shares[0].failed):,} sampled requests failed" if shares else ""
    )
    return f"{who} failed in {bad:,} of {total:,} tries and rechecks{_over(failed)}{share}"


def _over(failed: Sequence[Result]) -> str:
    """Return the time from the first to the last try or recheck, such as " over 63 s", or ""."""
    times = []
    for result in failed:
        looks = result.confirmation.rechecks if result.confirmation else ()
        for text in (*(one.started_at for one in result.attempts), *(one.at for one in looks)):
            try:
                times.append(datetime.fromisoformat(text))
            except ValueError:
                return ""
    seconds = (max(times) - min(times)).total_seconds() if times else 0.0
    return f" over {duration(seconds)}" if seconds >= 1 else ""


def _all_seen(evidence: Evidence, slos: Sequence[SloReport]) -> str:
    """Return how many required items passed, why the others do not count, and how many objectives are met."""
    required = [
        (item, result)
        for item, result in evidence.outcomes
        if item.impact in evidence.runbook.policy.required_impacts and item.id not in evidence.no_check
    ]
    absent = [item.id for item, result in required if result.status is Status.NOT_APPLICABLE]
    spared = [item.id for item, result in required if item.optional and result.status is Status.UNVERIFIED]
    counting = [result for item, result in required if item.id not in {*absent, *spared}]
    seen = sum(result.status is Status.PASSED for result in counting)
    met = sum(report.verdict is SloVerdict.MET for report in slos)
    open_ones = sum(report.verdict is SloVerdict.INSUFFICIENT_EVIDENCE for report in slos)
    sure = percent(evidence.runbook.policy.confidence)
    description = [f"{seen} of {counted(len(counting), 'required item')} passed"]
    if spared:
        description.append(f"{counted(len(spared), 'optional one')} not verified ({_listed(spared)})")
    if absent:
        description.append(f"{len(absent)} not applicable in {evidence.environment} ({_listed(absent)})")
    if slos:
        undecided = f", {open_ones} undecided" if open_ones else ""
        description.append(f"{met} of {counted(len(slos), 'objective')} met at {sure} confidence{undecided}")
    if why := why_not_compared(evidence):
        description.append(f"nothing is compared with before: {why}")
    return f"high: {'; '.join(description)}" if seen == len(counting) else "; ".join(description)


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")
