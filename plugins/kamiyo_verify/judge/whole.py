"""One verdict of several runs of one deployment: the phases of a CI job, or the rounds of a watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kamiyo_verify.judge.conclusion import undecided
from kamiyo_verify.model.history.round import Round
from kamiyo_verify.model.history.watch import WatchPlan, WatchState
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.verdict import Rollback, Verdict

_READ_THEM = "read the report of each run, and run it again"


def verdict_of_round(found: Round, project: str, finished_at: str) -> Verdict:
    """Return the call of a round, with the items and objectives of all its runs.

    Args:
        found: the round.
        project: the project's name.
        finished_at: when the round ended; UTC, ISO 8601.
    """
    decisive = found.decisive
    lead = decisive.verdict if decisive and not decisive.why else None
    why = f"{decisive.phase}: {decisive.why}" if decisive else found.why
    runs = found.verdicts
    phases = [part for run in runs for part in run.phase.split("+")]
    phases += [turn.phase for turn in found.turns if turn.verdict is None]
    lead = lead or undecided(
        project=project,
        environment=found.environment,
        phase="",
        commit=found.commit,
        started_at=finished_at,
        finished_at=finished_at,
        headline=why or "nothing was verified",
        next_step=_READ_THEM,
    )
    return replace(
        lead,
        phase="+".join(dict.fromkeys(phases)),
        started_at=min((run.started_at for run in runs), default=lead.started_at),
        finished_at=finished_at,
        recommendation=found.recommendation,
        exit_code=found.recommendation.exit_code,
        items=tuple({item.id: item for run in runs for item in run.items}.values()),
        slos=tuple({slo.id: slo for run in runs for slo in run.slos}.values()),
        unverified=tuple({one.item: one for run in runs for one in run.unverified}.values()),
    )


def verdict_of_watch(
    plan: WatchPlan, state: WatchState, rounds: Sequence[Verdict], project: str, finished_at: str
) -> Verdict:
    """Return the final call of a watch, with the items and objectives of a round that shows it.

    Args:
        plan: of the watch.
        state: its final state.
        rounds: the verdicts of its rounds, in order.
        project: the project's name.
        finished_at: when the watch ended; UTC, ISO 8601.
    """
    agreeing = [run for run in rounds if run.recommendation is state.final]
    lead = (agreeing or [*rounds])[-1] if rounds else _without_rounds(plan, project, finished_at)
    same = bool(agreeing)
    return replace(
        lead,
        commit=plan.commit or lead.commit,
        started_at=plan.started_at,
        finished_at=finished_at,
        recommendation=state.final,
        exit_code=state.final.exit_code,
        headline=state.why,
        flip="",
        confidence="",
        next_step=lead.next_step if same else "read the reports of the rounds, and watch it again",
        escalation=lead.escalation if same else "",
        reasons=(Reason("", None, None, "", state.why), *(lead.reasons if same else ())),
        rollback=lead.rollback if same else Rollback(),
    )


def _without_rounds(plan: WatchPlan, project: str, finished_at: str) -> Verdict:
    return undecided(
        project=project,
        environment=plan.environment,
        phase="",
        commit=plan.commit,
        started_at=plan.started_at,
        finished_at=finished_at,
        headline="no round left a verdict",
        next_step=_READ_THEM,
    )
