"""The simulated confirmation: looks over time and a follow-up sample, at production's pace."""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.calibration.traffic import Traffic, is_well, moment, seconds_of
from kamiyo_verify.judge.confirmation.confirmed import FEW_USERS
from kamiyo_verify.judge.confirmation.shares import counts_after_spell, spell_is_over, verdict_after_spell
from kamiyo_verify.judge.slo.lines import Side, limit_of
from kamiyo_verify.judge.statistics.sequences import shows_above, shows_below
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Status

FINAL_AFTER_S = 60.0
AT_MOST_S = 150.0
_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
_LONGEST_PAUSE_S = FINAL_AFTER_S / 8


def confirmed(
    traffic: Traffic, result: Result, service: str, policy: Policy, at_s: float
) -> tuple[Result, float]:
    """Look again at an item that failed at least once; return it, and when that ended.

    Args:
        traffic: sends the requests.
        result: of its tries.
        service: which serves the item.
        policy: its line decides how long to look.
        at_s: when the confirmation begins.
    """
    first_s = next(seconds_of(one.started_at) for one in result.attempts if one.status is Status.FAILED)
    pauses = iter(_PAUSES_S)
    looks: list[Recheck] = []
    sample: list[tuple[float, bool]] = []
    look_s, now_s = at_s, at_s
    while True:
        if now_s >= look_s:
            looks.append(_look(traffic, result, service, now_s))
            look_s = now_s + next(pauses, _LONGEST_PAUSE_S)
        sample.append((now_s - at_s, not is_well(traffic.ask(service, result.item, now_s))))
        offsets, failed = zip(*sample, strict=True)
        share = FailingShare(f"GET /{result.item}", moment(at_s), offsets, failed)
        late = now_s >= first_s + FINAL_AFTER_S
        if (late and _is_known(share, looks, policy)) or now_s >= at_s + AT_MOST_S:
            break
        now_s += 1.0
    looks.append(_look(traffic, result, service, now_s))
    bad = [sent for sent in result.exchanges if not is_well(sent.status)]
    silent = all(sent.status is None or sent.status >= 500 for sent in bad)
    return replace(
        result, confirmation=Confirmation(moment(first_s), tuple(looks), share, silent=silent)
    ), now_s


def _is_known(share: FailingShare, looks: list[Recheck], policy: Policy) -> bool:
    """Return whether more looks or requests would change nothing, by the rules of a real run."""
    found = limit_of(policy, None)
    line = found.limit if found and found.limit else FEW_USERS
    if all(look.status is Status.FAILED for look in looks) or spell_is_over(share, line, policy.confidence):
        return True
    bad, total = counts_after_spell(share)
    counts = (bad, total, line, policy.confidence)
    decided = total and (shows_below(*counts) or shows_above(*counts))
    return bool(decided) and verdict_after_spell(share, line, policy.confidence).side is not Side.STRADDLING


def _look(traffic: Traffic, result: Result, service: str, at_s: float) -> Recheck:
    well = is_well(traffic.ask(service, result.item, at_s))
    return Recheck(moment(at_s), Status.PASSED if well else Status.FAILED, "" if well else "it failed")
