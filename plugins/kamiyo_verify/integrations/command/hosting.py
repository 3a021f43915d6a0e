"""The team's own commands as an adapter of the port `Hosting`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain

from kamiyo_verify.integrations.command.runner import Runner
from kamiyo_verify.integrations.command.settings import Command
from kamiyo_verify.model.hosting.no_traffic import NoTraffic
from kamiyo_verify.model.hosting.services import (
    Deploy,
    DeployStatus,
    Event,
    Failure,
    Neutral,
    OutOfMemory,
    ServiceState,
)
from kamiyo_verify.model.hosting.signals import LogLabel, LogLine, Logs
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.outside.shapes import Moment


class StatePrinted(Neutral):
    """What the command `state` prints about one service."""

    name: str = ""
    dashboard: str = ""
    auto_deploy: bool
    suspended: bool = False
    deploys: tuple[Deploy, ...]


class LinePrinted(Neutral):
    """One line of a log, as the command `logs` prints it."""

    at: Moment
    message: str
    level: str = ""


class LogsPrinted(Neutral):
    """What the command `logs` prints."""

    lines: tuple[LinePrinted, ...]
    complete: bool = True


class What(StrEnum):
    """What an event is, as the command `events` prints it."""

    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    UNHEALTHY = "unhealthy"
    RESTARTED = "restarted"
    MACHINE_FAILED = "machine_failed"

    @property
    def type(self) -> str:
        """The type of the neutral event."""
        match self:
            case What.RESTARTED:
                return "server_restarted"
            case What.MACHINE_FAILED:
                return "server_hardware_failure"
            case _:
                return "server_failed"

    def failure(self, reason: str) -> Failure | None:
        """The cause of the event; None if nobody gave one."""
        match self:
            case What.OUT_OF_MEMORY:
                return Failure(oom_killed=OutOfMemory(), reason=reason)
            case What.UNHEALTHY:
                return Failure(unhealthy=reason or "its health check failed")
            case _:
                return Failure(reason=reason) if reason else None


class EventPrinted(Neutral):
    """One event of a service, as the command `events` prints it."""

    at: Moment
    what: What
    reason: str = ""


class EventsPrinted(Neutral):
    """What the command `events` prints."""

    events: tuple[EventPrinted, ...]


class CommandHosting(NoTraffic):
    """Data about the services of an environment, from the team's own commands.

    Args:
        table: the environment's [command].
        ids: the host's id of each service, by name.
        runner: runs the commands.
    """

    source = "a host of commands"

    def __init__(self, table: Command, ids: Mapping[str, str], runner: Runner) -> None:
        self._table = table
        self._ids = dict(ids)
        self._runner = runner

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services with a hosting_id."""
        return tuple(self._ids)

    def state(self, service: str) -> ServiceState:
        """The current state of a service, with its deploys, newest first.

        Raises:
            NoAnswer: the command failed, or several deploys are live at once.
        """
        service_id = self._id(service)
        found = self._runner.ask(self._table.state, {"service": service_id}, StatePrinted)
        deploys = tuple(sorted(found.deploys, key=lambda deploy: deploy.created_at, reverse=True))
        if sum(deploy.status is DeployStatus.LIVE for deploy in deploys) > 1:
            message = f"the command state says of {service} that several deploys are live"
            raise NoAnswer(NoAnswerKind.COMMAND, message)
        calls = [words for words in (self._table.auto_deploy_off, self._table.roll_back) if words]
        return ServiceState(
            service=service,
            id=service_id,
            name=found.name or service,
            dashboard=found.dashboard,
            api="",
            calls=tuple(" ".join(words).replace("{service}", service_id) for words in calls),
            auto_deploy=found.auto_deploy,
            suspended=found.suspended,
            deploys=deploys,
            host=self._table.title,
        )

    def deploys(self, service: str, since: datetime | None = None) -> tuple[Deploy, ...]:
        """The deploys of a service, newest first."""
        listed = self.state(service).deploys
        return tuple(one for one in listed if since is None or one.created_at > since)

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """One deploy.

        Raises:
            NoAnswer: the command does not list it.
        """
        found = self.state(service).deploy(deploy_id)
        if found is None:
            message = f"the command state lists no deploy {deploy_id} of {service}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message)
        return found

    def live_deploy(self, service: str) -> Deploy | None:
        """The deploy that serves requests; None if there is none."""
        return self.state(service).live

    def auto_deploy(self, service: str) -> bool:
        """Whether pushes are deployed automatically."""
        return self.state(service).auto_deploy

    def stays_because(self, service: str, commit: str, since: datetime) -> str:
        """Always "": commands do not tell whether a commit is ignored."""
        return ""

    def logs(
        self,
        services: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        levels: Sequence[str] = (),
        types: Sequence[str] = (),
        text: Sequence[str] = (),
        at_most: int = 1_000,
    ) -> Logs:
        """Lines of the services' logs, in the order of time.

        Raises:
            Unverified: [command] has no logs.
        """
        if not self._table.logs:
            raise Unverified("[command] has no logs, so no log can be read")
        span = {"start": start.isoformat(), "end": end.isoformat()}
        printed = {
            service: self._runner.ask(self._table.logs, {"service": self._id(service), **span}, LogsPrinted)
            for service in services
        }
        lines = chain.from_iterable(
            (self._line(service, line) for line in found.lines) for service, found in printed.items()
        )
        wanted = sorted(
            (
                line
                for line in lines
                if start <= line.timestamp <= end
                and (not levels or line.level in levels)
                and all(part in line.message for part in text)
            ),
            key=lambda line: line.timestamp,
        )
        complete = all(found.complete for found in printed.values()) and len(wanted) <= at_most
        return Logs(tuple(wanted[-at_most:]), complete)

    def events(
        self, service: str, start: datetime, end: datetime, types: Sequence[str] = ()
    ) -> tuple[Event, ...]:
        """What happened to a service, in the order of time.

        Raises:
            Unverified: [command] has no events.
        """
        if not self._table.events:
            raise Unverified("[command] has no events, so nobody tells of crashes and restarts")
        service_id = self._id(service)
        values = {"service": service_id, "start": start.isoformat(), "end": end.isoformat()}
        printed = self._runner.ask(self._table.events, values, EventsPrinted).events
        return tuple(
            Event(
                id="",
                timestamp=one.at,
                service_id=service_id,
                type=one.what.type,
                failure=one.what.failure(one.reason),
            )
            for one in sorted(printed, key=lambda one: one.at)
            if start <= one.at <= end and (not types or one.what.type in types)
        )

    def close(self) -> None:
        """Nothing is open."""

    def _line(self, service: str, line: LinePrinted) -> LogLine:
        labels = [LogLabel(name="resource", value=self._id(service))]
        labels += [LogLabel(name="level", value=line.level)] if line.level else []
        return LogLine(id="", message=line.message, timestamp=line.at, labels=tuple(labels))

    def _id(self, service: str) -> str:
        if service not in self._ids:
            raise Unverified(f"[services.{service}] has no hosting_id: [command] is given it as {{service}}")
        return self._ids[service]
