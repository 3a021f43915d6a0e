"""One verdict from the runs of several places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kamiyo_verify.judge.places import votes
from kamiyo_verify.judge.places.requirements import commit_of, left_out, own_call, require_alike
from kamiyo_verify.judge.places.texts import headline, next_step
from kamiyo_verify.judge.places.votes import Votes
from kamiyo_verify.model.places.places import PlaceReport
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.verdict import ItemReport, Rollback, RollbackStep, SloReport, Verdict
from kamiyo_verify.model.words import WORST_FIRST, Action, SloVerdict, Status

_WORST_OBJECTIVE = (SloVerdict.BREACHED, SloVerdict.INSUFFICIENT_EVIDENCE, SloVerdict.MET)
_WORST_CALL = (Action.ROLL_BACK, Action.INCONCLUSIVE, Action.HOLD, Action.FIX_FORWARD, Action.PROCEED)


def combine(
    runs: Iterable[Verdict], policy: Policy, now: datetime, absent: Sequence[PlaceReport] = ()
) -> Verdict:
    """Return the verdict of several places; of one run alone, its own.

    Args:
        runs: one run of each place, in any order.
        policy: holds the quorum, and how old a run may be.
        now: the time, UTC.
        absent: the places that were to be asked and gave no run; they are left out. Where there are some,
            the quorum is of all places, and with fewer runs that count no call is made.

    Raises:
        CannotCombine: the runs are not of one deployment, or too old.
        ValueError: there is no run.
    """
    given = sorted(runs, key=lambda run: run.place)
    if not given:
        raise ValueError("no run was named")
    require_alike(given, now, timedelta(minutes=policy.places_within_min))
    alone = len(given) == 1 and not absent
    heard = given if alone else [run for run in given if not left_out(run)]
    reports = tuple(
        sorted((*(_report(run, alone=alone) for run in given), *absent), key=lambda one: one.place)
    )
    if alone and not isinstance(policy.places_quorum, int):
        return replace(given[0], places=reports)
    counted = {action: sum(own_call(run) is action for run in heard) for action in Action}
    seen = Votes(
        roll_back=counted[Action.ROLL_BACK],
        fix_forward=counted[Action.FIX_FORWARD],
        hold=counted[Action.HOLD],
        proceed=counted[Action.PROCEED],
        undecided=counted[Action.INCONCLUSIVE],
    )
    may_hold = "preflight" in given[0].phase.split("+")
    missing = votes.missing(policy.places_quorum, len(heard), len(reports)) if absent else ""
    action = votes.call(seen, policy.places_quorum, may_hold=may_hold) if not missing else Action.INCONCLUSIVE
    back = [run for run in heard if own_call(run) is Action.ROLL_BACK]
    enough = votes.needed(policy.places_quorum, len(heard))
    disagree = action is Action.ROLL_BACK and not _agree(back, enough)
    action = Action.INCONCLUSIVE if disagree else action
    lead = min(heard or given, key=lambda run: _WORST_CALL.index(own_call(run)))
    without = [one.place for one in reports if one.place not in {run.place for run in heard}]
    description = headline(action, seen, heard, without, disagree=disagree, missing=missing)
    return replace(
        lead,
        commit=max((commit_of(run) for run in given), key=len),
        started_at=min(run.started_at for run in given),
        finished_at=max(run.finished_at for run in given),
        recommendation=action,
        exit_code=action.exit_code,
        headline=description,
        flip="",
        confidence="",
        next_step=next_step(action, lead, heard),
        escalation=lead.escalation if action is own_call(lead) else "",
        reasons=(Reason("", None, None, "", description), *_reasons(heard, action, enough)),
        slos=_objectives(heard),
        items=_items(heard),
        unverified=tuple(dict.fromkeys(one for run in heard for one in run.unverified)),
        rollback=_rollback(back, enough) if action is Action.ROLL_BACK else Rollback(),
        place="",
        network_in_doubt=(),
        places=reports,
    )


def _report(run: Verdict, *, alone: bool) -> PlaceReport:
    return PlaceReport(
        place=run.place,
        recommendation=own_call(run),
        headline=run.headline,
        finished_at=run.finished_at,
        left_out="" if alone else left_out(run),
    )


def _agree(back: Sequence[Verdict], enough: int) -> bool:
    """Return whether enough places name the same ground, and the same deploy where any is named."""
    grounds = Counter(ground for run in back for ground in {one.clause or one.item for one in run.reasons})
    if not any(count >= enough for ground, count in grounds.items() if ground):
        return False
    named = any(run.rollback.services for run in back)
    return not named or bool(_rollback(back, enough).services)


def _rollback(back: Sequence[Verdict], enough: int) -> Rollback:
    """Return the steps that enough places name, with the warnings of all."""
    count = Counter(_target(step) for run in back for step in run.rollback.services)
    agreed: dict[tuple[str, str], RollbackStep] = {}
    for step in (step for run in back for step in run.rollback.services):
        if count[_target(step)] >= enough:
            agreed.setdefault(_target(step), step)
    known = {step.service for run in back for step in run.rollback.services}
    stays = {*(name for run in back for name in run.rollback.stays), *known}
    return Rollback(
        services=tuple(agreed.values()),
        warnings=tuple(dict.fromkeys(one for run in back for one in run.rollback.warnings)),
        stays=tuple(sorted(stays - {step.service for step in agreed.values()})),
    )


def _target(step: RollbackStep) -> tuple[str, str]:
    return step.service, step.to


def _reasons(heard: Sequence[Verdict], action: Action, enough: int) -> tuple[Reason, ...]:
    """Return the reasons of the places that are not well, each once, with the places that give it."""
    if action is Action.PROCEED:
        return ()
    places: dict[tuple[str, str], list[tuple[str, Reason]]] = {}
    for run in heard:
        for reason in run.reasons if own_call(run) is not Action.PROCEED else ():
            places.setdefault((reason.item, reason.clause), []).append((run.place, reason))
    if action is Action.ROLL_BACK:
        clauses = Counter(clause for (_, clause), found in places.items() for _ in {one for one, _ in found})
        places = {key: found for key, found in places.items() if clauses[key[1]] >= enough}
    return tuple(
        replace(found[0][1], message=f"{found[0][1].message} (at {', '.join(place for place, _ in found)})")
        for found in sorted(places.values(), key=lambda found: -len(found))
    )


def _items(heard: Sequence[Verdict]) -> tuple[ItemReport, ...]:
    """Return every item by its worst result, with the place of that result."""
    found: dict[str, list[tuple[str, ItemReport]]] = {}
    for run in heard:
        for item in run.items:
            found.setdefault(item.id, []).append((run.place, item))
    return tuple(_worst(one) for one in found.values())


def _worst(found: Sequence[tuple[str, ItemReport]]) -> ItemReport:
    place, worst = min(found, key=lambda one: WORST_FIRST.index(one[1].status))
    alike = [where for where, item in found if item.status is worst.status]
    if worst.status in {Status.PASSED, Status.NOT_APPLICABLE}:
        return replace(worst, screenshots=())
    description = f"at {', '.join(alike)} of {len(found)} places: {worst.message or place}"
    return replace(worst, message=description, screenshots=())


def _objectives(heard: Sequence[Verdict]) -> tuple[SloReport, ...]:
    """Return every objective by its worst place."""
    found: dict[str, list[tuple[str, SloReport]]] = {}
    for run in heard:
        for report in run.slos:
            found.setdefault(report.id, []).append((run.place, report))
    worst = (min(one, key=lambda pair: _WORST_OBJECTIVE.index(pair[1].verdict)) for one in found.values())
    return tuple(replace(report, message=f"at {place}: {report.message}") for place, report in worst)
