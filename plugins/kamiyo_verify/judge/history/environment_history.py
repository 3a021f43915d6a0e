"""Build the history page of an environment from its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.deployments import TELLING, deployments, dora
from kamiyo_verify.judge.history.history import history
from kamiyo_verify.judge.history.recent import ended, recent
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.model.history.environment_history import (
    Aside,
    Deployment,
    EnvironmentHistory,
    Remembered,
    Uncounted,
)
from kamiyo_verify.model.history.history import DeploymentRecord, History
from kamiyo_verify.model.history.recorded_run import Decision, Ending, Outline
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action

DORA_DAYS = 90
MOST_ASIDES = 30
MOST_CHARTED = 40
"""Maximum number of deployments in a chart; with more, a bar would be thinner than a line."""

_GRAVEST_LAST = (
    Action.INCONCLUSIVE,
    Action.PROCEED,
    Action.HOLD,
    Action.FIX_FORWARD,
    Action.ROLL_BACK,
)


def environment_history(runbook: Runbook, known: Remembered, *, now: float, most: int) -> EnvironmentHistory:
    """Return the history of an environment.

    Args:
        runbook: the runbook with the objectives.
        known: the data from the ledger.
        now: seconds since the epoch.
        most: maximum number of deployments to show.
    """
    records = deployments(known.past)
    past = history(runbook, known.past, known.traffic, commit="", now=now)
    asides = _asides(known.outlines, records)
    return EnvironmentHistory(
        environment=known.environment,
        ledger=known.ledger,
        at=datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        lasting=lasting(runbook, known.environment, past),
        measured=tuple(one for one in runbook.slos if one.kind != "history"),
        availability=past.availability,
        dora=dora(records, window_s=DORA_DAYS * 86_400.0, now=now),
        days=DORA_DAYS,
        recent=recent(records, known.past, most=MOST_CHARTED),
        deployments=_deployments(records[-most:], known),
        earlier=max(0, len(records) - most),
        asides=tuple(reversed(asides[-MOST_ASIDES:])),
        earlier_asides=max(0, len(asides) - MOST_ASIDES),
    )


def lasting(runbook: Runbook, environment: str, past: History) -> tuple[SloReport, ...]:
    """Return the reports on the objectives that need many runs."""
    of_many = runbook.model_copy(update={"slos": tuple(one for one in runbook.slos if one.kind == "history")})
    return slo.judge(
        Evidence(runbook=of_many, environment=environment, phases=(), results=(), expected=(), history=past)
    )


def _deployments(records: Sequence[DeploymentRecord], known: Remembered) -> tuple[Deployment, ...]:
    outlines = {one.id: one for one in known.outlines}
    last_word = {one.run: one for one in known.decisions}
    return tuple(_deployment(record, outlines, last_word) for record in reversed(records))


def _deployment(
    record: DeploymentRecord, outlines: Mapping[str, Outline], last_word: Mapping[str, Decision]
) -> Deployment:
    runs = tuple(outlines[run] for run in record.runs)
    decisions = [last_word[run] for run in record.runs if run in last_word]
    values: dict[str, float] = {}
    for run in runs:
        values |= run.values
    return Deployment(
        record=record,
        ended=ended(record),
        gravest=max(reversed(runs), key=lambda run: _GRAVEST_LAST.index(run.recommendation)),
        runs=runs,
        decision=max(decisions, key=lambda one: one.at, default=None),
        values=values,
    )


def _asides(outlines: Sequence[Outline], records: Sequence[DeploymentRecord]) -> list[Aside]:
    counted = {run for record in records for run in record.runs}
    return [Aside(run, _why(run)) for run in outlines if run.id not in counted]


def _why(run: Outline) -> Uncounted:
    if run.drill:
        return Uncounted.DRILL
    if run.baseline:
        return Uncounted.BASELINE
    if run.ending is not Ending.FINISHED:
        return Uncounted.CUT_SHORT
    return Uncounted.BEFORE if run.phases and TELLING.isdisjoint(run.phases) else Uncounted.NAMELESS
