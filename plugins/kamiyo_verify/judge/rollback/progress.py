"""The progress of one service's rollback, derived from the host's current state.

The module keeps no state: an execution that is interrupted and starts again reads the same state and
continues with the remaining steps.
"""

from __future__ import annotations

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.hosting.rollback import Place, Position, Target
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus, ServiceState


def progress_of(target: Target, now: ServiceState) -> Place:
    """Return how far the rollback of a service is, derived from the host's current state."""
    current, live = now.deploy(target.current), now.live
    if now.suspended:
        return _changed(f"{target.name} is suspended: resume it first{_at(target)}")
    if current is None:
        return _changed(f"the host knows no deploy {target.current} of {target.name}: verify again")
    if live is None:
        return _changed(f"no deploy of {target.name} is live{_at(target, ': look at ')}")
    under_way = [one for one in now.deploys if one.status.in_progress]
    foreign = next((one for one in under_way if not _returns(one, target, current)), None)
    if foreign is not None:
        return _changed(
            f"another deploy of {target.name} is on its way: {_describe(foreign)}; cancel it, or let it"
            f" end{_at(target)}"
        )
    if _returns(live, target, current) or live.id == target.to:
        return Place(Position.BACK, live.id)
    if live.id != target.current:
        return _changed(
            f"{target.name} has changed: {_describe(live)} is live, not {target.current}; verify again, and"
            " decide by that"
        )
    if under_way:
        return Place(Position.UNDER_WAY, under_way[0].id)
    to = now.deploy(target.to)
    if to is None or to.status is not DeployStatus.DEACTIVATED:
        said = to.status if to else "not known to the host any more"
        return _changed(
            f"{target.name}: {target.to} is {said}, so that there is no going back to it; choose another:"
            f" --to {target.service}=DEPLOY"
        )
    return Place(Position.BEFORE)


def failed_before(target: Target, now: ServiceState) -> Deploy | None:
    """Return the newest deploy that attempted the rollback and failed."""
    current = now.deploy(target.current)
    return next(
        (
            one
            for one in now.deploys
            if current
            and _returns(one, target, current)
            and (one.status.failed or one.status is DeployStatus.CANCELED)
        ),
        None,
    )


def _returns(deploy: Deploy, target: Target, current: Deploy) -> bool:
    """Return whether a deploy brings the target commit: by this tool's rollback, or by a manual one."""
    newer = deploy.created_at > current.created_at
    return newer and bool(deploy.commit_id) and same_commit(deploy.commit_id, target.to_commit)


def _changed(why: str) -> Place:
    return Place(Position.CHANGED, why=why)


def _at(target: Target, before: str = ", at ") -> str:
    """Where a person looks; "" if the host has no page of the service."""
    return before + target.dashboard if target.dashboard else ""


def _describe(deploy: Deploy) -> str:
    commit = f"commit {deploy.commit_id[:7]}, " if deploy.commit_id else ""
    return f"{deploy.id} ({commit}{deploy.status.replace('_', ' ')})"
