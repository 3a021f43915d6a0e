"""Access to Render: address, credential, paths, and hints for unknown ids."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import Service
from kamiyo_verify.integrations.render.settings import Render as Table


def open_service(table: Table, context: ClientContext, *, confidential: bool = False) -> Service:
    """Render's API with the key of the environment; for the arguments see `Service`."""
    return Service(
        "Render",
        table.address,
        table.key.name,
        context,
        headers={"Authorization": f"Bearer {table.key.reveal()}"},
        confidential=confidential,
    )


def path_of(*parts: str) -> str:
    """A path below the address; every part is encoded, so that it cannot lead elsewhere."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def id_hint(table: Table, *ids: str, names: Mapping[str, str] | None = None) -> str:
    """What to verify if Render does not know those ids; `names` are services by id."""
    keys = {service_id: f"[services.{name}] hosting_id" for service_id, name in (names or {}).items()}
    if table.postgres:
        keys[table.postgres] = "[render] postgres"
    named = [f"{found} ({keys[found]})" if found in keys else found for found in ids]
    return f"Render knows no {' or '.join(named)}, or the key is of another workspace than {table.owner}"
