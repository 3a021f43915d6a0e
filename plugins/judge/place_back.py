"""How far the rollback of a service is, by what Render shows.

Nothing is remembered here: whoever begins anew after being cut off asks the same question, and the answer is
the rest of the way.
"""

from __future__ import annotations

from plugins.model.commits import same_commit
from plugins.model.hosting import Deploy, DeployStatus
from plugins.model.rollback import Place, Position, Standing, Target


def place_of(target: Target, now: Standing) -> Place:
    """How far a service is on its way back, by what Render shows now."""
    current, live = now.deploy(target.current), now.live
    if now.suspended:
        return _changed(f"{target.name} is suspended on Render: resume it first, at {target.dashboard}")
    if current is None:
        return _changed(f"Render knows no deploy {target.current} of {target.name}: verify again")
    if live is None:
        return _changed(f"no deploy of {target.name} is live on Render: look at {target.dashboard}")
    under_way = [one for one in now.deploys if one.status.in_progress]
    foreign = next((one for one in under_way if not _returns(one, target, current)), None)
    if foreign is not None:
        return _changed(
            f"another deploy of {target.name} is on its way: {_told(foreign)}; cancel it, or let it end, at"
            f" {target.dashboard}"
        )
    if _returns(live, target, current) or live.id == target.to:
        return Place(Position.BACK, live.id)
    if live.id != target.current:
        return _changed(
            f"{target.name} has changed: {_told(live)} is live, not {target.current}; verify again, and"
            " decide by that"
        )
    if under_way:
        return Place(Position.UNDER_WAY, under_way[0].id)
    to = now.deploy(target.to)
    if to is None or to.status is not DeployStatus.DEACTIVATED:
        said = to.status if to else "not known to Render any more"
        return _changed(
            f"{target.name}: {target.to} is {said}, so that there is no going back to it; choose another:"
            f" --to {target.service}=dep-…"
        )
    return Place(Position.BEFORE)


def failed_before(target: Target, now: Standing) -> Deploy | None:
    """The newest deploy that was to bring the service back and did not get there."""
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


def commit_of(deploy: Deploy) -> str:
    """The commit that it deploys; "" where it is of none."""
    return deploy.commit.id if deploy.commit else ""


def _returns(deploy: Deploy, target: Target, current: Deploy) -> bool:
    """It brings the commit to go back to: by a rollback from here, or by anybody's own hand."""
    newer = deploy.created_at > current.created_at
    return newer and bool(commit_of(deploy)) and same_commit(commit_of(deploy), target.to_commit)


def _changed(why: str) -> Place:
    return Place(Position.CHANGED, why=why)


def _told(deploy: Deploy) -> str:
    commit = f"commit {commit_of(deploy)[:7]}, " if commit_of(deploy) else ""
    return f"{deploy.id} ({commit}{deploy.status.replace('_', ' ')})"
