"""The table [status_pages] of an environment file."""

from __future__ import annotations

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class StatusPages(Table):
    """Public status pages of our providers, and our own.

    Attributes:
        allow_maintenance: `make maintenance` may set our page, even where mutations are forbidden.
        components: names of our page's components that a deployment affects; empty for all.
    """

    render: BaseAddress = "https://status.render.com"
    stripe: BaseAddress = "https://www.stripestatus.com"
    sentry: BaseAddress = "https://status.sentry.io"
    own_address: BaseAddress = "https://api.statuspage.io"
    own_page_id: str = ""
    own_key: Credential = Credential(name="STATUSPAGE_API_KEY")
    allow_maintenance: bool = False
    components: tuple[str, ...] = ()
