"""Fixture for Render, which hosts the services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.render.client import Render


@pytest.fixture(scope="session")
def render(environment: Environment, outside_context: ClientContext) -> Iterator[Render]:
    """A client of Render, which hosts the services."""
    from kamiyo_verify.integrations.render.client import Render  # noqa: PLC0415

    table = configured(environment, "render", environment.render)
    client = Render(table, outside_context, services=environment.hosted)
    yield client
    client.close()
