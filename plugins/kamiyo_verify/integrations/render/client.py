"""Read Render: services, deploys, variables, logs, events, metrics, and the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import RootModel

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.access import id_hint, open_service, path_of
from kamiyo_verify.integrations.render.metrics import Metrics
from kamiyo_verify.integrations.render.pages import ROWS_A_PAGE, Pages, Rows, text_of
from kamiyo_verify.integrations.render.settings import Render as Table
from kamiyo_verify.integrations.render.shapes import RenderDeploy, RenderEvent, Service
from kamiyo_verify.integrations.render.variables import effective
from kamiyo_verify.model.hosting.data import ConnectionInfo, Export, Postgres, Recovery, Variables
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus, Event
from kamiyo_verify.model.hosting.signals import Logs, Series
from kamiyo_verify.model.outcomes import Unverified

_MOST_LINES = 1_000


class _Exports(RootModel[tuple[Export, ...]]):
    pass


class Render:
    """Data about our services on Render. Every method raises `NoAnswer` if Render has no usable answer.

    Args:
        table: the environment's [render].
        services: ids by the names of the environment, for messages.
        page_size: rows per page, 1 to 100.
        context: shared with other clients.
    """

    def __init__(
        self,
        table: Table,
        context: ClientContext,
        *,
        services: Mapping[str, str] | None = None,
        page_size: int = ROWS_A_PAGE,
    ) -> None:
        self._table = table
        self._names = {service_id: name for name, service_id in (services or {}).items()}
        self._service = open_service(table, context)
        self._confidential = open_service(table, context, confidential=True)
        self._pages = Pages(self._service, page_size)
        self._confidential_pages = Pages(self._confidential, page_size)
        self._metrics = Metrics(self._service, self._hint)

    def services(self) -> tuple[Service, ...]:
        """All services of the configured workspace."""
        return self._pages.rows("/services", Rows[Service], params={"ownerId": self._table.owner})

    def service(self, service_id: str) -> Service:
        """One service."""
        return self._service.ask(path_of("services", service_id), Service, hint=self._hint(service_id))

    def deploys(
        self, service_id: str, since: datetime | None = None, status: DeployStatus | None = None
    ) -> tuple[Deploy, ...]:
        """The deploys of a service, newest first.

        Args:
            service_id: of the service.
            since: only those created after it.
            status: only those with this status now.
        """
        params = {
            "createdAfter": text_of(since) if since else None,
            "status": status.value if status else None,
        }
        path = path_of("services", service_id, "deploys")
        found = self._pages.rows(path, Rows[RenderDeploy], params=params, hint=self._hint(service_id))
        return tuple(sorted(found, key=lambda deploy: deploy.created_at, reverse=True))

    def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """One deploy."""
        hint = f"no such service or deploy: {service_id}, {deploy_id}"
        return self._service.ask(
            path_of("services", service_id, "deploys", deploy_id), RenderDeploy, hint=hint
        )

    def live_deploy(self, service_id: str) -> Deploy | None:
        """The deploy that serves requests; None if the service has never been live."""
        return next(iter(self.deploys(service_id, status=DeployStatus.LIVE)), None)

    def variables(self, service_id: str) -> Variables:
        """The effective variables of a service: its own and those of the groups linked to it."""
        hint = self._hint(service_id)
        return effective(self._confidential, self._confidential_pages, self._table.owner, service_id, hint)

    def logs(
        self,
        services: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        levels: Sequence[str] = (),
        types: Sequence[str] = (),
        text: Sequence[str] = (),
        at_most: int = _MOST_LINES,
    ) -> Logs:
        """Lines of the services' logs, in the order of time.

        Args:
            services: their ids.
            start: of the time range.
            end: of the time range.
            levels: "error", "warning", "info" …; all if empty.
            types: "app", "build", "request"; all if empty.
            text: texts of which a line must contain at least one.
            at_most: if there are more lines, the latest ones are returned.
        """
        wanted = list(services)
        params = {
            "ownerId": self._table.owner,
            "resource": wanted,
            "startTime": text_of(start),
            "endTime": text_of(end),
            "level": list(levels),
            "type": list(types),
            "text": list(text),
        }
        return self._pages.logs(params, at_most=at_most, hint=self._hint(*wanted))

    def event(self, event_id: str) -> Event:
        """One event, of any service."""
        return self._service.ask(
            path_of("events", event_id), RenderEvent, hint=f"Render knows no event {event_id}"
        )

    def events(
        self, service_id: str, start: datetime, end: datetime, types: Sequence[str] = ()
    ) -> tuple[Event, ...]:
        """The events of a service, in the order of time; of all types if none are named."""
        params = {"startTime": text_of(start), "endTime": text_of(end)}
        path = path_of("services", service_id, "events")
        # The API reference allows one type per request, so several types are filtered here.
        query = {**params, "type": types[0] if len(types) == 1 else None}
        found = self._pages.rows(path, Rows[RenderEvent], params=query, hint=self._hint(service_id))
        return tuple(
            sorted(
                (event for event in found if not types or event.type in types),
                key=lambda event: event.timestamp,
            )
        )

    def http_requests(
        self, services: Iterable[str], start: datetime, end: datetime, *, by: str = "statusCode"
    ) -> tuple[Series, ...]:
        """Counts of real requests; a series per service and status code (or "host")."""
        return self._metrics.of("http-requests", services, start, end, aggregateBy=by)

    def http_latency(
        self,
        services: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        quantile: float = 0.95,
        path: str | None = None,
    ) -> tuple[Series, ...]:
        """That quantile of the latency of real requests, in ms; a series per service; `path` limits it."""
        series = self._metrics.of("http-latency", services, start, end, quantile=quantile, path=path)
        return tuple(self._metrics.in_ms(each) for each in series)

    def memory(self, resources: Iterable[str], start: datetime, end: datetime) -> tuple[Series, ...]:
        """Memory in use; a series per instance."""
        return self._metrics.of("memory", resources, start, end)

    def cpu(self, resources: Iterable[str], start: datetime, end: datetime) -> tuple[Series, ...]:
        """CPU in use; a series per instance."""
        return self._metrics.of("cpu", resources, start, end)

    def active_connections(self, start: datetime, end: datetime) -> tuple[Series, ...]:
        """Connections to the database."""
        return self._metrics.of("active-connections", [self._postgres], start, end)

    def postgres(self) -> Postgres:
        """The database."""
        return self._service.ask(self._database(), Postgres, hint=self._hint(self._table.postgres))

    def recovery(self) -> Recovery:
        """Whether the database can be restored to an earlier time."""
        return self._service.ask(self._database("recovery"), Recovery, hint=self._hint(self._table.postgres))

    def exports(self) -> tuple[Export, ...]:
        """The database's backups, newest first."""
        found = self._service.ask(self._database("export"), _Exports, hint=self._hint(self._table.postgres))
        return tuple(sorted(found.root, key=lambda export: export.created_at, reverse=True))

    def connection_info(self) -> ConnectionInfo:
        """How Render itself connects to the database."""
        hint = self._hint(self._table.postgres)
        return self._confidential.ask(self._database("connection-info"), ConnectionInfo, hint=hint)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
        self._confidential.close()

    @property
    def _postgres(self) -> str:
        if not self._table.postgres:
            raise Unverified("[render] postgres is not set: the id of the database, dpg-…")
        return self._table.postgres

    def _database(self, *parts: str) -> str:
        return path_of("postgres", self._postgres, *parts)

    def _hint(self, *ids: str) -> str:
        return id_hint(self._table, *ids, names=self._names)
