"""Fixtures for our suppliers' status pages and our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.statuspage.client import StatusPages
    from kamiyo_verify.model.outside.status import OwnPage


@pytest.fixture(scope="session")
def status_pages(environment: Environment, outside_context: ClientContext) -> StatusPages:
    """A client of our suppliers' status pages and our own."""
    from kamiyo_verify.integrations.statuspage.client import StatusPages  # noqa: PLC0415

    table = configured(environment, "status_pages", environment.status_pages)
    return StatusPages(table, outside_context)


@pytest.fixture
def own_page(status_pages: StatusPages) -> OwnPage:
    """The current state of our own status page."""
    return status_pages.own_page()
