"""The rollback target of each service, or why there is none.

A target is an earlier deploy of another commit that was live, whose last time in service did not end with a
rollback, and whose commit has no rollback verdict against it. A verdict to fix forward does not exclude a
commit: it recommended to keep that version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.history import DeploymentRecord, PastRun
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus, ServiceState
from kamiyo_verify.model.words import Action


class NoTarget(StrEnum):
    """Why a service has no rollback target."""

    SUSPENDED = "suspended"
    NOTHING_LIVE = "nothing live"
    NO_EARLIER_DEPLOY = "no earlier deploy"
    """The live deploy is the first one, or the host does not keep earlier ones."""
    MAINTENANCE = "maintenance"
    BUILD_GONE = "build gone"
    SAME_COMMIT = "same commit"
    ALL_BAD = "all bad"


_INSTEAD = {
    NoTarget.SUSPENDED: (
        "it is suspended at the host, and runs no version at all: resume it, then verify again"
    ),
    NoTarget.MAINTENANCE: (
        "it is in maintenance mode at the host, which answers 503 in its place, so its own answers were not"
        " seen: switch maintenance mode off, then verify again"
    ),
    NoTarget.NOTHING_LIVE: "no deploy of it is live: deploy a commit that is known to be good",
    NoTarget.NO_EARLIER_DEPLOY: (
        "the host lists no earlier deploy that was live (this is its first, or earlier ones are past the"
        " host's retention): repair and deploy again, or deploy an earlier commit anew, which builds it"
    ),
    NoTarget.SAME_COMMIT: (
        "every earlier deploy that the host lists is of the same commit, so the cause is not in the code:"
        " look at what else changed, such as variables, data, or a service that it relies on"
    ),
    NoTarget.ALL_BAD: (
        "every earlier deploy that the host lists was rolled back, or is under a rollback verdict: repair and"
        " deploy again"
    ),
}
_DECISIVE = {Action.PROCEED, Action.FIX_FORWARD, Action.ROLL_BACK}


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """The deploy to roll back to, or why there is none.

    Attributes:
        anew: for BUILD_GONE: how to build and deploy the commit again.
    """

    deploy: Deploy | None
    why_not: NoTarget | None = None
    anew: str = ""

    @property
    def instead(self) -> str:
        """What to do instead if there is no target; "" if there is one."""
        if self.why_not is NoTarget.BUILD_GONE:
            return f"the host keeps no build of an earlier commit any more: {self.anew}"
        return _INSTEAD[self.why_not] if self.why_not else ""


def target_of(state: ServiceState, bad_commits: Iterable[str] = ()) -> TargetChoice:
    """Choose the deploy that a service can be rolled back to.

    Args:
        state: state of the service, with all deploys that the host lists.
        bad_commits: commits that are known to be bad from other sources than the host.
    """
    live = state.live
    if state.suspended:
        return TargetChoice(None, NoTarget.SUSPENDED)
    if state.maintenance:
        return TargetChoice(None, NoTarget.MAINTENANCE)
    if live is None:
        return TargetChoice(None, NoTarget.NOTHING_LIVE)
    earlier = [one for one in state.deploys if _was_live(one) and one.created_at < live.created_at]
    if not earlier:
        return TargetChoice(None, NoTarget.NO_EARLIER_DEPLOY)
    others = [one for one in earlier if not _of_one(one, live.commit_id)]
    if not others:
        return TargetChoice(None, NoTarget.SAME_COMMIT)
    bad = [*bad_commits, *rolled_back(state.deploys)]
    good = (one for one in others if not any(_of_one(one, commit) for commit in bad))
    found = next(good, None)
    if found is None:
        return TargetChoice(None, NoTarget.ALL_BAD)
    if not _is_kept(state, found):
        return TargetChoice(None, NoTarget.BUILD_GONE, deployed_anew(state, found))
    return TargetChoice(found)


def deployed_anew(state: ServiceState, deploy: Deploy) -> str:
    """Return how to build and deploy the commit of a deploy again, and how long that took then."""
    commit = deploy.commit_id
    call = f": {state.redeploy.replace('{commit}', commit)}" if state.redeploy else ""
    took_s = (deploy.finished_at - deploy.created_at).total_seconds() if deploy.finished_at else 0.0
    took = f" (it took {duration(took_s)} then)" if took_s > 0 and not deploy.is_rollback else ""
    return f"deploy commit {commit[:7]} anew, which builds it{took}{call}"


def rolled_back(deploys: Sequence[Deploy]) -> tuple[str, ...]:
    """Return the commits whose last time in service ended with a rollback to another commit.

    Args:
        deploys: deploys of one service, newest first.
    """
    served = [one for one in deploys if one.status.succeeded and one.commit_id]
    ended: dict[str, bool] = {}
    for newer, older in pairwise(served):
        if newer.commit_id != older.commit_id:
            ended.setdefault(older.commit_id, newer.is_rollback)
    if served:
        ended[served[0].commit_id] = False  # it is live, or was the last one that was
    return tuple(commit for commit, by_rollback in ended.items() if by_rollback)


def bad_commits(records: Iterable[DeploymentRecord], runs: Iterable[PastRun]) -> tuple[str, ...]:
    """Return the commits that must not be rolled back to.

    People rolled them back, or the last decisive verdict recommended it and no decision was to keep them.
    """
    by_id = {run.id: run for run in runs}
    found = []
    for record in records:
        own = [by_id[run] for run in record.runs if run in by_id]
        decided = sorted((at, kind) for run in own for kind, at in run.deeds)
        kept = bool(decided) and decided[-1][1] == DecisionKind.KEPT
        calls = [run.recommendation for run in own if run.recommendation in _DECISIVE]
        condemned = bool(calls) and calls[-1] is Action.ROLL_BACK
        if not kept and (record.rolled_back or condemned):
            found.append(record.commit)
    return tuple(found)


def _is_kept(state: ServiceState, deploy: Deploy) -> bool:
    """Return whether the host still has the build of a deploy; True if it is not known."""
    built = [one for one in state.deploys if one.status.succeeded and not one.is_rollback]
    kept = built[: state.builds_kept] if state.builds_kept else [deploy]
    return any(one.commit_id == deploy.commit_id for one in kept)


def _was_live(deploy: Deploy) -> bool:
    return deploy.status is DeployStatus.DEACTIVATED


def _of_one(deploy: Deploy, commit: str) -> bool:
    """Return whether a deploy is of that commit; image deploys have no commit and count as equal."""
    return same_commit(deploy.commit_id, commit)
