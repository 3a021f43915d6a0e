"""Render before anything is configured: the services and databases that a key can see."""

from __future__ import annotations

from plugins.clients.http import Record
from plugins.clients.render_pages import Pages, Rows
from plugins.clients.service import Service as Asked
from plugins.model.environment import Timeouts
from plugins.model.hosting import Service
from plugins.model.hosting_data import Postgres
from plugins.model.tables import Credential


class RenderFinder:
    """What there is in every workspace of a key. Every method raises `NoAnswer` where Render does not tell.

    Args:
        address: of Render's API.
        key: with its value.
        timeouts, record: as of `HttpClient`.
    """

    def __init__(self, address: str, key: Credential, *, timeouts: Timeouts, record: Record) -> None:
        self._asked = Asked(
            "Render",
            address,
            key.name,
            timeouts=timeouts,
            record=record,
            remaining=lambda: timeouts.answer,
            headers={"Authorization": f"Bearer {key.reveal()}"},
        )
        self._pages = Pages(self._asked)

    def services(self) -> tuple[Service, ...]:
        """Every service that answers the web."""
        return self._pages.rows("/services", Rows[Service], params={"type": ["web_service", "static_site"]})

    def databases(self) -> tuple[Postgres, ...]:
        """Every PostgreSQL."""
        return self._pages.rows("/postgres", Rows[Postgres])

    def close(self) -> None:
        """End its connections."""
        self._asked.close()
