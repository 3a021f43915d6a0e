"""A deployment in progress: Render's deploys of one commit, and the downtime of public addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from kamiyo_verify.model.downtime.uptime import Outage, Probe, outages
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus
from kamiyo_verify.model.outcomes import NotApplicable, Unverified
from kamiyo_verify.model.services import measurement_of


@dataclass(frozen=True, slots=True)
class Downtime:
    """The times at which one public address did not answer.

    Attributes:
        missed_s: seconds of the deployment before the first probe.
    """

    outages: tuple[Outage, ...]
    missed_s: float

    @property
    def seconds(self) -> float:
        """The minimum total downtime, in seconds."""
        return sum(outage.seconds for outage in self.outages)

    @property
    def moments(self) -> str:
        """Beginning and duration of each outage, such as "14:02:11 UTC for 40 s (503)"; "" for none."""
        return ", ".join(
            f"{datetime.fromtimestamp(outage.began, UTC):%H:%M:%S} UTC for"
            f" {'at least ' if outage.ended is None else ''}{duration(outage.seconds)} ({outage.detail})"
            for outage in self.outages
        )


@dataclass(frozen=True, slots=True)
class Deployment:
    """The observations of one deployment.

    Attributes:
        commit: the expected commit.
        deploys: deploys by service; None if the host had no deploy of the commit.
        stays: the services to which the host does not deploy the commit, each with the reason: they correctly
            keep their own commit.
        probes: probes of each public address, by service.
        waited_s: seconds for which it was watched.
        built: when a service's build was first seen to be finished, for services that were seen building.
    """

    commit: str
    deploys: Mapping[str, Deploy | None]
    probes: Mapping[str, tuple[Probe, ...]]
    waited_s: float
    built: Mapping[str, datetime] = field(default_factory=dict)
    stays: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """Create a deployment from its JSON-safe form."""
        return cls(
            commit=found["commit"],
            deploys={
                service: Deploy.model_validate(deploy) if deploy else None
                for service, deploy in found["deploys"].items()
            },
            probes={
                service: tuple(Probe(*probe) for probe in probes)
                for service, probes in found["probes"].items()
            },
            waited_s=found["waited_s"],
            built={service: datetime.fromisoformat(moment) for service, moment in found["built"].items()},
            stays=found["stays"],
        )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-safe form."""
        return {
            "commit": self.commit,
            "deploys": {
                service: deploy.model_dump(mode="json") if deploy else None
                for service, deploy in self.deploys.items()
            },
            "probes": {
                service: [[probe.at, probe.up, probe.detail] for probe in probes]
                for service, probes in self.probes.items()
            },
            "waited_s": self.waited_s,
            "built": {service: moment.isoformat() for service, moment in self.built.items()},
            "stays": dict(self.stays),
        }

    @property
    def missing(self) -> tuple[str, ...]:
        """The services that should have a deploy of the commit, but have none."""
        return tuple(service for service, deploy in self._due.items() if deploy is None)

    @property
    def over(self) -> bool:
        """Whether every service to which the commit is deployed has a deploy of it, and all have ended."""
        return all(deploy is not None and not deploy.status.in_progress for deploy in self._due.values())

    @property
    def not_live(self) -> dict[str, str]:
        """The state of each service's deploy that is not live and never was."""
        return {
            service: _describe(deploy, self.waited_s)
            for service, deploy in self._due.items()
            if deploy is None or not deploy.status.succeeded
        }

    @property
    def ids(self) -> dict[str, str]:
        """Each service's deploy id, or why the service stays, by measurement name."""
        found = {service: deploy.id if deploy else "" for service, deploy in self.deploys.items()}
        return self._measured("deploy", found)

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each service's deploy, or why the service stays, by measurement name."""
        found = {service: deploy.status.value if deploy else "" for service, deploy in self.deploys.items()}
        return self._measured("status", found)

    def _measured(self, name: str, found: Mapping[str, str]) -> dict[str, str]:
        known = {service: value or self.stays.get(service, "none") for service, value in found.items()}
        return {measurement_of(service, name): value for service, value in known.items()}

    @property
    def _due(self) -> dict[str, Deploy | None]:
        """The deploys of the services to which the commit is, or should be, deployed."""
        return {service: deploy for service, deploy in self.deploys.items() if service not in self.stays}

    def deploy(self, service: str) -> Deploy:
        """Return the deploy of a service.

        Raises:
            NotApplicable: the host does not deploy the commit to this service.
            Unverified: there is no deploy to judge.
        """
        if service in self.stays:
            raise NotApplicable(f"{service} {self.stays[service]}")
        deploy = self.deploys.get(service)
        if deploy is None:
            raise Unverified(f"{service} has no deploy of {self.commit}")
        return deploy

    @property
    def began_at(self) -> datetime:
        """When the first of its deploys was requested.

        Raises:
            Unverified: there is no deploy.
        """
        if not self._due:
            raise NotApplicable(f"{self.commit} is deployed to no service: it changes none")
        return min(self.deploy(service).created_at for service in self._due)

    @property
    def times(self) -> dict[str, str]:
        """The times of its beginning and end, of each deploy, and of its commit; UTC, ISO 8601.

        Unknown times are left out.
        """
        deploys = [deploy for deploy in self.deploys.values() if deploy is not None]
        commits = (deploy.commit.created_at for deploy in deploys if deploy.commit)
        known = {
            "began_at": min((deploy.created_at for deploy in deploys), default=None),
            "committed_at": min((moment for moment in commits if moment), default=None),
        }
        for service, deploy in self.deploys.items():
            if deploy is not None:
                known[measurement_of(service, "began_at")] = deploy.started_at or deploy.created_at
                known[measurement_of(service, "built_at")] = self.built.get(service)
                known[measurement_of(service, "finished_at")] = deploy.finished_at
        return {
            name: moment.astimezone(UTC).isoformat(timespec="milliseconds")
            for name, moment in known.items()
            if moment
        }

    @property
    def duration_s(self) -> float | None:
        """Seconds from its beginning to the end of its last deploy; None while one is in progress.

        Raises:
            NotApplicable: the commit is not deployed to any service.
        """
        ends = [deploy.finished_at for deploy in self.deploys.values() if deploy and deploy.finished_at]
        if not self.over or len(ends) < len(self._due):
            return None
        began = self.began_at
        return (max(ends) - began).total_seconds()

    def downtime(self, service: str) -> Downtime:
        """Return the downtime of a service's public address.

        Raises:
            Unverified: the deployment ended before the first probe, or there is no such deploy.
        """
        looked = min(probe.at for probe in self.probes[service])
        took_s = self.duration_s
        missed_s = max(0.0, looked - self.began_at.timestamp())
        if took_s is not None and missed_s >= took_s:
            raise Unverified(
                f"the deployment of {self.commit} was over before anyone asked the public addresses:"
                " run this while it goes on"
            )
        return Downtime(outages(self.probes[service]), missed_s)


def _describe(deploy: Deploy | None, waited_s: float) -> str:
    if deploy is None:
        return f"has no deploy of the commit after {duration(waited_s)}"
    words = deploy.status.value.replace("_", " ")
    late = deploy.status.in_progress or deploy.status is DeployStatus.CREATED
    return f"is {words} after {duration(waited_s)}" if late else f"is {words}"
