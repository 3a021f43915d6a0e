"""Choose the recorded runs of an environment that are no longer needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kamiyo_verify.judge.history.availability import window_seconds
from kamiyo_verify.judge.history.deployments import deployments
from kamiyo_verify.judge.rollback.targets import bad_commits
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.history.history import DeploymentRecord, PastRun
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind, Ending, Outline
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Action, Phase

_DAY_S = 24 * 3600.0
_FOLLOWED_S = 14 * _DAY_S
"""Seconds for which a deployment's follow-ups may still be due: see `due`."""

_SUCCESS = "deployment-success"
"""The id of the objective that counts deployments; it has no window."""

_COMPARED_COMMITS = 2
"""A run of the newest good commit is compared with the one before."""

BASELINE = "later runs are compared with it"
DECIDED = "people recorded a decision about it"
BAD_COMMIT = "it shows that its commit must not be rolled back to"
WINDOW = "it is within the window of an objective"
DEPLOYMENTS = "it is among the deployments that an objective counts"
TOGETHER = "another run of its deployment is kept"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long runs are kept; a run stays that either limit keeps.

    Attributes:
        days: younger runs are kept; 0 for no such limit.
        runs: so many of the newest runs are kept; 0 for no such limit.
    """

    days: int = 0
    runs: int = 0

    def __bool__(self) -> bool:
        return bool(self.days or self.runs)


@dataclass(frozen=True, slots=True)
class Retention:
    """What a removal would do.

    Attributes:
        removed: runs that are not needed, oldest first.
        kept: runs over the limits that are still needed, oldest first, each with the reason.
        within: how many runs are within the limits.
    """

    removed: tuple[Outline, ...]
    kept: tuple[tuple[Outline, str], ...]
    within: int


def retention(
    runbook: Runbook,
    limits: Limits,
    outlines: Sequence[Outline],
    past: Sequence[PastRun],
    decisions: Iterable[Decision],
    *,
    baseline_max_age_h: float,
    now: float,
) -> Retention:
    """Return the runs that nothing needs and that are over the limits.

    Args:
        runbook: the runbook with the objectives.
        limits: the limits of this environment.
        outlines: every run of the environment, oldest first.
        past: its runs that count in the history.
        decisions: people's decisions about its runs.
        baseline_max_age_h: hours for which a run can be compared with.
        now: seconds since the epoch.
    """
    over = _over(limits, outlines, now) if limits else []
    records = deployments(past)
    decided = [*decisions]
    needed: dict[str, str] = {}
    for run, why in (
        *((one.run, DECIDED) for one in decided),
        *_of_bad_commits(records, past),
        *((run, BASELINE) for run in _compared(outlines, decided)),
        *((run, WINDOW) for run in _in_a_window(runbook, outlines, baseline_max_age_h * 3600, now)),
        *((run, DEPLOYMENTS) for run in _counted(runbook, records)),
    ):
        needed.setdefault(run, why)
    ids = {one.id for one in over}
    for record in records:
        if any(run not in ids or run in needed for run in record.runs):
            for run in record.runs:
                needed.setdefault(run, TOGETHER)
    return Retention(
        removed=tuple(one for one in over if one.id not in needed),
        kept=tuple((one, needed[one.id]) for one in over if one.id in needed),
        within=len(outlines) - len(over),
    )


def deployments_needed(runbook: Runbook) -> int:
    """Return how many deployments the objective of successful deployments needs, whatever their age.

    Without a failure, so many show that it is met at the policy's confidence: 59 for 95 %.
    """
    confidence = runbook.policy.confidence
    shares = [one.objective for one in runbook.slos if one.id == _SUCCESS]
    counts = [math.ceil(math.log(1 - confidence) / math.log(share)) for share in shares if 0 < share < 1]
    return max([_COMPARED_COMMITS, *counts])


def _over(limits: Limits, outlines: Sequence[Outline], now: float) -> list[Outline]:
    newest = {one.id for one in outlines[-limits.runs :]} if limits.runs else set()
    since = now - limits.days * _DAY_S if limits.days else math.inf
    return [one for one in outlines if one.id not in newest and _epoch(one.finished_at) < since]


def _compared(outlines: Sequence[Outline], decisions: Iterable[Decision]) -> Iterator[str]:
    """Yield, of each place, its last baseline and its last good runs of different commits."""
    last = {one.run: one.deed for one in decisions}
    bad = {DecisionKind.ROLLED_BACK, DecisionKind.FIXED}
    baselines: set[str] = set()
    commits: dict[str, list[str]] = {}
    for one in reversed(outlines):
        if one.ending is not Ending.FINISHED or one.combined:
            continue
        if one.baseline:
            if one.place not in baselines:
                yield one.id
            baselines.add(one.place)
        elif _is_good(one) and last.get(one.id) not in bad:
            known = commits.setdefault(one.place, [])
            new = not any(one.commit == other or same_commit(one.commit, other) for other in known)
            if new and len(known) < _COMPARED_COMMITS:
                known.append(one.commit)
                yield one.id


def _is_good(one: Outline) -> bool:
    return one.recommendation is Action.PROCEED and not one.drill and Phase.POSTDEPLOY in one.phases


def _of_bad_commits(
    records: Sequence[DeploymentRecord], past: Sequence[PastRun]
) -> Iterator[tuple[str, str]]:
    bad = {*bad_commits(records, past)}
    yield from ((run, BAD_COMMIT) for one in records if one.commit in bad for run in one.runs)


def _in_a_window(
    runbook: Runbook, outlines: Iterable[Outline], compared_s: float, now: float
) -> Iterator[str]:
    windows = [window_seconds(one.window) for one in runbook.slos if one.kind == "history"]
    since = now - max([*windows, compared_s, _FOLLOWED_S])
    yield from (one.id for one in outlines if _epoch(one.finished_at) >= since)


def _counted(runbook: Runbook, records: Sequence[DeploymentRecord]) -> Iterator[str]:
    known = [one for one in records if one.succeeded is not None]
    for one in (*known[-deployments_needed(runbook) :], *records[-_COMPARED_COMMITS:]):
        yield from one.runs


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def reasons(kept: Iterable[tuple[Outline, str]]) -> Mapping[str, int]:
    """Return how many runs each reason keeps, the most frequent one first."""
    counts: dict[str, int] = {}
    for _, why in kept:
        counts[why] = counts.get(why, 0) + 1
    return dict(sorted(counts.items(), key=lambda one: -one[1]))
