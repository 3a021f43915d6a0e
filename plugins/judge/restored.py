"""Whether a rollback really brought the version before the bad one back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from plugins.model.commits import same_commit
from plugins.model.hosting import Deploy, DeployStatus


@dataclass(frozen=True, slots=True)
class Restored:
    """One service after a rollback.

    Attributes:
        live: the deploy that serves; None where none does.
        bad: the deploy that was to be taken back; None where there is none.
        problem: why it is not back, or "".
        stays: it was not to be taken back.
    """

    live: Deploy | None
    bad: Deploy | None
    problem: str
    stays: bool = False

    @property
    def commit(self) -> str:
        """The commit that serves, or ""."""
        return _commit(self.live)

    @property
    def withstands_a_push(self) -> bool:
        """The next push undoes nothing: what serves reverts the bad commit, or nothing was taken back."""
        return self.stays or self.reverts

    @property
    def reverts(self) -> bool:
        """What serves is a new commit that says that it reverts the bad one."""
        return _reverts(self.live, self.bad)


def restored(deploys: Sequence[Deploy], bad_commit: str, *, stays: bool = False) -> Restored:
    """How a service stands after a rollback.

    Args:
        deploys: all of the service, newest first.
        bad_commit: the release that was taken back; "" for the one that was live before what serves now.
        stays: the service was left as it was on purpose.
    """
    live = next((deploy for deploy in deploys if deploy.status is DeployStatus.LIVE), None)
    if live is None:
        return Restored(None, None, "no deploy of it is live")
    if stays:
        return Restored(live, live, "", stays=True)
    before = [one for one in deploys if one.created_at < live.created_at and one.status.succeeded]
    bad = next((one for one in before if _is_bad(one, live, bad_commit)), None)
    if bad_commit and same_commit(_commit(live), bad_commit):
        return Restored(live, live, f"{_commit(live)[:7]}, which was to be taken back, is still live")
    if bad is None:
        return Restored(
            live, None, f"no release was live before {_commit(live)[:7]} that it could have replaced"
        )
    earlier = any(_commit(one) == _commit(live) for one in before if one.created_at < bad.created_at)
    if not earlier and not _reverts(live, bad):
        problem = f"{_commit(live)[:7]} is live, which was never live before: nothing was taken back"
        return Restored(live, bad, problem)
    return Restored(live, bad, "")


def rolled_back_from(restored: Mapping[str, Restored]) -> datetime | None:
    """When the deployment of the bad release began, on the first service; None where there is none."""
    return min((one.bad.created_at for one in restored.values() if one.bad), default=None)


def _is_bad(deploy: Deploy, live: Deploy, bad_commit: str) -> bool:
    if bad_commit:
        return same_commit(_commit(deploy), bad_commit)
    return _commit(deploy) != _commit(live)


def _reverts(live: Deploy | None, bad: Deploy | None) -> bool:
    """By the words that `git revert` writes."""
    message = live.commit.message if live and live.commit else ""
    return bool(_commit(bad)) and f"This reverts commit {_commit(bad)}" in message


def _commit(deploy: Deploy | None) -> str:
    return deploy.commit.id if deploy and deploy.commit else ""
