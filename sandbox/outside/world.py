"""The shared state of all external systems: one release, one clock, one set of faults."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sandbox.faults import Faults
from sandbox.outside.render_deploys import CUT_AT, ENDED, Commit, Course, Deploy, Status, identifier
from sandbox.outside.scenes import Scene, Stage, set_stage

DEPLOY_S = 3.0
DOWNTIME_S = 40.0

_ROLLBACK_SHARE = 0.5  # of a deploy's duration: a rollback needs no build


class CannotBe(ValueError):
    """The request cannot be carried out; the message says why."""


def steady_clock() -> Callable[[], datetime]:
    """Return a UTC clock that is not affected by changes of the machine's clock."""
    began, since = datetime.now(UTC), time.monotonic()
    return lambda: began + timedelta(seconds=time.monotonic() - since)


@dataclass(slots=True)
class World:
    """The state of all external systems, calculated from the time for each request.

    Attributes:
        scene: the progress of the release.
        commit_id: the released commit.
        api_url, frontend_url: the addresses of the platform.
        deploy_s: duration in seconds of a deploy that begins while the sandbox runs.
        downtime_s: seconds of both services' downtime in the deploy under `downtime-40s`.
        clock: returns the time with a time zone.
    """

    faults: Faults
    commit_id: str
    scene: Scene = Scene.POSTDEPLOY
    api_url: str = "http://127.0.0.1:8000"
    frontend_url: str = "http://127.0.0.1:3000"
    deploy_s: float = DEPLOY_S
    downtime_s: float = DOWNTIME_S
    clock: Callable[[], datetime] = field(default_factory=steady_clock)
    began_at: datetime = field(init=False)
    _stage: Stage = field(init=False)
    _asked_for: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self, scene: Scene | None = None) -> None:
        """Start the scene, or another one, now; in the deploy scene the deploy begins."""
        self.scene = scene or self.scene
        self.began_at = self.now()
        self._stage = set_stage(self.scene, self.commit_id, self.began_at, self.deploy_s)

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self.clock()

    @property
    def commit(self) -> Commit:
        """The released commit."""
        return self._stage.commit

    @property
    def previous(self) -> Commit:
        """The commit that was live before it."""
        return self._stage.previous

    @property
    def deploy_began_at(self) -> datetime | None:
        """When the commit's deploy began; None if there is none."""
        return next((deploy.created_at for deploy in self.deploys("api") if deploy.under_test), None)

    @property
    def went_live_at(self) -> datetime | None:
        """When the commit was live on every public service that it is deployed to; None if it is not."""
        courses = [
            self.course(deploy)
            for name in ("api", "frontend")
            for deploy in self.deploys(name)
            if deploy.under_test
        ]
        moments = [course.live_at for course in courses]
        known = [moment for moment in moments if moment is not None and moment <= self.now()]
        return max(known) if known and len(known) == len(courses) else None

    @property
    def ignored_by(self) -> tuple[str, ...]:
        """The services to which Render does not deploy the commit, because it does not affect them."""
        released = "commit-ignored" in self.faults and self.scene is not Scene.PREFLIGHT
        return ("frontend",) if released else ()

    def deploys(self, service: str) -> list[Deploy]:
        """Return the deploys of a service that were requested until now, newest first."""
        return [
            deploy
            for deploy in self._stage.deploys[service]
            if not any(fault in self.faults for fault in deploy.withheld_by)
            and not (deploy.only_under and deploy.only_under not in self.faults)
        ]

    def course(self, deploy: Deploy) -> Course:
        """Return the progress of a deploy."""
        return Course(deploy, self.faults, self.downtime_s)

    def live(self, service: str) -> Deploy | None:
        """Return the live deploy of a service, which is the one that went live last, or None."""
        now = self.now()
        for deploy in self.deploys(service):  # newest first, and deploys run in order
            live_at = self.course(deploy).live_at
            if live_at is not None and live_at <= now:
                return deploy
        return None

    def status(self, deploy: Deploy) -> Status:
        """Return a deploy's current status; a deploy that was live and is replaced is deactivated."""
        status = self.course(deploy).status(self.now())
        return Status.DEACTIVATED if status is Status.LIVE and deploy != self.live(deploy.service) else status

    def runs_the_release(self, service: str) -> bool:
        """Whether the service runs the released commit."""
        live = self.live(service)
        return live is not None and live.commit.id == self.commit.id

    def answering(self, service: str) -> str:
        """Return the id of the commit that a service runs."""
        live = self.live(service)
        return live.commit.id if live else self.previous.id

    def is_away(self, service: str) -> bool:
        """Whether the service is unavailable now because of downtime between its instances."""
        if "downtime-40s" not in self.faults:
            return False
        now, courses = self.now(), map(self.course, self.deploys(service))
        return any(one.downtime and one.at(CUT_AT) <= now < one.at(CUT_AT) + one.downtime for one in courses)

    def trigger_of(self, service: str) -> str:
        """Return what deploys automatically: "commit", "checksPass" or "off"."""
        return "commit" if "auto-deploy-on" in self.faults else self._stage.triggers[service]

    def deploys_by_itself(self, service: str) -> bool:
        """Whether a push is deployed automatically."""
        return self.trigger_of(service) != "off"

    def set_trigger(self, service: str, trigger: str) -> None:
        """Set what deploys automatically."""
        self._stage.triggers[service] = trigger

    def push(self) -> list[Deploy]:
        """Push a new commit to the branch: each service with auto-deploy on deploys it."""
        now = self.now()
        sha = hashlib.sha1(f"push {now.isoformat()}".encode(), usedforsecurity=False).hexdigest()
        commit = Commit(sha, "Update the imprint", now)
        return [
            self._ask_for(service, commit, "new_commit", self.deploy_s)
            for service in self._stage.deploys
            if self.deploys_by_itself(service)
        ]

    def roll_back(self, service: str, deploy_id: str) -> Deploy:
        """Restore an earlier build. Auto-deploy and the schema do not change.

        Raises:
            LookupError: the service has no such deploy.
            CannotBe: it was never live, or is live now.
        """
        target = self.find(service, deploy_id)
        if "builds-not-kept" in self.faults:
            raise CannotBe(f"the build of deploy {deploy_id} is no longer available")
        if self.status(target) is not Status.DEACTIVATED:
            raise CannotBe(f"deploy {deploy_id} is {self.status(target)}, and cannot be rolled back to")
        return self._ask_for(
            service, target.commit, "rollback", self.deploy_s * _ROLLBACK_SHARE, rolls_back_to=target.id
        )

    def trigger(self, service: str, commit_id: str) -> Deploy:
        """Deploy a commit; "" for the newest.

        Raises:
            CannotBe: the commit does not exist.
        """
        known = [self.commit, *(deploy.commit for deploy in self._stage.deploys[service])]
        wanted = next((commit for commit in known if commit.id.startswith(commit_id)), None)
        if wanted is None:
            raise CannotBe(f"there is no commit {commit_id}")
        return self._ask_for(service, wanted, "api", self.deploy_s)

    def cancel(self, service: str, deploy_id: str) -> Deploy:
        """Cancel a deploy in progress.

        Raises:
            LookupError: the service has no such deploy.
            CannotBe: it has ended.
        """
        deploy = self.find(service, deploy_id)
        if self.status(deploy) in ENDED:
            raise CannotBe(f"deploy {deploy_id} has ended")
        canceled = replace(deploy, canceled_at=self.now())
        deploys = self._stage.deploys[service]
        deploys[deploys.index(deploy)] = canceled
        return canceled

    def find(self, service: str, deploy_id: str) -> Deploy:
        """Return a deploy by its id.

        Raises:
            LookupError: the service has no such deploy.
        """
        for deploy in self.deploys(service):
            if deploy.id == deploy_id:
                return deploy
        raise LookupError(deploy_id)

    def _ask_for(
        self, service: str, commit: Commit, trigger: str, lasts_s: float, *, rolls_back_to: str = ""
    ) -> Deploy:
        now = self.now()
        self._asked_for += 1
        busy_until = [
            self.course(deploy).ends_at
            for deploy in self.deploys(service)
            if self.status(deploy) not in ENDED
        ]
        if None in busy_until:
            raise CannotBe("a deploy of this service is in progress and does not end; cancel it first")
        deploy = Deploy(
            id=identifier("dep", service, commit.id, trigger, self._asked_for),
            service=service,
            commit=commit,
            trigger=trigger,
            created_at=now,
            lasts_s=lasts_s,
            waits_until=max((moment for moment in busy_until if moment), default=None),
            rolls_back_to=rolls_back_to,
        )
        self._stage.deploys[service].insert(0, deploy)
        return deploy
