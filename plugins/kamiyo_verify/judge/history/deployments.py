"""Group runs into deployments: their success, time to restore service, and DORA's four key metrics.

The metrics are those of https://dora.dev/guides/dora-metrics-four-keys/. A deployment failed if it needed
a rollback or a fix. A person's recorded decision overrides the recommendation: `kept` makes it a success.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from statistics import median

from kamiyo_verify.model.commits import SHORTEST, same_commit
from kamiyo_verify.model.history.history import Deployed, DeploymentRecord, Dora, PastRun, Tally
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.words import Action, Phase

_WEEK_S = 7 * 24 * 3600.0
TELLING = {Phase.DEPLOY, Phase.POSTDEPLOY, Phase.PERFORMANCE, Phase.ROLLBACK, Phase.FOLLOWUP}
"""Phases whose runs check something that was deployed."""


def deployments(runs: Iterable[PastRun]) -> tuple[DeploymentRecord, ...]:
    """Return every deployment of a known commit, oldest first; runs of one commit form one deployment."""
    groups = _by_commit(runs)
    found: list[DeploymentRecord] = []
    good: dict[str, float] = {}
    for n, group in enumerate(groups):
        record = _record(group, groups[n + 1 :])
        quantiles = _latest_quantiles(group)
        slowdown = {slo: value / good[slo] for slo, value in quantiles.items() if good.get(slo)}
        found.append(replace(record, slowdown=slowdown))
        if record.succeeded:
            good |= quantiles
    return tuple(found)


def success(records: Iterable[DeploymentRecord]) -> Tally:
    """Count the failed deployments among those whose end is known."""
    known = [record for record in records if record.succeeded is not None]
    return Tally(sum(not record.succeeded for record in known), len(known), "deployments")


def dora(records: Sequence[DeploymentRecord], *, window_s: float, now: float) -> Dora:
    """Return the four metrics over the window that ends now.

    Args:
        records: deployments of any time.
        window_s: length of the window, in seconds.
        now: seconds since the epoch.
    """
    recent = [record for record in records if now - window_s <= _epoch(record.began_at) <= now]
    leads = [
        _epoch(record.seen.began_at) + (record.seen.duration_s or 0.0) - _epoch(record.seen.committed_at)
        for record in recent
        if record.seen.began_at and record.seen.committed_at
    ]
    recoveries = [
        _epoch(record.restored_at) - _epoch(record.began_at) for record in recent if record.restored_at
    ]
    return Dora(
        per_week=len(recent) / (window_s / _WEEK_S),
        lead_time_s=median(leads) if leads else None,
        failures=success(recent),
        recovery_s=median(recoveries) if recoveries else None,
    )


def _by_commit(runs: Iterable[PastRun]) -> list[list[PastRun]]:
    groups: list[list[PastRun]] = []
    # Equal commits share a prefix, so only a few of thousands must be compared.
    alike: defaultdict[str, list[tuple[str, list[PastRun]]]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: (run.started_at, run.id)):
        commit = run.deployed.commit
        if not commit or TELLING.isdisjoint(run.phases):
            continue
        near = alike[commit.casefold()[:SHORTEST]]
        group = next((found for known, found in near if same_commit(known, commit)), None)
        if group is None:
            group = []
            groups.append(group)
            near.append((commit, group))
        group.append(run)
    return groups


def _record(group: Sequence[PastRun], later: Sequence[Sequence[PastRun]]) -> DeploymentRecord:
    deeds = sorted(((at, deed) for run in group for deed, at in run.deeds), key=lambda one: one[0])
    seen_restored = any(map(_shows_rollback, group))
    last = deeds[-1][1] if deeds else ""
    rolled_back = last == DecisionKind.ROLLED_BACK or (seen_restored and last != DecisionKind.KEPT)
    succeeded = _succeeded(group, last, rolled_back=rolled_back)
    return DeploymentRecord(
        commit=max((run.deployed.commit for run in group), key=len),
        seen_at=group[0].started_at,
        runs=tuple(run.id for run in group),
        succeeded=succeeded,
        rolled_back=rolled_back,
        seen=together(run.deployed for run in group),
        restored_at=_restored_at(group, later, deeds) if succeeded is False else "",
    )


def _shows_rollback(run: PastRun) -> bool:
    """Return whether a run saw on the host that this commit was rolled back.

    Only a run of the rollback phase alone names the commit that goes; with other phases it names the one that
    answers. It proves the rollback if it found the earlier version live and well.
    """
    return run.phases == (Phase.ROLLBACK,) and run.recommendation is Action.PROCEED


def _succeeded(group: Sequence[PastRun], last: str, *, rolled_back: bool) -> bool | None:
    if last == DecisionKind.KEPT:
        return True
    if rolled_back or last == DecisionKind.FIXED:
        return False
    if any(run.blamed or run.deployed.failed for run in group):
        return False
    return True if any(run.recommendation is Action.PROCEED for run in group) else None


def together(seen: Iterable[Deployed]) -> Deployed:
    """Merge what several runs saw of one deployment; if two values differ, the later one counts."""
    merged: dict[str, object] = {}
    for one in seen:
        for field in fields(Deployed):
            value = getattr(one, field.name)
            if value not in {None, ""}:
                merged[field.name] = value
    return Deployed(**{"commit": "", **merged})  # type: ignore[arg-type]


def _restored_at(
    group: Sequence[PastRun], later: Sequence[Sequence[PastRun]], deeds: Sequence[tuple[str, str]]
) -> str:
    """Return when a decision ended the failure, or when the first later run found everything healthy."""
    if deeds:
        return deeds[-1][0]
    bad = [run.started_at for run in group if run.blamed or run.deployed.failed]
    since = max(bad, default=group[0].started_at)
    well = [
        run.started_at
        for run in (*group, *(run for one in later for run in one))
        if run.started_at > since and run.recommendation is Action.PROCEED
    ]
    return min(well, default="")


def _latest_quantiles(group: Sequence[PastRun]) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in group:
        found |= run.quantiles
    return found


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
