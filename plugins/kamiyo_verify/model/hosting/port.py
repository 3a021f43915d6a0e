"""The port to a host: the reads and changes that the suite needs. Render is one adapter.

A service is named as in `[services.NAME]`; each adapter maps it to the host's own id. Every method raises
`NoAnswer` if the host does not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from kamiyo_verify.model.hosting.rollback import CallResult
from kamiyo_verify.model.hosting.services import Deploy, Event, ServiceState
from kamiyo_verify.model.hosting.signals import Logs, Series


class Hosting(Protocol):
    """Read-only access to the host's data on our services."""

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services at this host, in the order of the environment file."""
        ...

    def state(self, service: str) -> ServiceState:
        """Return the current state of a service, with its deploys."""
        ...

    def deploys(self, service: str, since: datetime | None = None) -> tuple[Deploy, ...]:
        """Return the deploys of a service, newest first; only those requested after `since`."""
        ...

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """Return one deploy."""
        ...

    def live_deploy(self, service: str) -> Deploy | None:
        """Return the live deploy; None if there is none."""
        ...

    def auto_deploy(self, service: str) -> bool:
        """Return whether a push is deployed automatically."""
        ...

    def stays_because(self, service: str, commit: str, since: datetime) -> str:
        """Return why the host does not deploy that commit to a service; "" if it does, or may still do so.

        One reason, which the host itself reports, is a commit that does not change the service. `since` is
        the start of the search.
        """
        ...

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
        """Return lines of the services' logs in order of time; only the latest `at_most` lines."""
        ...

    def events(
        self, service: str, start: datetime, end: datetime, types: Sequence[str] = ()
    ) -> tuple[Event, ...]:
        """Return a service's events in order of time; of all types if none is given."""
        ...

    def requests(self, service: str, start: datetime, end: datetime) -> tuple[Series, ...]:
        """Return counts of real users' requests, one series per status code."""
        ...

    def latency(
        self, service: str, start: datetime, end: datetime, *, path: str | None = None
    ) -> tuple[Series, ...]:
        """Return the 95th percentile of real users' response times in ms; of one path if it is given."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class HostingGateway(Protocol):
    """Read and change access to a host, for rollbacks. Checks cannot use it."""

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services at this host, in the order of the environment file."""
        ...

    def state(self, service: str) -> ServiceState:
        """Return the current state of a service. Raises `NoAnswer`."""
        ...

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """Return one deploy. Raises `NoAnswer`."""
        ...

    def switch_auto_deploy_off(self, service: str) -> CallResult:
        """Stop deploying pushes; return whether the host accepted, refused, or may have received the call."""
        ...

    def roll_back(self, service: str, deploy_id: str) -> CallResult:
        """Start a rollback to an earlier deploy; return the outcome of the call as above."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
