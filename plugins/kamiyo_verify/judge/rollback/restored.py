"""Check whether a rollback restored the version before the bad one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus


@dataclass(frozen=True, slots=True)
class Restored:
    """The state of one service after a rollback.

    Attributes:
        live: the live deploy; None if there is none.
        bad: the deploy that had to be rolled back; None if there is none.
        problem: why it is not rolled back, or "".
        stays: whether the service was intentionally not rolled back.
    """

    live: Deploy | None
    bad: Deploy | None
    problem: str
    stays: bool = False

    @property
    def commit(self) -> str:
        """The live commit, or ""."""
        return self.live.commit_id if self.live else ""

    @property
    def is_missing(self) -> bool:
        """Whether a release had to be rolled back, and was not."""
        return self.bad is not None and bool(self.problem)

    @property
    def withstands_a_push(self) -> bool:
        """Whether the next push is safe: the live commit reverts the bad one, or nothing was rolled back."""
        return self.stays or self.reverts

    @property
    def reverts(self) -> bool:
        """Whether the live deploy is a new commit whose message says that it reverts the bad one."""
        return _reverts(self.live, self.bad)


def restored(deploys: Sequence[Deploy], bad_commit: str, *, stays: bool = False) -> Restored:
    """Return the state of a service after a rollback.

    Args:
        deploys: all deploys of the service, newest first.
        bad_commit: the release that was rolled back; "" for the one that was live before the current one.
        stays: whether the service was intentionally not rolled back.
    """
    live = next((deploy for deploy in deploys if deploy.status is DeployStatus.LIVE), None)
    if live is None:
        return Restored(None, None, "no deploy of it is live")
    if stays:
        return Restored(live, live, "", stays=True)
    before = [one for one in deploys if one.created_at < live.created_at and one.status.succeeded]
    bad = next((one for one in before if _is_bad(one, live, bad_commit)), None)
    if bad_commit and same_commit(live.commit_id, bad_commit):
        return Restored(live, live, f"{live.commit_id[:7]}, which was to be taken back, is still live")
    if bad is None:
        return Restored(
            live, None, f"no release was live before {live.commit_id[:7]} that it could have replaced"
        )
    earlier = any(one.commit_id == live.commit_id for one in before if one.created_at < bad.created_at)
    if not earlier and not _reverts(live, bad):
        problem = f"{live.commit_id[:7]} is live, which was never live before: nothing was taken back"
        return Restored(live, bad, problem)
    return Restored(live, bad, "")


def rolled_back_from(restored: Mapping[str, Restored]) -> datetime | None:
    """Return when the deployment of the bad release began on the first service; None if there is none."""
    return min((one.bad.created_at for one in restored.values() if one.bad), default=None)


def _is_bad(deploy: Deploy, live: Deploy, bad_commit: str) -> bool:
    if bad_commit:
        return same_commit(deploy.commit_id, bad_commit)
    return deploy.commit_id != live.commit_id


def _reverts(live: Deploy | None, bad: Deploy | None) -> bool:
    """Recognise a revert by the message that `git revert` writes."""
    message = live.commit.message if live and live.commit else ""
    return bool(bad and bad.commit_id) and f"This reverts commit {bad.commit_id if bad else ''}" in message
