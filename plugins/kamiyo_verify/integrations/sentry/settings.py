"""The table [sentry] of an environment file."""

from __future__ import annotations

from pydantic import Field

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class Sentry(Table):
    """The Sentry organization that collects errors; `projects` are slugs.

    Attributes:
        deploy_marker: whether a run marks its commit's release as deployed, where mutations are allowed.
    """

    address: BaseAddress = "https://us.sentry.io"
    token: Credential = Credential(name="SENTRY_AUTH_TOKEN")
    organization: str
    projects: tuple[str, ...] = Field(min_length=1)
    environment: str = "production"
    dsn: Credential = Credential(name="SENTRY_DSN")
    spike_ratio: float = Field(default=3.0, gt=1)
    deploy_marker: bool = False
