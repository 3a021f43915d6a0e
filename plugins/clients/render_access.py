"""How Render is reached: address, credential, paths, and what to look at when an id is unknown there."""

from __future__ import annotations

from typing import Unpack
from urllib.parse import quote

from plugins.clients.manner import Manner
from plugins.clients.service import Service
from plugins.model.outside import Render as Table


def open_service(
    table: Table,
    *,
    confidential: bool = False,
    **manner: Unpack[Manner],
) -> Service:
    """Render's API with the key of the environment; arguments as of `Service`."""
    return Service(
        "Render",
        table.address,
        table.key.name,
        headers={"Authorization": f"Bearer {table.key.reveal()}"},
        confidential=confidential,
        **manner,
    )


def path_of(*parts: str) -> str:
    """A path below the address; what a part holds cannot lead elsewhere."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def id_hint(table: Table, *ids: str) -> str:
    """What to look at when Render knows nothing of those ids."""
    keys = {
        table.api_service: "api_service",
        table.frontend_service: "frontend_service",
        table.postgres: "postgres",
    }
    named = [f"{found} ([render] {keys[found]})" if found in keys else found for found in ids]
    return f"Render knows no {' or '.join(named)}, or the key is of another workspace than {table.owner}"
