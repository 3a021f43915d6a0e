"""List the services and databases that a Render key can access, before anything is configured."""

from __future__ import annotations

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import Service as HttpService
from kamiyo_verify.integrations.render.pages import Pages, Rows
from kamiyo_verify.integrations.render.shapes import Service
from kamiyo_verify.model.hosting.data import Postgres
from kamiyo_verify.model.tables import Credential


class RenderFinder:
    """All workspaces of a key. Every method raises `NoAnswer` if Render has no usable answer.

    Args:
        address: of Render's API.
        key: with its value.
        context: shared with other clients.
    """

    def __init__(self, address: str, key: Credential, context: ClientContext) -> None:
        self._service = HttpService(
            "Render", address, key.name, context, headers={"Authorization": f"Bearer {key.reveal()}"}
        )
        self._pages = Pages(self._service)

    def services(self) -> tuple[Service, ...]:
        """Every service, of any type."""
        return self._pages.rows("/services", Rows[Service])

    def databases(self) -> tuple[Postgres, ...]:
        """Every PostgreSQL database."""
        return self._pages.rows("/postgres", Rows[Postgres])

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
