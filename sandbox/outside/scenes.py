"""Scenes: the progress of a release when the sandbox starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox.outside.render_deploys import Commit, Deploy, identifier
from sandbox.outside.render_services import SERVICES

_USUAL_S = 200.0
"""Duration of a past deploy in seconds."""

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
    """The progress of the release."""

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
    """The state of a scene.

    Attributes:
        commit: the released commit.
        previous: the commit that was live before it.
        deploys: the deploys of each service, newest first.
        triggers: what deploys automatically, by service: "commit", "checksPass" or "off".
    """

    commit: Commit
    previous: Commit
    deploys: dict[str, list[Deploy]]
    triggers: dict[str, str]


def set_stage(scene: Scene, commit_id: str, now: datetime, deploy_s: float) -> Stage:
    """Create the deploys until now; in the deploy scene, a deploy begins now.

    Args:
        scene: the progress of the release.
        commit_id: the released commit.
        now: the time at which the scene begins.
        deploy_s: duration in seconds of a deploy that begins now.
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
            replace(
                _deploy(name, made, made.created_at + timedelta(seconds=20), _USUAL_S, nth),
                withheld_by=("first-deploy",),
            )
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
    triggers = dict.fromkeys(SERVICES, "off" if scene is Scene.ROLLBACK else "checksPass")
    return Stage(commit, earlier[0], deploys, triggers)


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
    if service != "frontend":
        return deploy
    return replace(deploy, withheld_by=("deploy-not-triggered", "commit-ignored"))


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
        withheld_by=("rollback-not-done", "first-deploy"),
    )
