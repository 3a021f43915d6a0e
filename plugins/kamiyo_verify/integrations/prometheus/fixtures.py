"""Fixture for the API's Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.prometheus.client import Prometheus


@pytest.fixture(scope="session")
def prometheus(environment: Environment, outside_context: ClientContext) -> Iterator[Prometheus]:
    """A client of the API's Prometheus metrics."""
    from kamiyo_verify.integrations.prometheus.client import Prometheus  # noqa: PLC0415

    client = Prometheus(environment.api.metrics_path, outside_context, url=environment.api_url)
    yield client
    client.close()
