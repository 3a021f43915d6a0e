"""Write annotations to Grafana; checks cannot reach this module.

Source: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/.
"""

from __future__ import annotations

from collections.abc import Mapping

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import Service
from kamiyo_verify.integrations.grafana.settings import Grafana as Table


class Grafana:
    """Writes annotations. Every method raises `NoAnswer` if Grafana does not carry out the request.

    Args:
        table: the environment's [grafana]; the token's account needs the permission `annotations:create`.
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._service = Service(
            "Grafana",
            table.address,
            table.token.name,
            context,
            headers={"Authorization": f"Bearer {table.token.reveal()}"},
        )

    def annotate(self, annotation: Mapping[str, object]) -> None:
        """Create an annotation."""
        self._service.send(
            "POST",
            "/api/annotations",
            json=dict(annotation),
            hint="there is no such dashboard, or [grafana] address is not Grafana's own",
        )

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
