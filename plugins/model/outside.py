"""The outside systems that an environment may name: hosting, errors, reviews, on-call, the checkout."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from plugins.model.tables import Address, Credential, Table


class Render(Table):
    """Where the services run. Ids are those of the dashboard's URLs."""

    address: Address = "https://api.render.com/v1"
    key: Credential = Credential(name="RENDER_API_KEY")
    owner: Annotated[str, Field(pattern=r"^(tea|usr)-\w+$")]
    api_service: Annotated[str, Field(pattern=r"^srv-\w+$")]
    frontend_service: Annotated[str, Field(pattern=r"^srv-\w+$")]
    postgres: Annotated[str, Field(pattern=r"^(dpg-[\w-]+)?$")] = ""
    deploy_timeout_s: float = Field(default=1200, gt=0, le=7200)
    poll_s: float = Field(default=5, gt=0, le=60)
    log_errors_per_minute: float = Field(default=1.0, ge=0)

    @property
    def services(self) -> dict[str, str]:
        """The ids of both services by their part of the platform."""
        return {"api": self.api_service, "frontend": self.frontend_service}


class Sentry(Table):
    """Where errors are collected; `projects` are slugs."""

    address: Address = "https://us.sentry.io"
    token: Credential = Credential(name="SENTRY_AUTH_TOKEN")
    organization: str
    projects: tuple[str, ...] = Field(min_length=1)
    environment: str = "production"
    dsn: Credential = Credential(name="SENTRY_DSN")
    spike_ratio: float = Field(default=3.0, gt=1)


class Stripe(Table):
    """Stripe's own side of the payments; the key may be a restricted one that reads endpoints and events."""

    address: Address = "https://api.stripe.com"
    key: Credential = Credential(name="STRIPE_API_KEY")
    events: tuple[str, ...] = (
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "invoice.payment_succeeded",
        "invoice.payment_failed",
        "checkout.session.completed",
    )


class GitHub(Table):
    """Where the code is reviewed: "owner/name"."""

    address: Address = "https://api.github.com"
    token: Credential = Credential(name="GITHUB_TOKEN")
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]


class StatusPages(Table):
    """Public status pages of those we depend on, and our own.

    Attributes:
        allow_maintenance: `make maintenance` may set our page, even where mutations are forbidden.
        components: the names of those of our page that a deployment touches; empty for all of them.
    """

    render: Address = "https://status.render.com"
    stripe: Address = "https://www.stripestatus.com"
    sentry: Address = "https://status.sentry.io"
    own_address: Address = "https://api.statuspage.io"
    own_page_id: str = ""
    own_key: Credential = Credential(name="STATUSPAGE_API_KEY")
    allow_maintenance: bool = False
    components: tuple[str, ...] = ()


class PagerDuty(Table):
    """Who is on call."""

    address: Address = "https://api.pagerduty.com"
    token: Credential = Credential(name="PAGERDUTY_TOKEN")
    schedules: tuple[str, ...] = Field(min_length=1)


class Project(Table):
    """The checkout of what is deployed. Paths inside it are relative to `path`.

    In the commands "{python}" stands for the interpreter that the suite runs on.

    Attributes:
        path: the checkout; relative to the folder of the run.
        audit_command, validate_command: the project's own scripts; not run where they do not exist.
        status_command: likewise; it is given the addresses of the API and of the frontend.
        install_command: resolves the requirements, which are put after it, and installs nothing; empty where
            that is not to be tried.
        node_install_command: likewise, in `node_folder`.
        registries: where a lock file may point.
    """

    path: str
    branch: str = "main"
    test_command: tuple[str, ...] = ("pytest", "tests/")
    audit_command: tuple[str, ...] = ("./scripts/security_audit.sh",)
    validate_command: tuple[str, ...] = ("./scripts/validate_env.sh", "production")
    status_command: tuple[str, ...] = ("./scripts/status-check.sh",)
    install_command: tuple[str, ...] = (
        *("{python}", "-m", "pip", "install", "--dry-run", "--ignore-installed", "--only-binary=:all:"),
        *("--quiet", "--disable-pip-version-check", "--retries=0", "--timeout=10"),
    )
    node_install_command: tuple[str, ...] = (
        *("npm", "ci", "--dry-run", "--ignore-scripts", "--offline", "--no-audit", "--no-fund"),
        *("--no-update-notifier", "--logs-max=0"),
    )
    command_timeout_s: float = Field(default=900, gt=0, le=7200)
    requirements: str = "requirements.txt"
    requirements_lock: str = "requirements.txt.lock"
    node_folder: str = "website"
    migrations: str = "website/prisma/migrations"
    blueprint: str = "render.yaml"
    backups: str = "backups"
    backup_max_age_hours: float = Field(default=24, gt=0)
    registries: tuple[Address, ...] = (
        "https://registry.npmjs.org",
        "https://registry.yarnpkg.com",
        "https://pypi.org",
        "https://files.pythonhosted.org",
    )
    attestations: str = "attestations"
