"""The settings of one environment: URLs, limits and credentials, frozen and validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self, TypeAlias, TypeVar

from pydantic import BaseModel, Field, model_validator

from kamiyo_verify.config.project import Project
from kamiyo_verify.integrations.browser.settings import Browser
from kamiyo_verify.integrations.command.settings import Command
from kamiyo_verify.integrations.github.settings import GitHub
from kamiyo_verify.integrations.grafana.settings import Grafana
from kamiyo_verify.integrations.kubernetes.settings import Kubernetes
from kamiyo_verify.integrations.locust.settings import Load
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.integrations.pagerduty.settings import PagerDuty
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.integrations.prometheus.settings import Prometheus
from kamiyo_verify.integrations.render.settings import Render
from kamiyo_verify.integrations.sentry.settings import Sentry
from kamiyo_verify.integrations.statuspage.settings import StatusPages
from kamiyo_verify.integrations.stripe.settings import Stripe
from kamiyo_verify.model.downtime.confirming import Confirmation
from kamiyo_verify.model.notifications import Notifications
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.places.settings import PlaceName, PlaceSettings
from kamiyo_verify.model.services import DeclaredCredential, ServiceName, ServiceSettings, hosting_ids
from kamiyo_verify.model.settings import Baseline, Control, Exports, Launch, Ledger, Sampling, Timeouts
from kamiyo_verify.model.tables import Credential, Origin, Path, Table
from kamiyo_verify.model.words import Mutations, Part, Tier

Configured = TypeVar("Configured", bound=Table)
Host: TypeAlias = Render | Command | Kubernetes
_HOSTS = ("render", "command", "kubernetes")


class Api(Table):
    """The public API; its address is that of `[services.api]`."""

    key: Credential = Credential(name="KAMIYO_API_KEY")
    tier: Tier = Tier.TEAM
    admin_key: Credential = Credential(name="ADMIN_API_KEY")
    origins: tuple[Origin, ...] = ()
    websocket_path: Path = "/ws"
    heartbeat_s: float = Field(default=60, gt=0, le=600)
    slow_queries_path: Path = "/admin/db/slow-queries"
    metrics_path: Path = "/metrics"
    admin_paths: tuple[Path, ...] = ("/admin/db/slow-queries",)


class Frontend(Table):
    """The website; its address is that of `[services.frontend]`."""

    title: str = "KAMIYO"
    dashboard_path: Path = "/dashboard"


class Payments(Table):
    """The Stripe webhook endpoint; it is on the frontend unless `url` is set."""

    url: Origin | None = None
    webhook_path: Path = "/api/payment/webhook"
    webhook_secret: Credential = Credential(name="STRIPE_WEBHOOK_SECRET")


class Environment(Table):
    """One complete environment: the file's settings, the command line's URLs and the credentials found.

    Attributes:
        title: what reports call the platform; the name of the project's folder where the file gives none.
        credentials: the platform's own credentials by name, as its services expect them.
        services: the services by name; queries to the host cover those with a hosting_id.
        places: the places from which `kamiyo-verify places run` verifies it, by name.
        slo_file: an OpenSLO file, relative to the folder of the run, whose objectives replace the runbook's.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: str = ""
    production: bool = False
    mutations: Mutations = Mutations.FORBIDDEN
    absent: frozenset[Part] = frozenset()
    slo_file: str = ""
    allow_rollback: bool = False
    services: Annotated[dict[ServiceName, ServiceSettings], Field(min_length=1)]
    credentials: dict[ServiceName, DeclaredCredential] = Field(default_factory=dict)
    api: Api = Api()
    frontend: Frontend = Frontend()
    sign_in: SignIn = SignIn()
    payments: Payments = Payments()
    database: Database = Database()
    browser: Browser = Browser()
    sampling: Sampling = Sampling()
    confirmation: Confirmation = Confirmation()
    baseline: Baseline = Baseline()
    control: Control = Control()
    timeouts: Timeouts = Timeouts()
    ledger: Ledger = Ledger()
    notifications: Notifications = Notifications()
    exports: Exports = Exports()
    launch: Launch | None = None
    load: Load | None = None
    render: Render | None = None
    command: Command | None = None
    kubernetes: Kubernetes | None = None
    sentry: Sentry | None = None
    stripe: Stripe | None = None
    github: GitHub | None = None
    status_pages: StatusPages | None = None
    pagerduty: PagerDuty | None = None
    prometheus: Prometheus | None = None
    grafana: Grafana | None = None
    project: Project | None = None
    places: dict[PlaceName, PlaceSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _production_is_https(self) -> Self:
        if self.production:
            for key, url in self.urls.items():
                if not url.startswith("https://"):
                    raise ValueError(f"{key}: must be https in production, not {url}")
        return self

    @model_validator(mode="after")
    def _one_host(self) -> Self:
        given = [f"[{name}]" for name in _HOSTS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are hosts of the same services: keep one of them")
        return self

    @model_validator(mode="after")
    def _marks_only_where_it_may_write(self) -> Self:
        if self.sentry is not None and self.sentry.deploy_marker and self.mutations is Mutations.FORBIDDEN:
            raise ValueError(
                'sentry.deploy_marker: writes to Sentry, and mutations = "forbidden" does not allow it: '
                'set mutations = "allowed", or leave deploy_marker out'
            )
        return self

    @property
    def declared_host(self) -> Host | None:
        """The table of the host; None if the file has none."""
        return self.command or self.kubernetes or self.render

    @property
    def host(self) -> Host | None:
        """The table of the host; None if there is none, or its credential is missing."""
        declared = self.declared_host
        return declared if declared is not None and declared.has_credential else None

    @property
    def urls(self) -> dict[str, str]:
        """Every URL of the platform, by its key in the file."""
        found = {f"services.{name}.url": url for name, url in self.public.items()}
        if self.payments.url:
            found["payments.url"] = self.payments.url
        found |= {f"api.origins[{n}]": origin for n, origin in enumerate(self.api.origins)}
        return found

    @property
    def public(self) -> dict[str, str]:
        """The URL of each service that answers requests, by name; workers have none."""
        return {name: service.url for name, service in self.services.items() if service.url}

    @property
    def hosted(self) -> dict[str, str]:
        """The hosting id of each hosted service, by name."""
        return hosting_ids(self.services)

    def url(self, service: str) -> str:
        """Return the URL of a service.

        Raises:
            Unverified: the environment has no such service, or it is a worker.
        """
        if service not in self.public:
            raise Unverified(f"{self.name} has no [services.{service}] with a url")
        return self.public[service]

    @property
    def api_url(self) -> str:
        """The URL of the API."""
        return self.url("api")

    @property
    def frontend_url(self) -> str:
        """The URL of the website."""
        return self.url("frontend")

    @property
    def secrets(self) -> dict[str, Credential]:
        """Every credential, by its key in the file, such as "api.key" or "notifications.channels.0"."""
        found = {f"credentials.{name}.variable": one.variable for name, one in self.credentials.items()}
        for table_name in type(self).model_fields:
            table = getattr(self, table_name)
            if isinstance(table, BaseModel):
                for key in type(table).model_fields:
                    match getattr(table, key):
                        case Credential() as one:
                            found[f"{table_name}.{key}"] = one
                        case tuple() as several:
                            listed = (one for one in several if isinstance(one, Credential))
                            found |= {f"{table_name}.{key}.{n}": one for n, one in enumerate(listed)}
        return found

    def dumped(self, write: Callable[[Credential], object]) -> dict[str, Any]:
        """Return the tables, JSON-safe; they contain a credential's value only if `write` returns it."""
        tables = self.model_dump(mode="json")
        for key, credential in self.secrets.items():
            *parents, last = key.split(".")
            within: Any = tables
            for step in parents:
                within = within[step]
            within[int(last) if isinstance(within, list) else last] = write(credential)
        return tables

    @property
    def heartbeat_patience_s(self) -> float:
        """Seconds to wait for the first heartbeat: one interval plus 10 % and one second."""
        return self.api.heartbeat_s * 1.1 + 1

    @property
    def webhook_url(self) -> str:
        """The URL of the Stripe webhook endpoint."""
        return (self.payments.url or self.frontend_url) + self.payments.webhook_path

    @property
    def websocket_url(self) -> str:
        """The WebSocket URL of live updates, without the token."""
        return "ws" + self.api_url.removeprefix("http") + self.api.websocket_path


def configured(environment: Environment, name: str, table: Configured | None) -> Configured:
    """Return the table, which must exist.

    Raises:
        Unverified: the environment file has no such table.
    """
    if table is None:
        raise Unverified(f"{environment.name} has no [{name}]")
    return table
