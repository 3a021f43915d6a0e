"""JSON of Statuspage's responses: components, incidents and maintenances, times."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.outside.world import World

_SINCE = "2025-03-01T09:00:00.000Z"


def component(page_id: str, nth: int, name: str, status: str) -> dict[str, Any]:
    """Return the nth component of a page."""
    return {
        "id": f"{page_id[:8]}{nth:04d}",
        "page_id": page_id,
        "group_id": None,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "group": False,
        "name": name,
        "description": None,
        "position": nth + 1,
        "status": status,
        "showcase": True,
        "only_show_if_degraded": False,
        "start_date": "2025-03-01",
    }


def incident(
    world: World, page_id: str, name: str, status: str, impact: str, components: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return an incident; a resolved one is twelve days old, any other began with the deployment."""
    began = world.deploy_began_at or world.now()
    over = status == "resolved"
    at = text(began - timedelta(days=12) if over else began)
    return {
        "id": f"{page_id[:6]}{sum(name.encode()) % 10_000:04d}",
        "name": name,
        "status": status,
        "created_at": at,
        "updated_at": at,
        "monitoring_at": None,
        "resolved_at": at if over else None,
        "impact": impact,
        "shortlink": f"https://stspg.io/{page_id[:6]}",
        "started_at": at,
        "page_id": page_id,
        "incident_updates": [
            {
                "id": f"{page_id[:6]}0001",
                "status": status,
                "body": f"{name}.",
                "incident_id": f"{page_id[:6]}{sum(name.encode()) % 10_000:04d}",
                "created_at": at,
                "updated_at": at,
                "display_at": at,
                "affected_components": [],
                "deliver_notifications": True,
            }
        ],
        "components": components,
        "reminder_intervals": None,
    }


def text(moment: datetime) -> str:
    """Format a time as Statuspage does."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
