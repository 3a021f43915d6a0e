"""The follow-ups of a deployment that are due: an hour, a day and a week after it went live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kamiyo_verify.judge.history.deployments import deployments
from kamiyo_verify.model.history.history import DeploymentRecord, PastRun
from kamiyo_verify.model.words import Phase

_HOUR_S = 3600.0
FOLLOW_UPS = {"+1 h": _HOUR_S, "+24 h": 24 * _HOUR_S, "+1 week": 7 * 24 * _HOUR_S}
"""Seconds after the deployment went live, by name; the times come from the runbook."""

_TOO_LATE_S = 14 * 24 * _HOUR_S
"""Seconds. An older deployment gets no follow-up, for example when an old ledger is restored."""


@dataclass(frozen=True, slots=True)
class Due:
    """The follow-ups that are due.

    Attributes:
        commit: commit of the deployment; "" if nothing is due.
        names: names of the follow-ups; one run covers all of them.
        why: the reason, in a sentence.
    """

    commit: str
    names: tuple[str, ...]
    why: str


def due(runs: Sequence[PastRun], *, now: float) -> Due:
    """Return the follow-ups of the live deployment that are due and not done.

    Args:
        runs: the ledger's runs of the environment.
        now: seconds since the epoch.
    """
    record = next((one for one in reversed(deployments(runs)) if one.seen.failed is not True), None)
    if record is None:
        return Due("", (), "the ledger knows of no deployment")
    if record.rolled_back:
        return Due("", (), f"{record.commit[:7]} was taken back")
    own = [run for run in runs if run.id in record.runs]
    live_at = _live_at(record, own)
    age = now - live_at
    done = max((_epoch(run.started_at) for run in own if Phase.FOLLOWUP in run.phases), default=live_at)
    names = tuple(
        name for name, after in FOLLOW_UPS.items() if done < live_at + after <= now and age < _TOO_LATE_S
    )
    if names:
        return Due(record.commit, names, f"{', '.join(names)} of {record.commit[:7]}: due")
    coming = next((name for name, after in FOLLOW_UPS.items() if age < after), "")
    rest = f"{coming} comes next" if coming else "all are done, or it is too long ago"
    return Due("", (), f"nothing is due of {record.commit[:7]}: {rest}")


def _live_at(record: DeploymentRecord, own: Iterable[PastRun]) -> float:
    """Return when the deployment went live; if no run saw that, when a later run first checked it."""
    seen = record.seen
    if seen.began_at and seen.duration_s is not None:
        return _epoch(seen.began_at) + seen.duration_s
    looked = [run.started_at for run in own if Phase.POSTDEPLOY in run.phases]
    return _epoch(min(looked, default=record.seen_at))


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
