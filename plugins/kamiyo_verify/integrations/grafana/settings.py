"""The table [grafana] of an environment file."""

from __future__ import annotations

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class Grafana(Table):
    """The Grafana whose dashboards show each verdict as an annotation.

    Attributes:
        dashboard: the UID of the only dashboard that shows it; "" for every dashboard that asks for its tags.
        tags: added to those of the verdict.
    """

    address: BaseAddress
    token: Credential = Credential(name="GRAFANA_TOKEN")
    dashboard: str = ""
    tags: tuple[str, ...] = ("deployment",)
