"""Where a run looks: URLs, limits and credentials of one environment, frozen and validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from plugins.model.browser import Browser
from plugins.model.notifications import Notifications
from plugins.model.outside import GitHub, PagerDuty, Project, Render, Sentry, StatusPages, Stripe
from plugins.model.tables import Address, Credential, Origin, Path, Table
from plugins.model.words import Mutations, Part, Tier


class CommitSource(Table):
    """Where a service tells which commit answers: a header of any answer, or a field of a JSON path."""

    header: str = ""
    path: str = ""
    field: str = "commit"

    @property
    def named(self) -> bool:
        """The environment names a source at all."""
        return bool(self.header or self.path)


class Api(Table):
    """The public API."""

    url: Origin
    key: Credential = Credential(name="KAMIYO_API_KEY")
    tier: Tier = Tier.TEAM
    admin_key: Credential = Credential(name="ADMIN_API_KEY")
    origins: tuple[Origin, ...] = ()
    websocket_path: Path = "/ws"
    heartbeat_s: float = Field(default=60, gt=0, le=600)
    slow_queries_path: Path = "/admin/db/slow-queries"
    metrics_path: Path = "/metrics"
    admin_paths: tuple[Path, ...] = ("/admin/db/slow-queries",)
    commit: CommitSource = CommitSource()


class Frontend(Table):
    """The website."""

    url: Origin
    title: str = "KAMIYO"
    dashboard_path: Path = "/dashboard"
    commit: CommitSource = CommitSource()


class SignIn(Table):
    """NextAuth on the frontend, and the test account."""

    page_path: Path = "/auth/signin"
    providers: tuple[str, ...] = ("google",)
    secret: Credential = Credential(name="NEXTAUTH_SECRET")
    session_token: Credential = Credential(name="TEST_SESSION_TOKEN")
    email: Credential = Credential(name="TEST_EMAIL")
    password: Credential = Credential(name="TEST_PASSWORD")


class Payments(Table):
    """The Stripe webhook endpoint; it is mounted on the frontend unless `url` says otherwise."""

    url: Origin | None = None
    webhook_path: Path = "/api/payment/webhook"
    webhook_secret: Credential = Credential(name="STRIPE_WEBHOOK_SECRET")


class Database(Table):
    """The PostgreSQL behind the API, for read-only questions."""

    url: Credential = Credential(name="DATABASE_URL")
    statement_timeout_s: float = Field(default=5, gt=0, le=60)
    slow_query_ms: float = Field(default=500, gt=0)


class Sampling(Table):
    """How many requests the performance items may send, and how fast.

    Attributes:
        requests: the most of each series; it ends before where they have decided the objectives.
        per_minute: the environment's allowance; 0 spreads the requests over `seconds`, as far as the tier's
            own limit lets them.
        seconds: within which they are sent.
    """

    requests: int = Field(default=120, ge=20, le=10_000)
    per_minute: int = Field(default=0, ge=0)
    seconds: float = Field(default=60, gt=0, le=600)


class Confirmation(Table):
    """How often, and how far apart, an item is tried before its failure counts."""

    attempts: int = Field(default=3, ge=1, le=10)
    spacing_s: float = Field(default=1.0, ge=0, le=60)


class Control(Table):
    """Addresses that are not ours: when they answer and we do not, it is not the runner's network."""

    urls: tuple[Address, ...] = ("https://status.render.com/api/v2/status.json",)


class Timeouts(Table):
    """Seconds. `item` bounds one try at one item, whatever it does."""

    connect: float = Field(default=5, gt=0, le=60)
    answer: float = Field(default=15, gt=0, le=120)
    item: float = Field(default=30, gt=0, le=600)


class Ledger(Table):
    """Where runs are remembered.

    Attributes:
        url: "postgresql://user:password@host:port/name", or "sqlite:////path/of/a/file"; without it
            reports/ledger.db serves.
    """

    url: Credential = Credential(name="KAMIYO_LEDGER_URL")


class Launch(Table):
    """How to start the platform itself, for an environment that is not running anywhere.

    Attributes:
        command: "{python}" stands for this interpreter. It prints one line of JSON when it is ready:
            {"settings": {"api.url": …}, "credentials": {"NAME": …}, "control_url": …}, and it ends when its
            standard input closes.
        drill: arguments by which it begins with a release that has to be taken back, for `make rollback`.
    """

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    drill: tuple[str, ...] = ()
    ready_within_s: float = Field(default=30, gt=0, le=600)


class Environment(Table):
    """One environment, complete: what the file says, with the command line's URLs and found credentials.

    Attributes:
        slo_file: an OpenSLO file, relative to the folder of the run, whose objectives replace the runbook's.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: str = "Kamiyo"
    production: bool = False
    mutations: Mutations = Mutations.FORBIDDEN
    absent: frozenset[Part] = frozenset()
    slo_file: str = ""
    allow_rollback: bool = False
    api: Api
    frontend: Frontend
    sign_in: SignIn = SignIn()
    payments: Payments = Payments()
    database: Database = Database()
    browser: Browser = Browser()
    sampling: Sampling = Sampling()
    confirmation: Confirmation = Confirmation()
    control: Control = Control()
    timeouts: Timeouts = Timeouts()
    ledger: Ledger = Ledger()
    notifications: Notifications = Notifications()
    launch: Launch | None = None
    render: Render | None = None
    sentry: Sentry | None = None
    stripe: Stripe | None = None
    github: GitHub | None = None
    status_pages: StatusPages | None = None
    pagerduty: PagerDuty | None = None
    project: Project | None = None

    @model_validator(mode="after")
    def _production_is_https(self) -> Self:
        if self.production:
            for key, url in self.urls.items():
                if not url.startswith("https://"):
                    raise ValueError(f"{key}: must be https in production, not {url}")
        return self

    @property
    def urls(self) -> dict[str, str]:
        """Every address of ours by its key in the file."""
        found = {"api.url": self.api.url, "frontend.url": self.frontend.url}
        if self.payments.url:
            found["payments.url"] = self.payments.url
        found |= {f"api.origins[{n}]": origin for n, origin in enumerate(self.api.origins)}
        return found

    @property
    def credentials(self) -> dict[str, Credential]:
        """Every credential by its key in the file, such as "api.key" or "notifications.channels.0"."""
        found: dict[str, Credential] = {}
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
        """The tables, JSON-safe, with each credential as `write` gives it: without it no value is in them."""
        tables = self.model_dump(mode="json")
        for key, credential in self.credentials.items():
            table_name, name, *number = key.split(".")
            within, at = (tables[table_name][name], int(number[0])) if number else (tables[table_name], name)
            within[at] = write(credential)
        return tables

    @property
    def heartbeat_patience_s(self) -> float:
        """How long to wait for the first heartbeat: one interval of the server's clock, and a little more."""
        return self.api.heartbeat_s * 1.1 + 1

    @property
    def webhook_url(self) -> str:
        """Where Stripe delivers."""
        return (self.payments.url or self.frontend.url) + self.payments.webhook_path

    @property
    def websocket_url(self) -> str:
        """Where live updates come from, without the token."""
        return "ws" + self.api.url.removeprefix("http") + self.api.websocket_path
