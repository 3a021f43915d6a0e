"""A deployment while it goes on: how Render's deploys of one commit went, and whether we stayed reachable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from plugins.model.figures import duration
from plugins.model.hosting import Deploy, DeployStatus
from plugins.model.outcomes import Unverified
from plugins.model.uptime import Outage, Probe, outages


@dataclass(frozen=True, slots=True)
class Downtime:
    """The times at which one public address did not answer.

    Attributes:
        missed_s: how long the deployment had gone on before anyone looked.
    """

    outages: tuple[Outage, ...]
    missed_s: float

    @property
    def seconds(self) -> float:
        """All of them together, at the least."""
        return sum(outage.seconds for outage in self.outages)

    @property
    def moments(self) -> str:
        """When each began and how long it took, such as "14:02:11 UTC for 40 s (503)"; "" for none."""
        return ", ".join(
            f"{datetime.fromtimestamp(outage.began, UTC):%H:%M:%S} UTC for"
            f" {'at least ' if outage.ended is None else ''}{duration(outage.seconds)} ({outage.told})"
            for outage in self.outages
        )


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was seen of it.

    Attributes:
        commit: the one that was waited for.
        deploys: by service; None where Render had no deploy of the commit.
        probes: of each public address, by service.
        waited_s: how long it was watched.
        built: when a service's build was first seen to be over, of those that were seen building.
    """

    commit: str
    deploys: Mapping[str, Deploy | None]
    probes: Mapping[str, tuple[Probe, ...]]
    waited_s: float
    built: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """From its JSON-safe form."""
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
        )

    def as_json(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            "commit": self.commit,
            "deploys": {
                service: deploy.model_dump(mode="json", by_alias=True) if deploy else None
                for service, deploy in self.deploys.items()
            },
            "probes": {
                service: [[probe.at, probe.up, probe.told] for probe in probes]
                for service, probes in self.probes.items()
            },
            "waited_s": self.waited_s,
            "built": {service: moment.isoformat() for service, moment in self.built.items()},
        }

    @property
    def missing(self) -> tuple[str, ...]:
        """The services that have no deploy of the commit."""
        return tuple(service for service, deploy in self.deploys.items() if deploy is None)

    @property
    def over(self) -> bool:
        """Every service has a deploy of the commit, and none of them goes on."""
        return all(deploy is not None and not deploy.status.in_progress for deploy in self.deploys.values())

    @property
    def not_live(self) -> dict[str, str]:
        """What became of each service's deploy that neither serves nor ever did."""
        return {
            service: _told(deploy, self.waited_s)
            for service, deploy in self.deploys.items()
            if deploy is None or not deploy.status.succeeded
        }

    def deploy(self, service: str) -> Deploy:
        """The deploy of a service.

        Raises:
            Unverified: there is none, so nothing can be said of it.
        """
        deploy = self.deploys[service]
        if deploy is None:
            raise Unverified(f"{service} has no deploy of {self.commit}")
        return deploy

    @property
    def began_at(self) -> datetime:
        """When the first of its deploys was asked for.

        Raises:
            Unverified: there is none.
        """
        return min(self.deploy(service).created_at for service in self.deploys)

    @property
    def times(self) -> dict[str, str]:
        """When it and each of its deploys began and ended, and when its commit was made; UTC, ISO 8601.

        What is not known is left out.
        """
        deploys = [deploy for deploy in self.deploys.values() if deploy is not None]
        commits = (deploy.commit.created_at for deploy in deploys if deploy.commit)
        known = {
            "began_at": min((deploy.created_at for deploy in deploys), default=None),
            "committed_at": min((moment for moment in commits if moment), default=None),
        }
        for service, deploy in self.deploys.items():
            if deploy is not None:
                known[f"{service}_began_at"] = deploy.started_at or deploy.created_at
                known[f"{service}_built_at"] = self.built.get(service)
                known[f"{service}_finished_at"] = deploy.finished_at
        return {
            name: moment.astimezone(UTC).isoformat(timespec="milliseconds")
            for name, moment in known.items()
            if moment
        }

    @property
    def duration_s(self) -> float | None:
        """From its beginning to the end of its last deploy; None while one goes on."""
        ends = [deploy.finished_at for deploy in self.deploys.values() if deploy and deploy.finished_at]
        if not self.over or len(ends) < len(self.deploys):
            return None
        return (max(ends) - self.began_at).total_seconds()

    def downtime(self, service: str) -> Downtime:
        """How long a public address did not answer.

        Raises:
            Unverified: nobody looked before it was over, or there is no such deploy.
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


def _told(deploy: Deploy | None, waited_s: float) -> str:
    if deploy is None:
        return f"has no deploy of the commit after {duration(waited_s)}"
    words = deploy.status.value.replace("_", " ")
    late = deploy.status.in_progress or deploy.status is DeployStatus.CREATED
    return f"is {words} after {duration(waited_s)}" if late else f"is {words}"
