"""Write deploys of a release to Sentry; checks cannot reach this module."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, RootModel

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import Service, segment
from kamiyo_verify.integrations.sentry.settings import Sentry as Table

_CREATED = frozenset({201})


class _Deploy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    environment: str
    name: str | None


class _Deploys(RootModel[tuple[_Deploy, ...]]):
    pass


class SentryDeploys:
    """Writes deploys. Every method raises `NoAnswer` if Sentry does not carry out the request.

    Args:
        table: the environment's [sentry]; its token needs the scope `project:releases`.
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._organization = f"/api/0/organizations/{segment(table.organization)}"
        self._service = Service(
            "Sentry",
            table.address,
            table.token.name,
            context,
            headers={"Authorization": f"Bearer {table.token.reveal()}"},
        )

    def mark(self, release: str, deploy: Mapping[str, object]) -> None:
        """Mark a release as deployed, once: a deploy of that name to that environment is not repeated.

        Args:
            release: its version.
            deploy: "environment", "name" and what else Sentry takes.
        """
        path = f"{self._organization}/releases/{segment(release)}/deploys/"
        hint = f"Sentry knows no release {release}: does the deployment tell it?"
        known = self._service.ask(path, _Deploys, hint=hint).root
        if any((one.environment, one.name) == (deploy["environment"], deploy["name"]) for one in known):
            return
        self._service.send("POST", path, json=dict(deploy), accepted=_CREATED, hint=hint)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
