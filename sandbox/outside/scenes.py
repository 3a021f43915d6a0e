"""Scenes: how far a release has come when the sandbox starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox.outside.render_deploys import Commit, Deploy, identifier
from sandbox.outside.render_services import SERVICES

_USUAL_S = 200.0
"""How long a deploy of the past took."""

_EVERY = timedelta(hours=60)
_EARLIER = 24
_MESSAGES = (
    "Show recovery status on exploit pages",
    "Retry a source that times out",
    "Index exploits by protocol",
    "Say which plan a limit belongs to",
    "Keep the WebSocket open behind proxies",
    "Update dependencies",
)


class Scene(StrEnum):
    """Where in the release of a commit the platform is."""

    PREFLIGHT = "preflight"
    DEPLOY = "deploy"
    POSTDEPLOY = "postdeploy"
    ROLLBACK = "rollback"
    FOLLOWUP = "followup"


_LIVE_AGO = {
    Scene.POSTDEPLOY: timedelta(minutes=3),
    Scene.ROLLBACK: timedelta(minutes=32),
    Scene.FOLLOWUP: timedelta(days=8),
}
_ROLLED_BACK_AGO = timedelta(minutes=2)
_REGRETTED_AGO = timedelta(days=7, hours=12)


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene, set.

    Attributes:
        commit: the one whose release this is.
        previous: what was live before it.
        deploys: of each service, newest first.
        auto_deploy: whether a push is deployed by itself.
    """

    commit: Commit
    previous: Commit
    deploys: dict[str, list[Deploy]]
    auto_deploy: dict[str, bool]


def set_stage(scene: Scene, commit_id: str, now: datetime, deploy_s: float) -> Stage:
    """Everything that had happened on Render by now, and in the deploy scene what begins now.

    Args:
        scene: where the release is.
        commit_id: the commit that is released.
        now: the moment at which the scene begins.
        deploy_s: how long a deploy takes that begins now, in seconds.
    """
    lasts_s = deploy_s if scene is Scene.DEPLOY else _USUAL_S
    live_at = (
        now + timedelta(seconds=deploy_s)
        if scene is Scene.DEPLOY
        else now - _LIVE_AGO.get(scene, timedelta())
    )
    pushed_at = now if scene is Scene.PREFLIGHT else live_at - timedelta(seconds=lasts_s)
    commit = Commit(commit_id, "Alert on exploits by chain", pushed_at - timedelta(seconds=20))
    earlier = [_earlier_commit(nth, pushed_at) for nth in range(_EARLIER)]

    deploys: dict[str, list[Deploy]] = {}
    for name in SERVICES:
        history = [
            _deploy(name, made, made.created_at + timedelta(seconds=20), _USUAL_S, nth)
            for nth, made in enumerate(earlier)
        ]
        if scene is not Scene.PREFLIGHT:
            history.insert(0, _released(name, commit, pushed_at, lasts_s))
        if scene is Scene.ROLLBACK and SERVICES[name].public:
            history.insert(0, _rollback(name, history[1], now - _ROLLED_BACK_AGO))
        if scene is Scene.FOLLOWUP and SERVICES[name].public:
            later = _rollback(name, history[1], now - _REGRETTED_AGO)
            history.insert(0, replace(later, only_under="rolled-back-later"))
        deploys[name] = history
    return Stage(commit, earlier[0], deploys, dict.fromkeys(SERVICES, scene is not Scene.ROLLBACK))


def _earlier_commit(nth: int, before: datetime) -> Commit:
    sha = hashlib.sha1(f"commit {nth}".encode(), usedforsecurity=False).hexdigest()
    return Commit(sha, _MESSAGES[nth % len(_MESSAGES)], before - (nth + 1) * _EVERY)


def _deploy(
    service: str,
    commit: Commit,
    created_at: datetime,
    lasts_s: float,
    nth: int = 0,
    *,
    under_test: bool = False,
) -> Deploy:
    return Deploy(
        id=identifier("dep", service, commit.id, nth),
        service=service,
        commit=commit,
        trigger="new_commit",
        created_at=created_at,
        lasts_s=lasts_s,
        nth=nth,
        under_test=under_test,
    )


def _released(service: str, commit: Commit, created_at: datetime, lasts_s: float) -> Deploy:
    deploy = _deploy(service, commit, created_at, lasts_s, under_test=True)
    return replace(deploy, withheld_by="deploy-not-triggered") if service == "frontend" else deploy


def _rollback(service: str, target: Deploy, live_at: datetime) -> Deploy:
    lasts_s = _USUAL_S / 4
    return Deploy(
        id=identifier("dep", service, target.id, "rollback"),
        service=service,
        commit=target.commit,
        trigger="rollback",
        created_at=live_at - timedelta(seconds=lasts_s),
        lasts_s=lasts_s,
        rolls_back_to=target.id,
        withheld_by="rollback-not-done",
    )
