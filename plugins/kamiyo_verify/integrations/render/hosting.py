"""Render as an adapter of the port `Hosting`: services by name, answers in host-neutral types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.model.hosting.services import Deploy, Event, ServiceState
from kamiyo_verify.model.hosting.signals import Logs, Series
from kamiyo_verify.model.outcomes import Unverified

_IGNORED = "commit_ignored"
"""Render's event for a commit that it does not deploy: the commit changes nothing below the root directory,
or nothing that the build filter names, or its message requests to be skipped. Source:
https://render.com/docs/monorepo-support."""


_RESTORED = (
    "Render restores only a part of that deploy's configuration, and only until the next deploy: disks, the"
    " plan and what else https://render.com/docs/rollbacks names stay as they are now"
)
"""Source: https://render.com/docs/rollbacks, "What's rolled back?", of November 2026."""


class RenderHosting:
    """Data about the services of an environment on Render.

    Args:
        render: the client.
        address: of Render's API.
        ids: the id of each service, by name.
        builds_kept: how many builds the workspace's plan keeps; 0 if it is not known.
    """

    def __init__(self, render: Render, address: str, ids: Mapping[str, str], *, builds_kept: int = 0) -> None:
        self._builds_kept = builds_kept
        self._render = render
        self._address = address
        self._ids = dict(ids)
        self._from_commits: dict[str, bool] = {}

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services with a Render id."""
        return tuple(self._ids)

    def state(self, service: str) -> ServiceState:
        """The current state of a service, with its deploys."""
        service_id = self._id(service)
        found = self._render.service(service_id)
        api = f"{self._address}/services/{service_id}"
        return ServiceState(
            service=service,
            id=service_id,
            name=found.name,
            dashboard=found.dashboard_url,
            api=api,
            calls=(
                f'PATCH {api} {{"autoDeploy": "no"}}',
                f'POST {api}/rollback {{"deployId": "{{deploy}}"}}',
            ),
            auto_deploy=found.auto_deploy,
            suspended=found.is_suspended,
            deploys=self._render.deploys(service_id),
            host="Render",
            auto_deploy_trigger=found.trigger,
            resume=f"PATCH {api} {found.as_patch}" if found.auto_deploy else "",
            caveats=(_RESTORED,),
            maintenance=found.service_details.maintenance_mode.enabled,
            builds_kept=self._builds_kept,
            redeploy=f'POST {api}/deploys {{"commitId": "{{commit}}"}}',
        )

    def deploys(self, service: str, since: datetime | None = None) -> tuple[Deploy, ...]:
        """The deploys of a service, newest first."""
        return self._render.deploys(self._id(service), since=since)

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """One deploy."""
        return self._render.deploy(self._id(service), deploy_id)

    def live_deploy(self, service: str) -> Deploy | None:
        """The deploy that serves requests; None if there is none."""
        return self._render.live_deploy(self._id(service))

    def auto_deploy(self, service: str) -> bool:
        """Whether pushes are deployed automatically."""
        return self._render.service(self._id(service)).auto_deploy

    def stays_because(self, service: str, commit: str, since: datetime) -> str:
        """Why Render does not deploy that commit to a service; "" if it does, or may still do so."""
        service_id = self._id(service)
        events = self._render.events(service_id, since, datetime.now(UTC), (_IGNORED,))
        if any(_is_prefix(commit, event.details.commit_id) for event in events):
            return "stays as it is: Render reports that it ignored this commit, which changes nothing of it"
        if service not in self._from_commits:
            self._from_commits[service] = bool(self._render.service(service_id).repo)
        return "" if self._from_commits[service] else "stays as it is: it runs an image, and no commit"

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
        """Lines of the services' logs, in the order of time."""
        wanted = [self._id(service) for service in services]
        return self._render.logs(wanted, start, end, levels=levels, types=types, text=text, at_most=at_most)

    def events(
        self, service: str, start: datetime, end: datetime, types: Sequence[str] = ()
    ) -> tuple[Event, ...]:
        """The events of a service, in the order of time."""
        return self._render.events(self._id(service), start, end, types)

    def requests(self, service: str, start: datetime, end: datetime) -> tuple[Series, ...]:
        """Counts of real users' requests; a series per status code."""
        return self._render.http_requests([self._id(service)], start, end)

    def latency(
        self, service: str, start: datetime, end: datetime, *, path: str | None = None
    ) -> tuple[Series, ...]:
        """The 95th percentile of real users' response times, in ms."""
        return self._render.http_latency([self._id(service)], start, end, path=path)

    def close(self) -> None:
        """Close the connections."""
        self._render.close()

    def _id(self, service: str) -> str:
        """Render's id of a service.

        Raises:
            Unverified: the environment has no id for it.
        """
        if service not in self._ids:
            raise Unverified(f"[services.{service}] has no hosting_id: `make render-ids` prints it")
        return self._ids[service]


def _is_prefix(commit: str, whole: str) -> bool:
    return len(commit) >= 7 and whole.lower().startswith(commit.lower())
