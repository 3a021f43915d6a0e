"""The world as all outside systems show it: one release, one clock, one set of faults."""

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

_ROLLBACK_SHARE = 0.5  # of a deploy: it needs no build


class CannotBe(ValueError):
    """What was asked for cannot be done; the message says why."""


def steady_clock() -> Callable[[], datetime]:
    """The time of day, UTC, that no change of the machine's clock disturbs."""
    began, since = datetime.now(UTC), time.monotonic()
    return lambda: began + timedelta(seconds=time.monotonic() - since)


@dataclass(slots=True)
class World:
    """The state of everything outside, worked out from the time whenever it is asked for.

    Attributes:
        scene: how far the release of the commit has come.
        commit_id: the commit that is released.
        api_url, frontend_url: where the platform answers.
        deploy_s: how long a deploy takes that begins while the sandbox runs, in seconds.
        downtime_s: how long both services are away during the deploy under `downtime-40s`, in seconds.
        clock: the time; always aware.
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
        """Set the scene, or another one, as of now; in the deploy scene the deploy begins."""
        self.scene = scene or self.scene
        self.began_at = self.now()
        self._stage = set_stage(self.scene, self.commit_id, self.began_at, self.deploy_s)

    def now(self) -> datetime:
        """The time, UTC."""
        return self.clock()

    @property
    def commit(self) -> Commit:
        """The commit that is released."""
        return self._stage.commit

    @property
    def previous(self) -> Commit:
        """What was live before it."""
        return self._stage.previous

    @property
    def deploy_began_at(self) -> datetime | None:
        """When the commit's deploy began; None while there is none."""
        return next((deploy.created_at for deploy in self.deploys("api") if deploy.under_test), None)

    @property
    def went_live_at(self) -> datetime | None:
        """When the commit was live on both public services; None while it is not, or never was."""
        courses = [
            self.course(deploy)
            for name in ("api", "frontend")
            for deploy in self.deploys(name)
            if deploy.under_test
        ]
        moments = [course.live_at for course in courses]
        known = [moment for moment in moments if moment is not None and moment <= self.now()]
        return max(known) if len(known) == 2 else None

    def deploys(self, service: str) -> list[Deploy]:
        """Those of a service that have been asked for by now, newest first."""
        return [
            deploy
            for deploy in self._stage.deploys[service]
            if not (deploy.withheld_by and deploy.withheld_by in self.faults)
            and not (deploy.only_under and deploy.only_under not in self.faults)
        ]

    def course(self, deploy: Deploy) -> Course:
        """How that deploy goes."""
        return Course(deploy, self.faults, self.downtime_s)

    def live(self, service: str) -> Deploy | None:
        """The deploy that serves: the one that went live last."""
        now = self.now()
        for deploy in self.deploys(service):  # one after the other: the newest that is live was so last
            live_at = self.course(deploy).live_at
            if live_at is not None and live_at <= now:
                return deploy
        return None

    def status(self, deploy: Deploy) -> Status:
        """A deploy's status now; what was live and has been replaced is deactivated."""
        status = self.course(deploy).status(self.now())
        return Status.DEACTIVATED if status is Status.LIVE and deploy != self.live(deploy.service) else status

    def runs_the_release(self, service: str) -> bool:
        """The service serves the commit that is released."""
        live = self.live(service)
        return live is not None and live.commit.id == self.commit.id

    def answering(self, service: str) -> str:
        """The id of the commit that a service runs."""
        live = self.live(service)
        return live.commit.id if live else self.previous.id

    def is_away(self, service: str) -> bool:
        """The service does not serve at this moment, as its instances change over with a gap."""
        if "downtime-40s" not in self.faults:
            return False
        now = self.now()
        for deploy in self.deploys(service):
            course = self.course(deploy)
            begins = course.at(CUT_AT)
            if course.downtime and begins <= now < begins + course.downtime:
                return True
        return False

    def deploys_by_itself(self, service: str) -> bool:
        """Whether a push is deployed without being asked for."""
        return "auto-deploy-on" in self.faults or self._stage.auto_deploy[service]

    def set_auto_deploy(self, service: str, on: bool) -> None:  # noqa: FBT001 - a switch
        """Switch auto-deploy."""
        self._stage.auto_deploy[service] = on

    def push(self) -> list[Deploy]:
        """A new commit on the branch: each service with auto-deploy on is deployed by it."""
        now = self.now()
        sha = hashlib.sha1(f"push {now.isoformat()}".encode(), usedforsecurity=False).hexdigest()
        commit = Commit(sha, "Update the imprint", now)
        return [
            self._ask_for(service, commit, "new_commit", self.deploy_s)
            for service in self._stage.deploys
            if self.deploys_by_itself(service)
        ]

    def roll_back(self, service: str, deploy_id: str) -> Deploy:
        """Bring an earlier build back. Auto-deploy stays as it is, and so does the schema.

        Raises:
            LookupError: the service has no such deploy.
            CannotBe: it was never live, or still is.
        """
        target = self.find(service, deploy_id)
        if self.status(target) is not Status.DEACTIVATED:
            raise CannotBe(f"deploy {deploy_id} is {self.status(target)}, and cannot be rolled back to")
        return self._ask_for(
            service, target.commit, "rollback", self.deploy_s * _ROLLBACK_SHARE, rolls_back_to=target.id
        )

    def trigger(self, service: str, commit_id: str) -> Deploy:
        """Deploy a commit, "" for the newest.

        Raises:
            CannotBe: there is no such commit.
        """
        known = [self.commit, *(deploy.commit for deploy in self._stage.deploys[service])]
        wanted = next((commit for commit in known if commit.id.startswith(commit_id)), None)
        if wanted is None:
            raise CannotBe(f"there is no commit {commit_id}")
        return self._ask_for(service, wanted, "api", self.deploy_s)

    def cancel(self, service: str, deploy_id: str) -> Deploy:
        """Stop a deploy on its way.

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
        """A deploy by its id.

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
